"""Processes under test: started in a folder of their own, awaited by condition, ended by pid.

A Stage owns the temporary folder and everything that was started in it, and ends all of it,
whatever happened. Nothing here knows what the processes are for.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Protocol, TypeVar

from .place import LOOPBACK, Place

Result = TypeVar("Result")
READY_LIMIT = 15.0
LOG_TAIL = 12_000


class MissingProgram(RuntimeError):
    """A program that the tests need is not installed."""


def find_program(name: str) -> str:
    """The path of an installed program; Debian keeps some of them in sbin."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise MissingProgram(f"{name} is not installed: `make deps-test` installs it")
    return found


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, and that this run has not given out before.

    It lies below the range of the ports that the kernel gives to outgoing connections: a client
    that tries a dead port in that range again and again may end up connected to itself.
    """
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free port on 127.0.0.1 between 20000 and 32000")


def wait_until(
    condition: Callable[[], Result | None], limit: float, what: str | Callable[[], str]
) -> Result:
    """Asks `condition` until it is true; returns what it said. Fails after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            raise AssertionError(
                f"not within {limit:g} s: {what() if callable(what) else what} (last: {result!r})"
            )
        time.sleep(0.004)


class Stoppable(Protocol):
    """What a stage can own."""

    def stop(self) -> object:
        """Ends it; calling it again does nothing."""


class Stage:
    """A temporary folder and everything that runs in it. Use it with `with`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rra-"))
        self.things: list[Stoppable] = []
        self.keep = False

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, thing: Stoppable) -> None:
        """Makes the stage the owner of `thing`."""
        self.things.append(thing)

    def close(self) -> None:
        """Ends everything, the last started first, and removes the folder (unless kept)."""
        if self.keep:
            return
        try:
            for thing in reversed(self.things):
                thing.stop()
        finally:
            for thing in self.things:
                if isinstance(thing, Process) and thing.is_running():
                    thing.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self) -> list[tuple[str, str]]:
        """The log of each process, as (title, text)."""
        return [(thing.title, thing.log()) for thing in self.things if isinstance(thing, Process)]


class Process:
    """A process in a folder of its own. Subclasses give `command` and `is_ready`."""

    kind = "process"

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.folder = stage.folder / name
        self.folder.mkdir()
        self.log_path = self.folder / "log"
        self.popen: subprocess.Popen[bytes] | None = None
        self.killed_at = 0.0
        self.environment: dict[str, str] = {}
        self.inherit: tuple[int, ...] = ()
        self.place: Place = LOOPBACK
        stage.add(self)

    @property
    def title(self) -> str:
        """How the process is called in reports."""
        return self.name if self.name.startswith(self.kind) else f"{self.kind} {self.name}"

    @property
    def pid(self) -> int:
        """The process's number; it must have been started."""
        assert self.popen, f"{self.title} was not started"
        return self.popen.pid

    def command(self) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether it does its work by now."""
        return True

    def start(self, wait: bool = True) -> None:
        """Starts it, and waits until it is ready."""
        assert not self.is_running(), f"{self.title} runs already"
        # With the stage dies all that runs on it, even when the tests are killed.
        guard = [] if self.stage.keep else [find_program("setpriv"), "--pdeathsig", "KILL", "--"]
        with self.log_path.open("ab") as log, self.place.enter():
            self.popen = subprocess.Popen(
                guard + self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                pass_fds=self.inherit,
                start_new_session=True,
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, limit: float = READY_LIMIT) -> None:
        """Waits until it is ready; fails at once if it ends before."""

        def look() -> bool:
            assert self.is_running(), f"{self.title} ended at its start:\n{self.log()}"
            return self.is_ready()

        wait_until(look, limit, lambda: f"{self.title} ready\n{self.log()}")

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number: int) -> None:
        """Sends a signal to this one process."""
        if self.is_running():
            os.kill(self.pid, number)

    def stop(self, limit: float = 5.0) -> int | None:
        """Asks it to end, and forces it after `limit` seconds; returns its exit code."""
        if not self.popen:
            return None
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        return self.wait(limit)

    def wait(self, limit: float = 5.0) -> int:
        """Waits for its end; forces it after `limit` seconds. Returns its exit code."""
        assert self.popen
        try:
            return self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.popen.wait()

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        self.killed_at = time.monotonic()
        self.signal(signal.SIGKILL)
        if self.popen:
            self.popen.wait()

    def freeze(self) -> None:
        """SIGSTOP, and waits until it stands still."""
        self.signal(signal.SIGSTOP)
        stat = Path(f"/proc/{self.pid}/stat")
        wait_until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", 5, "frozen")

    def thaw(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    def resident_kb(self) -> int:
        """Its resident memory in kB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError(f"{self.title} has no resident memory")

    def log(self, whole: bool = False) -> str:
        """What it has written so far (its end, if that is long)."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return text if whole else text[-LOG_TAIL:]
