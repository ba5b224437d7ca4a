"""How fast and how costly the push is: `make bench`. Numbers stand beside their goals.

Machines differ: only what is ten times its goal fails the bench.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
# pylint: disable=wrong-import-position
from fake_redis import FakeNode, FakeNodes, History  # noqa: E402
from harness import (  # noqa: E402
    MASTER,
    REPLICA,
    Agent,
    HAProxy,
    HAProxyOptions,
    PushCluster,
    Redis,
    Stage,
    agent_config,
    fail_over,
    free_port,
    states,
    wait_until,
)
from harness.agent import default_binary  # noqa: E402
from harness.agent_config import value_text  # noqa: E402
from harness.haproxy_config import GLOBAL, backend  # noqa: E402

PUSH_ONLY = HAProxyOptions(guards=False, agent_inter="1h")


class Report:
    """Prints what was measured beside its goal, and remembers what is beyond all measure."""

    def __init__(self) -> None:
        self.bad: list[str] = []

    def add(self, what: str, value: float, goal: float, unit: str) -> None:
        """A goal of 0 must be met; any other may be missed by ten times."""
        mark = "ok" if value <= goal else "over the goal" if value <= 10 * goal else "FAILED"
        print(f"{value:10.3f} {unit:<4} (goal {goal:g} {unit})  {what}: {mark}", flush=True)
        if mark == "FAILED":
            self.bad.append(what)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def turn(nodes: Sequence[FakeNode]) -> tuple[FakeNode, FakeNode]:
    """The two nodes swap their roles; returns the new master and the old one."""
    new = next(node for node in nodes if node.master)
    old = new.master
    assert old
    new.history.turn()
    new.master, old.master = None, new
    new.replicas, old.replicas = 1, 0
    new.told = old.told = 0.0
    return new, old


def open_masters(haproxy: HAProxy) -> set[str]:
    """The servers of the master backend that take connections."""
    rows = [line.split(",") for line in haproxy.cli(f"show stat {MASTER} 4 -1").splitlines()[1:]]
    return {r[1] for r in rows if len(r) > 17 and r[17].startswith(("UP", "no check"))}


def is_swapped(haproxy: HAProxy, new: FakeNode) -> bool:
    """Whether HAProxy sends to the new master, and to it alone.

    HAProxy has two threads, and may change one row while it prints another: two are looked at again.
    """
    seen = open_masters(haproxy)
    if len(seen) > 1:
        print(f"{len(seen):10d}      servers up in one look; looked at again")
        seen = open_masters(haproxy)
    assert len(seen) < 2, "two masters are up"
    return seen == {new.name}


def time_swap(
    served: FakeNodes, nodes: Sequence[FakeNode], haproxy: HAProxy
) -> tuple[float, float]:
    """From the replies that showed the new roles to HAProxy's new state, in ms.

    First from the old master's last reply: that it follows the new one is the proof. Then from the
    moment at which both had answered once, for the agent may want to hear the old one again.
    """
    new, old = turn(nodes)
    while not (new.told and old.told):
        served.serve(1)
    both = max(new.told, old.told)
    while not is_swapped(haproxy, new):
        served.serve()
        assert time.perf_counter() - both < 5, "HAProxy was not told"
    now = time.perf_counter()
    return (now - old.told) * 1000, (now - both) * 1000


def time_bare(haproxy: HAProxy, name: str) -> float:
    """One `set server … agent up` and its answer; in ms."""
    started = time.perf_counter()
    haproxy.cli(f"set server {MASTER}/{name} agent up")
    return (time.perf_counter() - started) * 1000


def bench_latency(report: Report, binary: str, swaps: int) -> None:
    """Role known to HAProxy changed, over many swaps of two nodes."""
    history = History()
    nodes = [FakeNode(name, history) for name in "ab"]
    nodes[1].master, nodes[0].replicas = nodes[0], 1
    served = FakeNodes(nodes)
    with Stage() as stage:
        haproxy = HAProxy(stage, nodes, free_port(), PUSH_ONLY)
        # Its own checks would ask the nodes too, and be counted for the agent's.
        text = haproxy.config_path.read_text()
        haproxy.config_path.write_text(text.replace("default-server check ", "default-server "))
        haproxy.start()
        target = [{"socket": str(haproxy.socket_path)}]
        agent = Agent(stage, binary, lambda at: agent_config(nodes, at, haproxy=target))
        agent.start(wait=False)
        served.serve_for(1.5)
        assert agent.is_ready(), agent.log()
        times, whole, bare = [], [], []
        for _ in range(swaps):
            took, since_both = time_swap(served, nodes, haproxy)
            times.append(took)
            whole.append(since_both)
            bare.append(time_bare(haproxy, next(n.name for n in nodes if not n.master)))
            served.serve_for(0.03)
    median, base = statistics.median(times), statistics.median(bare)
    what = f"probe reply to HAProxy's state, {swaps} swaps"
    report.add(f"{what}, median", median, 1, "ms")
    report.add(f"{what}, p99", percentile(times, 0.99), 5, "ms")
    again = sum(value > 5 for value in whole)
    print(f"{again:10d}      of {swaps} swaps took another round of probes (10 ms) to be believed")
    print(f"{median / base:10.1f} x    a bare `set server … agent up` ({base:.3f} ms)")


def wait_promoted(new: Redis) -> float:
    """When the node first said role:master."""
    with new.client() as client:
        wait_until(lambda: "role:master" in client.call("INFO", "replication"), 10, "a promotion")
        return time.monotonic()


def longest_gap(moments: Sequence[float], start: float, end: float) -> float:
    """The longest time without an acknowledged write around a failover; in ms."""
    inside = [start, *(at for at in moments if start < at < end), end]
    return max(b - a for a, b in zip(inside, inside[1:])) * 1000


def bench_failover(report: Report, binary: str, times: int, reloads: bool) -> None:
    """Redis' own coordinated failover with a writer, and reloads."""
    with Stage() as stage:
        options = HAProxyOptions(master_worker=True, hard_stop_after="1s", ring=True)
        cluster = PushCluster(stage, binary, haproxy=options)
        cluster.start()
        writer, sampler = cluster.writer(), cluster.sampler(pause=0.002)
        old, new, gaps, pauses = cluster.a, cluster.b, [], []
        for _ in range(times):
            started = time.monotonic()
            fail_over(old, new)
            if reloads:
                cluster.haproxy.reload()
            promoted = wait_promoted(new)
            pauses.append((promoted - started) * 1000)
            cluster.wait_states_at(cluster.haproxy, states(new.name, old.name, "c"))
            wait_for(0.6)
            moments = [write.at for write in writer.acknowledged]
            gaps.append(longest_gap(moments, promoted, time.monotonic()))
            for node in (old, cluster.c):
                node.wait_linked()
            old, new = new, old
        writer.stop()
        what = f"{times} coordinated failovers" + (", each with a reload" if reloads else "")
        writes = len(writer.acknowledged)
        report.add(f"{what}: acknowledged writes lost of {writes}", len(writer.lost(old)), 0, "")
        if not reloads:
            report.add(f"{what}: samples with two servers up", sampler.two_masters, 0, "")
        # Redis answers the writes that it held with READONLY, and holds them for about 300 ms.
        print(f"{len(writer.failed):10d}      writes refused or held too long, {what}")
        print(f"{percentile(pauses, 0.9):10.3f} ms   Redis' own pause, p90, {what}")
        p90 = percentile(gaps, 0.9)
        report.add(f"{what}: longest gap after the promotion, p90", p90, 150, "ms")


