"""A real HAProxy, and what it believes: its statistics over the runtime socket."""

from __future__ import annotations

import csv
import io
import re
import socket
from dataclasses import dataclass
from typing import Sequence

from .haproxy_config import HAProxyPorts, haproxy_config
from .process import Process, Stage, find_program, free_port
from .redis import Redis


@dataclass
class Server:
    """A server line of `show stat`, by its column names."""

    backend: str
    name: str
    columns: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.columns[column]

    @property
    def state(self) -> str:
        """`open`, `drained` (no new connections) or `closed`."""
        status = self["status"]
        if status.startswith("DRAIN"):
            return "drained"
        if not status.startswith(("UP", "no check")):
            return "closed"
        return "open" if int(self["weight"]) else "drained"

    @property
    def words(self) -> str:
        """The agent's words after `#`; HAProxy shows them as `via agent : up (master)`."""
        match = re.search(r"\((.*)\)", self["last_agt"])
        return match.group(1) if match else self["last_agt"]

    def __str__(self) -> str:
        shown = ("status", "weight", "agent_status", "agent_health", "last_agt", "check_status")
        return f"{self.backend}/{self.name}: " + " ".join(f"{c}={self[c]!r}" for c in shown)


class HAProxy(Process):
    """HAProxy with the backends bk_redis_master and bk_redis_slave over the given nodes."""

    kind = "haproxy"

    def __init__(
        self,
        stage: Stage,
        nodes: Sequence[Redis],
        agent_port: int,
        guards: bool = True,
        agent_inter: str = "200ms",
    ) -> None:
        super().__init__(stage, "haproxy")
        self.ports = HAProxyPorts(master=free_port(), replica=free_port())
        self.socket_path = self.folder / "admin.sock"
        self.config_path = self.folder / "haproxy.cfg"
        self.config_path.write_text(
            haproxy_config(nodes, self.ports, self.socket_path, agent_port, guards, agent_inter)
        )

    def command(self) -> list[str]:
        return [find_program("haproxy"), "-db", "-f", str(self.config_path)]

    def is_ready(self) -> bool:
        try:
            return bool(self.stat())
        except OSError:
            return False

    def cli(self, command: str) -> str:
        """One command over the runtime socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.socket_path))
            client.sendall(command.encode() + b"\n")
            chunks = []
            while chunk := client.recv(65536):
                chunks.append(chunk)
        return b"".join(chunks).decode()

    def stat(self) -> dict[str, Server]:
        """Each server line by `backend/name`."""
        text = self.cli("show stat -1 4 -1").removeprefix("# ")
        rows = list(csv.DictReader(io.StringIO(text)))
        return {
            f"{r['pxname']}/{r['svname']}": Server(r["pxname"], r["svname"], r) for r in rows
        }

    def server(self, name: str) -> Server:
        """One server line, by `backend/name`."""
        return self.stat()[name]

    def changes(self) -> dict[str, tuple[str, str]]:
        """For each server how often it went down, and its state: equal means that nothing moved."""
        return {name: (s["chkdown"], s.state) for name, s in self.stat().items()}
