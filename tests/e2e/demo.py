#!/usr/bin/python3
"""`make demo`: a failover on this machine, told by everybody who takes part in it.

Starts three Redis nodes, three Sentinels, HAProxy and the agent on 127.0.0.1, writes through
HAProxy, kills the master, and prints who said what at which millisecond. Ends all it started.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import MASTER, REPLICA, Cluster, MissingProgram, Process, Redis  # noqa: E402
from harness import Sentinel, Stage, Writer, find_program, healthy  # noqa: E402
from harness.agent import default_binary  # noqa: E402
from harness.timeline import (  # noqa: E402
    AgentWitness,
    Event,
    RoleWitness,
    SentinelWitness,
    Timeline,
    WriterWitness,
    haproxy_witness,
)
from harness.watch import Background  # noqa: E402

DOWN_AFTER_MS = 1000
LIMIT = 30.0

PICTURE = """
  clients --> HAProxy --> the Redis node that is the master
                 ^             ^
                 |             |  each node's role, 5 times a second
                 +--- redis-role-agent: up, down, and why
"""

COLOURS = {"good": "32", "bad": "31", "sentinel": "33", "bold": "1", "dim": "2"}


def paint(text: str, mood: str) -> str:
    """The text in the mood's colour, on a terminal that may have colour."""
    colour = COLOURS.get(mood)
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain or not colour else f"\033[{colour}m{text}\033[0m"


def say(text: str = "", mood: str = "") -> None:
    """Prints a line at once."""
    print(paint(text, mood), flush=True)


class Demo:
    """One failover from start to end."""

    def __init__(self, stage: Stage, binary: str) -> None:
        self.stage = stage
        self.cluster = Cluster(stage, binary)
        self.nodes = list(self.cluster.nodes.values())
        self.names = {node.port: node.name for node in self.nodes}
        self.sentinels = [
            Sentinel(stage, f"sentinel-{number}", self.cluster.a, 2, DOWN_AFTER_MS)
            for number in (1, 2, 3)
        ]
        self.timeline = Timeline()
        self.writer = Writer(self.cluster.haproxy.ports.master)
        self.killed_at = 0.0

    def run(self) -> bool:
        """The whole story; true if the failover was seen through."""
        self.introduce()
        self.start()
        self.watch()
        self.kill()
        new = self.follow()
        self.conclude(new)
        return new is not None

    def introduce(self) -> None:
        """Says what will run, and where."""
        haproxy = self.cluster.haproxy
        say("redis-role-agent: a failover, as everybody sees it", "bold")
        say(PICTURE)
        a, b, c = (node.port for node in self.nodes)
        say(f"  redis     a 127.0.0.1:{a} (master), b :{b} and c :{c} (replicas)")
        ports = " ".join(f":{sentinel.port}" for sentinel in self.sentinels)
        say(f"  sentinel  {ports}, quorum 2, down-after {DOWN_AFTER_MS} ms")
        say(f"  haproxy   writes 127.0.0.1:{haproxy.ports.master}, reads :{haproxy.ports.replica}")
        say(f"  agent     answers agent-checks at {self.cluster.agent.listen}")
        say()

    def start(self) -> None:
        """Starts everything, and waits until all is well."""
        started = time.monotonic()
        self.cluster.start()
        for sentinel in self.sentinels:
            sentinel.start(wait=False)
        self.stage.add(self.writer)
        self.writer.start()
        for sentinel in self.sentinels:
            sentinel.wait_ready()
            sentinel.wait_informed(replicas=2, sentinels=2)
        say(f"All is well after {time.monotonic() - started:.1f} s. HAProxy's own words:", "bold")
        self.show_servers()
        say(f"  {len(self.writer.acknowledged)} writes so far, all of them taken by a.")
        say()

    def show_servers(self) -> None:
        """The six servers as HAProxy's statistics have them."""
        for name, shown in sorted(self.cluster.servers().items()):
            state, _, words = shown.partition(" ")
            mood = "good" if state == "open" else "dim"
            say(f"    {name:<20} " + paint(f"{state.upper():<8}", mood) + f" {words}"[:50])

    def watch(self) -> None:
        """Sets a witness to everybody."""
        witnesses: list[Background] = [AgentWitness(self.timeline, self.cluster.agent)]
        witnesses += [RoleWitness(self.timeline, node, self.names) for node in self.nodes]
        witnesses += [SentinelWitness(self.timeline, s, self.names) for s in self.sentinels]
        for witness in witnesses:
            self.stage.add(witness)
            witness.start()
        self.cluster.sampler().on_change = haproxy_witness(self.timeline)
        WriterWitness(self.timeline, self.writer, self.names)
        time.sleep(0.3)  # so that the witnesses have seen how it was before

    def kill(self) -> None:
        """The master dies."""
        master = self.cluster.a
        say("Now the master dies.", "bold")
        say(paint("      ms  who         what", "dim"))
        self.killed_at = time.monotonic()
        self.timeline.tell(self.killed_at, "you", "kill -9: redis a, the master, is dead", "bad")
        master.kill()

    def follow(self) -> Redis | None:
        """Prints what happens until all is well again; returns the new master."""
        end = self.killed_at + LIMIT
        while time.monotonic() < end:
            new = self.settled()
            self.print_events(self.timeline.take())
            if new:
                time.sleep(0.2)
                self.print_events(self.timeline.take(everything=True))
                return new
            time.sleep(0.02)
        self.print_events(self.timeline.take(everything=True))
        return None

    def settled(self) -> Redis | None:
        """The new master, once HAProxy and all Sentinels agree about it and it takes writes."""
        servers = self.cluster.servers()
        for new, other in ((self.nodes[1], self.nodes[2]), (self.nodes[2], self.nodes[1])):
            expected = healthy(new.name, other.name)
            right = all(servers[n].startswith(w) for n, w in expected.items())
            if right and self.timeline.first(f"write {new.name}"):
                if all(s.master()["port"] == str(new.port) for s in self.sentinels):
                    return new
        return None

    def print_events(self, events: list[Event]) -> None:
        """One line each, at most 80 columns."""
        for event in events:
            ms = round((event.at - self.killed_at) * 1000)
            say(f"  {ms:>6}  {event.who:<11} " + paint(event.what[:58], event.mood))

    def conclude(self, new: Redis | None) -> None:
        """The numbers."""
        say()
        if not new:
            say(f"The failover was not seen through within {LIMIT:g} s.", "bad")
            for title, text in self.stage.logs():
                say(f"--- {title}", "bold")
                say(text[-1500:])
            return
        say("All is well again:", "bold")
        self.show_servers()
        say()
        self.writer.stop()
        name = new.name
        said = self.timeline.first(f"role:{name}") or self.killed_at
        say(f"From the moment when {name} first said role:master ", "bold")
        write = f"write {name}"
        self.number("the agent says up", [f"agent up {MASTER}/{name}"], said)
        # Its statistics are read every few milliseconds: a write may tell of it a moment before.
        self.number("HAProxy's server is UP", [f"haproxy open {MASTER}/{name}", write], said)
        self.number("the first write is acknowledged", [write], said)
        self.number("Sentinel announces it (+switch-master)", ["+switch-master"], said)
        say("  HAProxy's own check of the role, once a second, has the last word on UP.", "dim")
        say()
        self.count(new)

    def number(self, what: str, moments: list[str], since: float) -> None:
        """One measured time: the earliest of some moments."""
        seen = [at for moment in moments if (at := self.timeline.first(moment))]
        text = f"{(min(seen) - since) * 1000:7.0f} ms" if seen else "not seen"
        say(f"  {what:<42}" + paint(f"{text:>12}", "bold"))

    def count(self, new: Redis) -> None:
        """What became of the writes."""
        done, failed = len(self.writer.acknowledged), len(self.writer.failed)
        lost = self.writer.lost(new)
        before = sum(w.at <= self.killed_at + 0.01 for w in self.writer.acknowledged)
        say(f"Writes: {done} acknowledged ({before} before the kill), {failed} failed while there")
        say(f"was no master, {len(lost)} lost. (Redis copies to its replicas a moment after it has")
        say("acknowledged: what was on its way when the master died is lost in any case.)")

    def how_to_stop(self) -> None:
        """With --keep: where everything is, and how to end it."""
        running = [t for t in self.stage.things if isinstance(t, Process) and t.is_running()]
        say()
        say("Everything is left running:", "bold")
        for process in running:
            say(f"  {process.title:<18} pid {process.pid}")
        haproxy, folder = self.cluster.haproxy, self.stage.folder
        say(f"  write      redis-cli -p {haproxy.ports.master} set key value")
        say(f"  ask        echo {MASTER}/b | nc 127.0.0.1 {self.cluster.agent.port}")
        say(f"  read       {REPLICA} at 127.0.0.1:{haproxy.ports.replica}")
        say(f"  HAProxy    {haproxy.config_path}")
        say(f"             {haproxy.socket_path} (runtime socket)")
        say(f"  agent      {self.cluster.agent.config_path}")
        say(f"  logs       {folder}/*/log")
        say(f"  revive a   redis-server {self.cluster.a.folder}/redis.conf")
        pids = " ".join(str(process.pid) for process in running)
        say("To end it all:", "bold")
        say(f"  kill {pids}")
        say(f"  rm -r {folder}")