def wait_for(seconds: float) -> None:
    """Lets the writer write for that long."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5, "time to pass")


def processor_seconds(pid: int) -> float:
    """The processor time of a process, from its scheduler's statistics."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def many_config(shards: Sequence[Sequence[FakeNode]], socket: Path) -> str:
    """A HAProxy with a master and a replica backend for each shard."""
    text = GLOBAL.format(socket=socket, level="admin", hard_stop_after="30s", ring="")
    agent = f"agent-check agent-addr 127.0.0.1 agent-port {free_port()} agent-inter 1h"
    for i, nodes in enumerate(shards):
        for name, role in ((f"master{i}", "master"), (f"replica{i}", "slave")):
            servers = [f"server {n.name} {n.address}" for n in nodes]
            text += backend(name, role, agent, servers, "")
    return text.replace("default-server check ", "default-server ")


def many_settings(shards: Sequence[Sequence[FakeNode]], sockets: Sequence[Path]) -> str:
    """The agent's configuration for them."""
    groups = [
        {"name": f"s{i}", "nodes": [{"name": n.name, "address": n.address} for n in nodes]}
        for i, nodes in enumerate(shards)
    ]
    pools = [
        {"backend": f"{role}{i}", "shard": f"s{i}", "role": role}
        for i in range(len(shards))
        for role in ("master", "replica")
    ]
    settings: dict[str, object] = {"shards": groups, "pools": pools}
    if sockets:
        settings["haproxy"] = [{"socket": str(path)} for path in sockets]
    return "".join(f"{key} = {value_text(value)};\n" for key, value in settings.items())


