"""The demo's witnesses: each watches one party and reports what it sees, with the time.

They report to one Timeline, which brings the reports into order and hands them on as lines. A
witness knows its party and nothing of the others.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Mapping

from .agent import Agent, parse_verdicts
from .haproxy import Server
from .redis import Redis, Sentinel
from .resp import RespClient, RespError, parse_info
from .watch import Background, Write, Writer

# Reports that are younger than this wait for others that may have happened before them.
SETTLE = 0.08
SENTINEL_EVENTS = {
    "+sdown": "I cannot reach it",
    "+odown": "we agree that it is down",
    "+selected-slave": "this one shall take over",
    "+promoted-slave": "it has taken over",
    "+switch-master": "announced to all",
}


@dataclass(order=True)
class Event:
    """Something that happened: when, who tells it, what, and whether it is good news."""

    at: float
    who: str = field(compare=False)
    what: str = field(compare=False)
    mood: str = field(compare=False, default="")


class Timeline:
    """Collects events from many threads, and gives them out in the order of their times."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: list[Event] = []
        self.firsts: dict[str, float] = {}

    def tell(self, at: float, who: str, what: str, mood: str = "", first: str = "") -> None:
        """Reports an event. `first` names a moment of which the earliest is remembered."""
        with self.lock:
            self.waiting.append(Event(at, who, what, mood))
            if first:
                self.firsts[first] = min(at, self.firsts.get(first, at))

    def take(self, everything: bool = False) -> list[Event]:
        """The events that nothing can precede any more."""
        border = time.monotonic() - (0 if everything else SETTLE)
        with self.lock:
            ripe = sorted(event for event in self.waiting if event.at <= border)
            self.waiting = [event for event in self.waiting if event.at > border]
        return ripe

    def first(self, name: str) -> float | None:
        """When the named moment was first seen."""
        with self.lock:
            return self.firsts.get(name)


class RoleWitness(Background):
    """Asks one node for its role each millisecond."""

    def __init__(self, timeline: Timeline, node: Redis, names: Mapping[int, str]) -> None:
        super().__init__(0.001)
        self.timeline, self.node, self.names = timeline, node, names
        self.client: RespClient | None = None
        self.last = ""

    def step(self) -> None:
        known = self.client
        try:
            self.client = self.client or self.node.client()
            info = parse_info(self.client.call("INFO", "replication"))
        except (OSError, RespError):
            self._close()
            # A connection may end though the node lives: Sentinel cuts all of those it promotes.
            if not known:
                self._note("gone: it refuses connections", "bad")
            return
        if info["role"] == "master":
            self._note("says role:master", "good", f"role:{self.node.name}")
        else:
            link = "up" if info["master_link_status"] == "up" else "down"
            master = self.names.get(int(info["master_port"]), "?")
            self._note(f"replica of {master}, link {link}", "good" if link == "up" else "")

    def stop(self) -> None:
        super().stop()
        self._close()

    def _note(self, what: str, mood: str, first: str = "") -> None:
        if self.last and what != self.last:
            self.timeline.tell(time.monotonic(), f"redis {self.node.name}", what, mood, first)
        self.last = what

    def _close(self) -> None:
        if self.client:
            self.client.close()
            self.client = None


class SentinelWitness(Background):
    """Subscribes to one Sentinel's events."""

    def __init__(self, timeline: Timeline, sentinel: Sentinel, names: Mapping[int, str]) -> None:
        super().__init__(0)
        self.timeline, self.sentinel, self.names = timeline, sentinel, names
        self.client = RespClient(sentinel.port, timeout=60)
        self.client.call("PSUBSCRIBE", "*")

    def step(self) -> None:
        try:
            _, _, event, words = self.client.read()
        except (OSError, ValueError):
            self.ended.set()
            return
        if event in SENTINEL_EVENTS:
            self._tell(event, words)

    def _tell(self, event: str, words: str) -> None:
        at = time.monotonic()
        ports = [int(port) for port in re.findall(r"127\.0\.0\.1 (\d+)", words)]
        nodes = [self.names.get(port, str(port)) for port in ports]
        text = " -> ".join(nodes) if event == "+switch-master" else nodes[0]
        who = self.sentinel.name.replace("-", " ")
        text = f"{event + ' ' + text:<22} {SENTINEL_EVENTS[event]}"
        self.timeline.tell(at, who, text, "sentinel", event)

    def stop(self) -> None:
        # The thread waits in a read: only the end of its connection wakes it.
        self.ended.set()
        try:
            self.client.socket.shutdown(2)
        except OSError:
            pass
        super().stop()
        self.client.close()


class AgentWitness(Background):
    """Follows the agent's log."""

    def __init__(self, timeline: Timeline, agent: Agent) -> None:
        super().__init__(0.001)
        self.timeline = timeline
        self.file = agent.log_path.open("r", errors="replace")
        self.file.seek(0, 2)
        self.rest = ""

    def step(self) -> None:
        at = time.monotonic()
        *lines, self.rest = (self.rest + self.file.read()).split("\n")
        for verdict in parse_verdicts("\n".join(lines)):
            self._tell(at, verdict)

    def _tell(self, at: float, verdict: Mapping[str, str]) -> None:
        name = f"{verdict['pool']}/{verdict['node']}"
        was, now, why = verdict["was"], verdict["is"], verdict["reason"]
        change = f"{was} -> {now}" if was != now else now
        change += ", held" if "held" in verdict else ""
        mood = "good" if now == "up" else "bad" if now == "down" else ""
        self.timeline.tell(at, "agent", f"{name:<18} {change} ({why})", mood, f"agent {now} {name}")


def haproxy_witness(timeline: Timeline) -> Callable[[float, Server], None]:
    """What a Sampler is to call at each change of a server."""

    def tell(at: float, server: Server) -> None:
        if not server.backend.startswith("bk_redis"):
            return
        name = f"{server.backend}/{server.name}"
        mood = {"open": "good", "closed": "bad"}.get(server.state, "")
        text = f"{name:<18} {server.state.upper()}"
        timeline.tell(at, "haproxy", text, mood, f"haproxy {server.state} {name}")

    return tell


class WriterWitness:
    """Tells when a writer's luck turns: its writes fail, or another node takes them."""

    def __init__(self, timeline: Timeline, writer: Writer, names: Mapping[int, str]) -> None:
        self.timeline, self.names = timeline, names
        self.node = ""
        self.failing = False
        writer.on_write = self.wrote
        writer.on_failure = self.failed

    def wrote(self, write: Write) -> None:
        """A write was acknowledged."""
        node = self.names.get(write.port, "?")
        if self.failing or (self.node and node != self.node):
            text = f"writes again, acknowledged by {node}"
            self.timeline.tell(write.at, "writer", text, "good", f"write {node}")
        self.node, self.failing = node, False

    def failed(self, at: float, _: str) -> None:
        """A write failed."""
        if not self.failing:
            self.timeline.tell(at, "writer", "its writes fail: nobody is the master", "bad")
        self.failing = True
