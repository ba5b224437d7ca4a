"""The stage of the push: an agent that tells any number of HAProxies, and what is done to it."""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import replace
from typing import Any, Mapping

from .cluster import MASTER, Cluster, healthy
from .haproxy import HAProxy, Server, socket_path
from .haproxy_config import HAProxyOptions
from .process import Stage, free_port, wait_until
from .redis import Redis
from .watch import Sampler

PUSH = {"reconcile_interval": "1s", "fence_wait": "100ms"}


class PushCluster(Cluster):
    """The same with an agent that pushes, to any number of HAProxies.

    Without `pull` HAProxy asks a port that nobody listens on, and asks seldom.
    """

    def __init__(
        self,
        stage: Stage,
        binary: str,
        pull: bool = False,
        haproxies: int = 1,
        haproxy: HAProxyOptions = HAProxyOptions(),
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.pull = pull
        ring = {"events": "events"} if haproxy.ring else {}
        names = ["haproxy", *(f"haproxy{i}" for i in range(2, haproxies + 1))]
        sockets = [{"socket": str(socket_path(stage, name)), **ring} for name in names]
        if not pull:
            haproxy = replace(haproxy, guards=False, agent_inter="1h")
        options = {"haproxy": sockets, "push": PUSH, **(config or {})}
        super().__init__(stage, binary, config=options, haproxy=haproxy)
        nodes = list(self.nodes.values())
        more = [HAProxy(stage, nodes, self.agent_port(), haproxy, name) for name in names[1:]]
        self.haproxies = [self.haproxy, *more]

    def agent_port(self) -> int:
        return self.agent.port if self.pull else free_port()

    def start(self) -> None:
        """Starts everything, and waits until every HAProxy shows that all is well."""
        self.start_nodes()
        for haproxy in self.haproxies:
            haproxy.start()
        self.agent.start()
        self.wait_states("a", "b", "c")

    def wait_states(self, master: str, *replicas: str, limit: float = 10.0) -> None:
        """Waits until the servers of every HAProxy are as they should be with these nodes."""
        for haproxy in self.haproxies:
            self.wait_states_at(haproxy, states(master, *replicas), limit)

    def wait_states_at(
        self, haproxy: HAProxy, expected: Mapping[str, str], limit: float = 10.0
    ) -> None:
        """Waits until the servers of one HAProxy are open or closed as expected."""

        def look() -> bool:
            stat = haproxy.stat()
            return all(is_closed(stat[n]) == (want == "closed") for n, want in expected.items())

        def told() -> str:
            lines = [f"{s} (expected {expected.get(n)})" for n, s in haproxy.stat().items()]
            return f"{haproxy.title}:\n" + "\n".join(lines)

        wait_until(look, limit, told)


def states(master: str, *replicas: str) -> dict[str, str]:
    """As healthy(), but without reasons: they are the agent-check's."""
    return {name: text.split()[0] for name, text in healthy(master, *replicas).items()}


def is_closed(server: Server) -> bool:
    """Whether it takes no new connections, by its mark or by its weight."""
    return server.state != "open"


def swap(cluster: PushCluster, old: Redis, new: Redis, other: Redis) -> float:
    """A planned change of master by REPLICAOF; returns when the old one became a replica."""
    new.promote()
    old.replicate(new, wait=False)
    at = time.monotonic()
    other.replicate(new, wait=False)
    return at


def fail_over(old: Redis, new: Redis) -> float:
    """Redis' own coordinated failover; returns when it was asked for."""
    at = time.monotonic()
    assert old.call("FAILOVER", "TO", "127.0.0.1", new.port) == "OK"
    return at


class LogWitness:
    """Watches the agent's log from now on, for words that come up."""

    def __init__(self, cluster: PushCluster, words: str) -> None:
        self.log, self.words = cluster.agent.log_path, words
        self.start = self.log.stat().st_size
        self.at = 0.0
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        end = time.monotonic() + 10
        while not self.at and time.monotonic() < end:
            with self.log.open("rb") as file:
                file.seek(self.start)
                if self.words.encode() in file.read():
                    self.at = time.monotonic()
            time.sleep(0.0005)

    def wait(self) -> float:
        """Waits for the words; returns when they were there."""
        self.thread.join()
        assert self.at, f"{self.words!r} in the agent's log"
        return self.at


class IdleSession:
    """A client that keeps a connection through HAProxy's master port, and says nothing."""

    def __init__(self, haproxy: HAProxy) -> None:
        self.socket = socket.create_connection(("127.0.0.1", haproxy.ports.master))
        self.socket.sendall(b"PING\r\n")
        assert self.socket.recv(100) == b"+PONG\r\n"

    def is_alive(self) -> bool:
        """Whether nobody has cut it."""
        return not select.select([self.socket], [], [], 0)[0]

    def wait_cut(self, limit: float = 10.0) -> float:
        """Waits until it is cut; returns when."""
        readable, _, _ = select.select([self.socket], [], [], limit)
        at = time.monotonic()
        assert readable, f"the session was not cut within {limit} s"
        try:
            assert self.socket.recv(100) == b""
        except ConnectionResetError:
            pass
        self.socket.close()
        return at


def assert_old_before_new(sampler: Sampler, old: str, new: str, since: float) -> None:
    """Never were two masters up, and the old one was seen closed before the new one open."""

    def moment(name: str, state: str) -> float:
        found = [c[0] for c in sampler.changes if c[0] >= since and c[1:] == (name, state)]
        return found[0] if found else 0.0

    opened = wait_until(lambda: moment(f"{MASTER}/{new}", "open"), 5, f"{new} seen open")
    closed = moment(f"{MASTER}/{old}", "closed")
    assert closed and closed <= opened, sampler.changes
    assert sampler.two_masters == 0, sampler.changes
