"""Those who watch from outside: a client that writes, and a sampler of HAProxy's servers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable

from .haproxy import HAProxy, Server
from .redis import Redis
from .resp import RespClient, RespError


@dataclass
class Write:
    """One acknowledged write, and the port of the node that took it."""

    value: int
    at: float
    port: int


class Background:
    """A thread that repeats `step` until it is stopped."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self.thread.start()

    def stop(self) -> None:
        """Ends the thread; calling it again does nothing."""
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join(10)

    def step(self) -> None:
        """What is repeated."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self.ended.wait(self.pause):
            self.step()


class Writer(Background):
    """Writes numbers through HAProxy's master port and notes which ones were acknowledged.

    Each write opens a connection of its own; with `keep` it keeps the connection while it works.
    In the same round it asks the node for its port: that is who got the traffic.
    """

    def __init__(
        self, port: int, password: str = "", keep: bool = False, pause: float = 0.004
    ) -> None:
        super().__init__(pause)
        self.port = port
        self.password = password
        self.keep = keep
        self.next_value = 0
        self.acknowledged: list[Write] = []
        self.failed: list[tuple[float, str]] = []
        self.on_write: Callable[[Write], None] = lambda _: None
        self.client: RespClient | None = None

    def step(self) -> None:
        self.next_value += 1
        try:
            self.client = self.client or RespClient(self.port, self.password, timeout=2)
            write = self._write(self.client)
            self.acknowledged.append(write)
            self.on_write(write)
        except (OSError, RespError) as error:
            self.failed.append((time.monotonic(), str(error) or type(error).__name__))
            self._drop()
        if not self.keep:
            self._drop()

    def stop(self) -> None:
        super().stop()
        self._drop()

    def _write(self, client: RespClient) -> Write:
        client.send(("RPUSH", "e2e:writes", self.next_value), ("CONFIG", "GET", "port"))
        client.read()
        at = time.monotonic()
        return Write(self.next_value, at, int(client.read()[1]))

    def _drop(self) -> None:
        if self.client:
            self.client.close()
            self.client = None

    def since(self, moment: float) -> list[Write]:
        """The writes acknowledged after that moment."""
        return [write for write in list(self.acknowledged) if write.at > moment]

    def ports_since(self, moment: float) -> set[int]:
        """The nodes' ports that took writes after that moment."""
        return {write.port for write in self.since(moment)}

    def lost(self, master: Redis) -> list[int]:
        """The acknowledged values that the master does not have."""
        kept = set(map(int, master.call("LRANGE", "e2e:writes", 0, -1)))
        return [write.value for write in list(self.acknowledged) if write.value not in kept]


class Sampler(Background):
    """Reads HAProxy's servers again and again, and notes each change of a server's state."""

    def __init__(self, haproxy: HAProxy, pause: float = 0.003) -> None:
        super().__init__(pause)
        self.haproxy = haproxy
        self.last: dict[str, str] = {}
        self.changes: list[tuple[float, str, str]] = []
        self.two_masters = 0
        self.samples = 0
        self.on_change: Callable[[float, Server], None] = lambda _at, _server: None

    def step(self) -> None:
        try:
            servers = self.haproxy.stat()
        except OSError:
            return
        at = time.monotonic()
        self.samples += 1
        masters = [s for s in servers.values() if s.backend == "bk_redis_master"]
        self.two_masters += sum(s.state == "open" for s in masters) > 1
        for name, server in servers.items():
            if self.last.get(name) != server.state:
                if name in self.last:
                    self.changes.append((at, name, server.state))
                    self.on_change(at, server)
                self.last[name] = server.state
