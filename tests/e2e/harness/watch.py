"""Those who watch from outside: a client that writes, and a sampler of HAProxy's servers."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import dataclass
from typing import Callable

from .haproxy import HAProxy, Server
from .redis import Redis
from .resp import RespClient, RespError

# How long a client waits. HAProxy tries a server that has just died again for seconds.
PATIENCE = 0.5


@dataclass
class Write:
    """One acknowledged write, and the port of the node that took it."""

    value: int
    at: float
    port: int


class Background:
    """Threads (one, mostly) that repeat `step` until they are stopped."""

    def __init__(self, pause: float, threads: int = 1) -> None:
        self.pause = pause
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Starts them."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Ends them; calling it again does nothing."""
        self.ended.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(10)

    def step(self) -> None:
        """What is repeated."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self.ended.wait(self.pause * random.uniform(0.5, 1.5)):
            self.step()


class Writer(Background):
    """Writes numbers through HAProxy's master port and notes which ones were acknowledged.

    Each write opens a connection of its own; with `keep` it keeps the connection while it works.
    In the same round it asks the node for its port: that is who got the traffic. Several threads
    write at once, for one write may hang: HAProxy holds it back while there is no master.
    """

    def __init__(self, port: int, password: str = "", keep: bool = False) -> None:
        super().__init__(pause=0.03, threads=1 if keep else 10)
        self.port = port
        self.password = password
        self.keep = keep
        self.values = itertools.count(1)
        self.acknowledged: list[Write] = []
        self.failed: list[tuple[float, str]] = []
        self.on_write: Callable[[Write], None] = lambda _: None
        self.on_failure: Callable[[float, str], None] = lambda _at, _why: None
        self.kept: RespClient | None = None

    def step(self) -> None:
        client = self.kept
        self.kept = None
        try:
            client = client or RespClient(self.port, self.password, timeout=PATIENCE)
            write = self._write(client)
            self.acknowledged.append(write)
            self.on_write(write)
            if self.keep:
                self.kept, client = client, None
        except (OSError, RespError) as error:
            self.failed.append((time.monotonic(), str(error) or type(error).__name__))
            self.on_failure(*self.failed[-1])
        finally:
            if client:
                client.close()

    def stop(self) -> None:
        super().stop()
        if self.kept:
            self.kept.close()

    def _write(self, client: RespClient) -> Write:
        value = next(self.values)
        client.send(("RPUSH", "e2e:writes", value), ("CONFIG", "GET", "port"))
        client.read()
        at = time.monotonic()
        return Write(value, at, int(client.read()[1]))

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