def check_programs(binary: str) -> str:
    """What is missing, as one sentence; empty if nothing is."""
    try:
        for name in ("redis-server", "redis-sentinel", "haproxy", "setpriv"):
            find_program(name)
    except MissingProgram as error:
        return str(error)
    return "" if shutil.which(binary) else f"no program {binary}: `make` builds it"


def end_early(number: int, _: object) -> None:
    """A signal ends the demo like Ctrl-C, so that everything is cleaned up."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def guarded(stage: Stage, story: Callable[[], bool]) -> int:
    """Runs the story; whatever happens, returns an exit code."""
    try:
        return 0 if story() else 1
    except KeyboardInterrupt:
        stage.keep = False
        say("\nStopped.", "bad")
        return 130
    except Exception as error:
        stage.keep = False
        say(f"\nThe demo failed: {error}", "bad")
        return 1


def main() -> int:
    """Runs the demo; 0 only if the failover was seen through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=default_binary(), help="the redis-role-agent to show")
    keep = os.environ.get("KEEP", "") not in ("", "0")
    parser.add_argument("--keep", action="store_true", default=keep, help="leave it all running")
    options = parser.parse_args()
    binary = str(Path(options.agent).resolve())
    if missing := check_programs(binary):
        print(f"demo: {missing}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_early)

    stage = Stage()
    stage.keep = options.keep
    try:
        demo = Demo(stage, binary)
        code = guarded(stage, demo.run)
        if stage.keep:
            demo.writer.stop()
            demo.how_to_stop()
        return code
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes = sum(isinstance(thing, Process) for thing in stage.things)
        stage.close()
        if not stage.keep:
            say(f"Cleaned up: {processes} processes ended, {stage.folder} removed.", "dim")


if __name__ == "__main__":
    sys.exit(main())
