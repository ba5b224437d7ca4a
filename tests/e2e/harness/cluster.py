"""The usual stage: three nodes, HAProxy over them, and the agent."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .agent import Agent
from .agent_config import agent_config
from .haproxy import HAProxy
from .haproxy_config import HAProxyOptions
from .network import Network
from .place import LOOPBACK
from .process import Stage, wait_until
from .redis import Redis
from .watch import Sampler, Writer

MASTER = "bk_redis_master"
REPLICA = "bk_redis_slave"
BACKENDS = (MASTER, REPLICA)
NAMES = ("a", "b", "c")


def healthy(master: str, *replicas: str) -> dict[str, str]:
    """How all is well: for each server its state and the agent's reason."""
    expected = {f"{MASTER}/{master}": "open master", f"{REPLICA}/{master}": "closed master"}
    for name in replicas:
        expected |= {f"{MASTER}/{name}": "closed replica", f"{REPLICA}/{name}": "open fresh"}
    return expected


class Cluster:
    """Three nodes a, b and c (a is the master at first), HAProxy and the agent.

    On a network each node has a host of its own, and HAProxy shares one with the agent.
    """

    def __init__(
        self,
        stage: Stage,
        binary: str,
        password: str = "",
        config: Mapping[str, Any] | None = None,
        network: Network | None = None,
        haproxy: HAProxyOptions = HAProxyOptions(),
    ) -> None:
        self.stage = stage
        places = {name: network.host(name) if network else LOOPBACK for name in (*NAMES, "agent")}
        self.nodes = {name: Redis(stage, name, password, places[name]) for name in NAMES}
        self.a, self.b, self.c = self.nodes.values()
        options = dict(config or {})
        self.agent = Agent(stage, binary, lambda listen: self.agent_text(listen, options))
        self.haproxy = HAProxy(stage, list(self.nodes.values()), self.agent_port(), haproxy)
        self.agent.place = self.haproxy.place = places["agent"]

    def agent_port(self) -> int:
        """Where HAProxy asks the agent."""
        return self.agent.port

    def agent_text(self, listen: Sequence[str], options: Mapping[str, Any]) -> str:
        """The agent's configuration."""
        return agent_config(list(self.nodes.values()), listen, **options)

    def start_nodes(self) -> None:
        """Starts the nodes: a is the master, the others have its data."""
        for node in self.nodes.values():
            node.start(wait=False)
        for node in self.nodes.values():
            node.wait_ready()
        for node in (self.b, self.c):
            node.replicate(self.a, wait=False)
        for node in (self.b, self.c):
            node.wait_linked()
        wait_until(
            lambda: self.a.call("INFO", "replication").count("state=online") == 2,
            20,
            "the master streams to both replicas",
        )

    def start(self) -> None:
        """Starts everything, and waits until HAProxy shows that all is well."""
        self.start_nodes()
        self.agent.start()
        self.haproxy.start()
        self.wait_servers(healthy("a", "b", "c"))

    def servers(self) -> dict[str, str]:
        """The six servers as HAProxy shows them: state, and the agent's words."""
        return {
            name: f"{server.state} {server.words}"
            for name, server in self.haproxy.stat().items()
            if server.backend in BACKENDS
        }

    def wait_servers(self, expected: Mapping[str, str], limit: float = 10.0) -> None:
        """Waits until each named server is as expected: `state reason`."""

        def look() -> bool:
            servers = self.servers()
            return all(is_as(servers[name], wanted) for name, wanted in expected.items())

        def told() -> str:
            stat = self.haproxy.stat()
            lines = [f"{stat[name]}   (expected {want})" for name, want in expected.items()]
            return "these servers:\n" + "\n".join(lines)

        wait_until(look, limit, told)

    def wait_answer(self, query: str, expected: str, limit: float = 10.0) -> str:
        """Waits until the agent's answer to `query` contains `expected`; returns it."""
        answer = ""

        def look() -> bool:
            nonlocal answer
            answer = self.agent.ask(query)
            return expected in answer

        wait_until(look, limit, lambda: f"{query} answered {answer!r}, expected {expected!r}")
        return answer

    def writer(self, keep: bool = False) -> Writer:
        """A writer at HAProxy's master port, already at work."""
        writer = Writer(self.haproxy.ports.master, self.a.password, keep)
        self.stage.add(writer)
        with self.haproxy.place.enter():
            writer.start()
        wait_until(lambda: len(writer.acknowledged) >= 5, 10, lambda: f"writes: {writer.failed}")
        return writer

    def sampler(self, haproxy: HAProxy | None = None, pause: float = 0.003) -> Sampler:
        """A sampler of HAProxy's servers, already at work."""
        sampler = Sampler(haproxy or self.haproxy, pause)
        self.stage.add(sampler)
        sampler.start()
        wait_until(lambda: sampler.samples, 10, "a first sample")
        return sampler


def is_as(shown: str, wanted: str) -> bool:
    """Whether `closed replica of a` is as `closed replica` wants it: state, then the reason."""
    state, _, reason = wanted.partition(" ")
    shown_state, _, words = shown.partition(" ")
    return shown_state == state and (not reason or reason in words.split())