def agent_load(
    stage: Stage,
    binary: str,
    served: FakeNodes,
    settings: str,
    seconds: float,
    haproxies: Sequence[HAProxy] = (),
) -> float:
    """The percentage of a core that an agent with these settings needs."""
    agent = Agent(stage, binary, lambda _: settings)
    agent.start(wait=False)
    served.serve_for(3)
    assert agent.is_ready(), agent.log()
    before, started = processor_seconds(agent.pid), time.monotonic()
    served.serve_for(seconds)
    load = (processor_seconds(agent.pid) - before) / (time.monotonic() - started) * 100
    assert "haproxy_mismatch" not in agent.log(), agent.log()
    for haproxy in haproxies:
        marks = sorted(server["agent_health"] for server in haproxy.stat().values())
        assert marks == ["0"] * 50 + ["1"] * 50, f"{haproxy.title} was not told: {marks}"
    agent.stop()
    return load


def bench_reconcile(report: Report, binary: str, seconds: float) -> None:
    """A thousand server lines over ten HAProxies, nothing happens."""
    shards = []
    for i in range(25):
        history = History()
        pair = [FakeNode(f"n{i}{name}", history) for name in "ab"]
        pair[1].master, pair[0].replicas = pair[0], 1
        shards.append(pair)
    served = FakeNodes([node for nodes in shards for node in nodes])
    with Stage() as stage:
        some = shards[0]
        haproxies = [
            HAProxy(stage, some, free_port(), PUSH_ONLY, f"haproxy{i}")
            for i in range(10)
        ]
        for haproxy in haproxies:
            haproxy.config_path.write_text(many_config(shards, haproxy.socket_path))
            haproxy.start()
        with_push = many_settings(shards, [h.socket_path for h in haproxies])
        load = agent_load(stage, binary, served, with_push, seconds, haproxies)
    with Stage() as stage:
        base = agent_load(stage, binary, served, many_settings(shards, []), seconds)
    print(f"{base:10.3f} %    the agent without a HAProxy, 50 nodes probed each 200 ms")
    report.add("1,000 servers over 10 HAProxies reconciled", load - base, 2, "%")


def main() -> int:
    """Runs the benches that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=default_binary())
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--failovers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("only", nargs="*", choices=["latency", "failover", "reconcile", []])
    options = parser.parse_args()
    binary, report = str(Path(options.agent).resolve()), Report()
    wanted = options.only or ["latency", "failover", "reconcile"]
    if "latency" in wanted:
        bench_latency(report, binary, options.swaps)
    if "failover" in wanted:
        bench_failover(report, binary, options.failovers, False)
        bench_failover(report, binary, max(1, options.failovers // 4), True)
    if "reconcile" in wanted:
        bench_reconcile(report, binary, options.seconds)
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
