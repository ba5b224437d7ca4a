"""The agent dies or hangs: it must not be worse than none, and its return must not be noticed."""

from __future__ import annotations

import time
from typing import Callable

import pytest
from harness import BACKENDS, MASTER, Cluster, HAProxyOptions, Writer, healthy, wait_until

Measure = Callable[[str, float, float], None]
MakeCluster = Callable[..., Cluster]


def silence(cluster: Cluster, way: str) -> None:
    """The agent dies, or hangs with its port open."""
    if way == "killed":
        cluster.agent.kill()
    else:
        cluster.agent.freeze()


def wait_guards(cluster: Cluster) -> None:
    """Waits until HAProxy has seen that the agent is silent."""
    wait_until(
        lambda: cluster.haproxy.server("be_agent/agent").state == "closed",
        15,
        "HAProxy's guard sees that the agent is silent",
    )


def wait_heard(cluster: Cluster) -> None:
    """Waits until every check of HAProxy's that asks the agent has been answered again."""

    def look() -> bool:
        servers = cluster.haproxy.stat()
        guard = servers["be_agent/agent"]["check_status"]
        six = [s["agent_status"] for s in servers.values() if s.backend in BACKENDS]
        return guard == "L7OK" and all(status in ("L7OK", "L7STS") for status in six)

    wait_until(look, 10, lambda: f"all heard: {[str(s) for s in cluster.haproxy.stat().values()]}")


def wait_writes_at(writer: Writer, port: int, after: float) -> float:
    """Waits for the first write that was acknowledged by the node at `port`."""

    def look() -> float:
        return next((w.at for w in writer.since(after) if w.port == port), 0.0)

    return wait_until(look, 20, lambda: f"a write at port {port}: {writer.failed[-3:]}")


def test_killed_and_restarted_is_not_noticed(cluster: Cluster) -> None:
    """SIGKILL and a restart: no server changes, no write fails, no connection is cut."""
    writer, kept = cluster.writer(), cluster.writer(keep=True)
    before = cluster.haproxy.changes()
    logged = cluster.haproxy.log()
    six = {name: state for name, state in before.items() if not name.startswith("be_agent")}
    for _ in range(3):
        cluster.agent.kill()
        dead = time.monotonic()
        wait_until(lambda: time.monotonic() - dead > 0.5, 5, "a few checks without an agent")
        cluster.agent.start()
        wait_heard(cluster)
    after = cluster.haproxy.changes()
    assert {name: after[name] for name in six} == six
    assert cluster.haproxy.log() == logged, "HAProxy logged a change"
    assert not writer.failed, writer.failed
    assert not kept.failed, kept.failed


def test_stopped_cleanly_and_restarted_is_not_noticed(cluster: Cluster) -> None:
    """SIGTERM ends it at once with exit code 0, and the servers stay as they are."""
    before = {n: s for n, s in cluster.haproxy.changes().items() if n.startswith("bk_redis")}
    assert cluster.agent.stop() == 0
    cluster.agent.start()
    cluster.wait_servers(healthy("a", "b", "c"))
    assert {name: cluster.haproxy.changes()[name] for name in before} == before


@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_silent_agent_then_dead_master(cluster: Cluster, way: str, measured: Measure) -> None:
    """No agent, then a failover: the guard lines hand over to HAProxy's own checks."""
    writer = cluster.writer()
    silence(cluster, way)
    wait_guards(cluster)
    before = len(writer.failed)
    assert before == 0, "the master was well: no write may fail because the agent is silent"
    cluster.a.kill()
    cluster.b.promote()
    promoted = time.monotonic()
    cluster.c.replicate(cluster.b, wait=False)
    took = wait_writes_at(writer, cluster.b.port, promoted) - promoted
    measured(f"agent {way}, promotion to the first write by the guards", took, 4.0)
    if way == "stopped":
        cluster.agent.thaw()
        cluster.wait_servers({f"{MASTER}/b": "open master", f"{MASTER}/a": "closed"}, limit=15)
        wait_writes_at(writer, cluster.b.port, time.monotonic())


def test_agent_and_master_die_together(cluster: Cluster, measured: Measure) -> None:
    """Both at once: writes are back when HAProxy has given up on the agent."""
    writer = cluster.writer()
    cluster.agent.kill()
    cluster.a.kill()
    cluster.b.promote()
    promoted = time.monotonic()
    took = wait_writes_at(writer, cluster.b.port, promoted) - promoted
    measured("agent and master killed, promotion to the first write", took, 4.0)


def test_without_the_guards_writes_stop(make_cluster: MakeCluster) -> None:
    """The proof that the guard lines are what helps: without them nobody is ever open."""
    cluster = make_cluster(haproxy=HAProxyOptions(guards=False))
    cluster.start()
    writer = cluster.writer()
    cluster.agent.kill()
    cluster.a.kill()
    cluster.b.promote()
    promoted = time.monotonic()
    wait_until(lambda: time.monotonic() - promoted > 5, 10, "5 s")
    assert not writer.since(promoted), "HAProxy opened b without an agent: are guards needed?"


def test_agent_that_closes_on_purpose_keeps_the_floor_shut(cluster: Cluster) -> None:
    """While the agent lives, the floor backend is never used: a returned master stays shut."""
    cluster.a.save()
    cluster.a.kill()
    cluster.wait_servers({f"{MASTER}/a": "closed unreachable"})
    cluster.b.promote()
    cluster.wait_servers({f"{MASTER}/b": "open master"})
    cluster.b.kill()
    cluster.wait_servers({f"{MASTER}/b": "closed unreachable"})
    cluster.a.start()
    cluster.wait_servers({f"{MASTER}/a": "closed returned-master"})
    wait_until(lambda: cluster.haproxy.server("bk_floor/a").state == "open", 5, "the floor's a")
    writer = Writer(cluster.haproxy.ports.master)
    for _ in range(3):
        writer.step()
    assert not writer.acknowledged, "the floor let a write through that the agent forbids"
