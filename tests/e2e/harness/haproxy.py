"""A real HAProxy, and what it believes: its statistics over the runtime socket."""

from __future__ import annotations

import csv
import io
import re
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from .haproxy_config import HAProxyOptions, HAProxyPorts, haproxy_config
from .process import Process, Stage, find_program, free_port, wait_until
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


def socket_path(stage: Stage, name: str = "haproxy") -> Path:
    """Where the runtime socket of the HAProxy of that name is, or will be."""
    return stage.folder / name / "admin.sock"


class HAProxy(Process):
    """HAProxy with the backends bk_redis_master and bk_redis_slave over the given nodes."""

    kind = "haproxy"

    def __init__(
        self,
        stage: Stage,
        nodes: Sequence[Redis],
        agent_port: int,
        options: HAProxyOptions = HAProxyOptions(),
        name: str = "haproxy",
    ) -> None:
        super().__init__(stage, name)
        self.options = options
        self.ports = HAProxyPorts(master=free_port(), replica=free_port())
        self.socket_path = socket_path(stage, name)
        self.config_path = self.folder / "haproxy.cfg"
        self.config_path.write_text(
            haproxy_config(nodes, self.ports, self.socket_path, agent_port, options)
        )

    def command(self) -> list[str]:
        mode = ["-W"] if self.options.master_worker else []
        return [find_program("haproxy"), *mode, "-db", "-f", str(self.config_path)]

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

    def info(self) -> dict[str, str]:
        """The fields of `show info`."""
        lines = self.cli("show info").splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    def marks(self) -> dict[str, str]:
        """The agent's marks as `show stat` has them: `1` open, `0` closed, empty where disabled."""
        servers = self.stat().items()
        return {n: s["agent_health"] for n, s in servers if s.backend.startswith("bk_redis")}

    def agent_states(self) -> dict[str, int]:
        """srv_agent_state of each server: bit 4 is set where the agent is enabled."""
        lines = self.cli("show servers state").splitlines()
        names = lines[1].removeprefix("# ").split()
        rows = [dict(zip(names, line.split())) for line in lines[2:] if line.strip()]
        return {
            f"{r['be_name']}/{r['srv_name']}": int(r["srv_agent_state"])
            for r in rows
            if r["be_name"].startswith("bk_redis")
        }

    def reload(self) -> None:
        """Tells the master to start a new worker, and waits until that one answers."""
        assert self.options.master_worker
        worker = self.info()["Pid"]
        reloads = self.log(whole=True).count("Reexecuting")
        asked = 0.0

        def look() -> bool:
            nonlocal asked
            # A master that has just started may not hear it yet.
            heard = self.log(whole=True).count("Reexecuting") > reloads
            if not heard and time.monotonic() - asked > 0.2:
                self.signal(signal.SIGUSR2)
                asked = time.monotonic()
            try:
                return self.info().get("Pid", worker) != worker
            except OSError:
                return False

        wait_until(look, 10, lambda: f"{self.title} reloaded\n{self.log()}")
