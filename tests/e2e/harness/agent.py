"""The program under test, and its side of the agent-check protocol."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Callable, Sequence

from .process import Process, Stage, free_port

PROJECT = Path(__file__).resolve().parents[3]

# What systemd does for a service with a socket unit: the listening sockets are descriptors 3 and
# up, and LISTEN_PID names the process that they are meant for.
ACTIVATE = """
import os, sys
count = int(sys.argv[1])
spares = [os.dup(int(fd)) for fd in sys.argv[2:2 + count]]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(spares)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count))
command = sys.argv[2 + count:]
os.execv(command[0], command)
"""


# The agent gives a client 10 ms for its first byte.
FIRST_BYTE_LIMIT = 0.005


def ask(port: int, query: str, timeout: float = 2.0) -> str:
    """One agent-check, as HAProxy makes it: the whole answer, `` for silence."""
    while True:
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
            if query:
                client.sendall(query.encode() + b"\n")
            late = time.monotonic() - started > FIRST_BYTE_LIMIT
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
        # Silence means nothing where we ourselves were too late, on a machine that is busy.
        if answer or not query or not late:
            return answer.decode()


class NotifySocket:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.messages: list[str] = []

    def has(self, line: str) -> bool:
        """Whether a message with this line has come."""
        try:
            while True:
                self.messages += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            pass
        return line in self.messages

    def close(self) -> None:
        """Ends it."""
        self.socket.close()
        self.path.unlink(missing_ok=True)


class Agent(Process):
    """A running redis-role-agent: with a configuration, or with arguments of its own after `run`.

    `config` is called with the address to listen on and returns the file's text.
    """

    kind = "agent"

    def __init__(
        self,
        stage: Stage,
        binary: str,
        config: Callable[[Sequence[str]], str] | None = None,
        arguments: Callable[[str], list[str]] | None = None,
    ) -> None:
        super().__init__(stage, "agent")
        self.binary = binary
        self.port = free_port()
        self.listen = f"127.0.0.1:{self.port}"
        self.config_path = self.folder / "agent.cfg"
        self.arguments = arguments or (lambda _: ["--config", str(self.config_path)])
        if config:
            self.config_path.write_text(config([self.listen]))
        self.notify: NotifySocket | None = None
        self.activated: list[socket.socket] = []

    def command(self) -> list[str]:
        command = [self.binary, "run", *self.arguments(self.listen)]
        if not self.activated:
            return command
        descriptors = [str(s.fileno()) for s in self.activated]
        return [sys.executable, "-c", ACTIVATE, str(len(descriptors)), *descriptors, *command]

    def start(self, wait: bool = True) -> None:
        if self.notify:
            self.notify.close()
        self.notify = NotifySocket(self.folder)
        self.environment["NOTIFY_SOCKET"] = str(self.notify.path)
        self.inherit = tuple(s.fileno() for s in self.activated)
        super().start(wait)

    def stop(self, limit: float = 5.0) -> int | None:
        code = super().stop(limit)
        if self.notify:
            self.notify.close()
            self.notify = None
        return code

    def is_ready(self) -> bool:
        return self.notify is not None and self.notify.has("READY=1")

    def ask(self, query: str, timeout: float = 2.0) -> str:
        """One agent-check; `` for silence."""
        with self.place.enter():
            return ask(self.port, query, timeout).strip()

    def verdicts(self) -> list[dict[str, str]]:
        """The verdict lines of its log, as their fields."""
        return parse_verdicts(self.log(whole=True))


def parse_verdicts(text: str) -> list[dict[str, str]]:
    """The fields of each `verdict key=value …` line."""
    found = []
    for line in text.splitlines():
        match = re.search(r"\bverdict (\S+=.*)", line)
        if match:
            found.append(dict(p.split("=", 1) for p in match.group(1).split() if "=" in p))
    return found


def default_binary() -> str:
    """Where the agent is: $AGENT, or where `make` leaves it."""
    return os.environ.get("AGENT") or str(PROJECT / "build" / "redis-role-agent")
