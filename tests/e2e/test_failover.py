"""The master changes, dies, hangs, returns: who gets the writes, and what HAProxy is told."""

from __future__ import annotations

import time
from typing import Callable

import pytest
from harness import MASTER, REPLICA, Cluster, Redis, Sentinel, Stage, Writer, healthy, wait_until

Measure = Callable[[str, float, float], None]


def promote_by_hand(new: Redis, *others: Redis) -> float:
    """What an operator does after the master died; returns when the new one was told."""
    new.promote()
    at = time.monotonic()
    for other in others:
        other.replicate(new, wait=False)
    return at


def wait_writes(writer: Writer, node: Redis, after: float) -> float:
    """Waits for the first write that `node` acknowledged after that moment; returns when."""

    def look() -> float:
        return next((w.at for w in writer.since(after) if w.port == node.port), 0.0)

    return wait_until(look, 15, lambda: f"a write at {node.name}; failed: {writer.failed[-3:]}")


def test_swap_by_replicaof(cluster: Cluster, measured: Measure) -> None:
    """A planned swap: the new master takes over, at no moment are two servers open."""
    writer, sampler = cluster.writer(), cluster.sampler()
    started = time.monotonic()
    # The new master's `up` is held back for as long as HAProxy may believe in the old one; how
    # long that is the agent must first learn from the rhythm of its questions.
    wait_until(lambda: time.monotonic() - started > 1.5, 5, "a few agent-checks")
    cluster.b.promote()
    swapped = time.monotonic()
    cluster.a.replicate(cluster.b, wait=False)
    took = wait_writes(writer, cluster.b, swapped) - swapped
    # Only now: a replica that follows the new master would be a reason of its own to admit it.
    cluster.c.replicate(cluster.b, wait=False)
    cluster.wait_servers(healthy("b", "a", "c"))
    measured("swap by REPLICAOF to the first write at the new master", took, 1.5)
    assert sampler.two_masters == 0, sampler.changes
    assert "handed-over" in cluster.agent.log(), "the log says why b was admitted"


def test_kill_with_sentinel(stage: Stage, cluster: Cluster, measured: Measure) -> None:
    """SIGKILL, Sentinel promotes: the agent admits the descendant before Sentinel announces it."""
    sentinel = Sentinel(stage, "sentinel", cluster.a)
    sentinel.start()
    sentinel.wait_informed()
    writer, sampler = cluster.writer(), cluster.sampler()
    cluster.a.kill()

    def promoted() -> Redis | None:
        nodes = (cluster.b, cluster.c)
        return next((n for n in nodes if n.info("replication")["role"] == "master"), None)

    new = wait_until(promoted, 20, lambda: f"a promotion:\n{sentinel.log()}")
    seen = time.monotonic()
    took = wait_writes(writer, new, cluster.a.killed_at) - seen
    other = cluster.c if new is cluster.b else cluster.b
    dead = {f"{p}/a": "closed unreachable" for p in (MASTER, REPLICA)}
    cluster.wait_servers({**healthy(new.name, other.name), **dead}, limit=15)
    measured("promotion by Sentinel to the first write", max(took, 0.0), 1.5)
    reasons = [v for v in cluster.agent.verdicts() if v.get("node") == new.name]
    assert "promoted-early" in cluster.agent.log(), reasons
    assert sampler.two_masters == 0, sampler.changes


def test_kill_without_promotion(cluster: Cluster) -> None:
    """SIGKILL and nobody promotes: the port refuses; the restarted master is let in after 2 s."""
    cluster.a.save()
    cluster.a.kill()
    gone = {
        f"{MASTER}/a": "closed unreachable",
        f"{MASTER}/b": "closed replica",
        f"{MASTER}/c": "closed replica",
        f"{REPLICA}/b": "open orphan",
        f"{REPLICA}/c": "open orphan",
    }
    cluster.wait_servers(gone)
    writer = Writer(cluster.haproxy.ports.master)
    for _ in range(3):
        writer.step()
    assert not writer.acknowledged, "no master: the port must refuse"
    assert all(at for at, _ in writer.failed)

    returned = time.monotonic()
    cluster.a.start()
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)
    assert time.monotonic() - returned >= 1.8, "a restarted master waits to be confirmed"
    assert "restarted-master" in cluster.agent.log()


def test_killed_master_is_unreachable_at_once(cluster: Cluster, measured: Measure) -> None:
    """A refused connection needs no time-out, whatever the interval."""
    cluster.a.kill()
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    measured("kill to `down # unreachable`", time.monotonic() - cluster.a.killed_at, 0.05)


def test_promoted_node_is_master_at_once(cluster: Cluster, measured: Measure) -> None:
    """After the master's death a promotion is seen in the transition's rhythm.

    Only the dead one's refusal says that nobody writes there, so `up` need not wait.
    """
    cluster.a.kill()
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    at = promote_by_hand(cluster.b, cluster.c)
    cluster.wait_answer(f"{MASTER}/b", "up #")
    measured("promotion to `up`", time.monotonic() - at, 0.05)


def test_frozen_master_is_held_then_unreachable(cluster: Cluster) -> None:
    """SIGSTOP: the last word is repeated below three time-outs, then it is down; SIGCONT heals."""
    cluster.a.freeze()
    frozen = time.monotonic()
    held = cluster.wait_answer(f"{MASTER}/a", "held")
    assert held.startswith("up ") and "silent" in held, held
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    assert time.monotonic() - frozen >= 1.0, "down before the time-outs could have passed"
    cluster.wait_servers({f"{MASTER}/a": "closed unreachable"})
    cluster.a.thaw()
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)


@pytest.mark.parametrize("way", ["restarted", "thawed"])
def test_returned_master_gets_no_traffic(cluster: Cluster, way: str) -> None:
    """The old master comes back as a master beside the promoted one: it stays shut."""
    cluster.a.save()
    writer = cluster.writer()
    if way == "restarted":
        cluster.a.kill()
    else:
        cluster.a.freeze()
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    at = promote_by_hand(cluster.b, cluster.c)
    wait_writes(writer, cluster.b, at)
    cluster.wait_servers({f"{MASTER}/b": "open master"})

    sampler = cluster.sampler()
    if way == "restarted":
        cluster.a.start()
    else:
        cluster.a.thaw()
    returned = time.monotonic()
    cluster.wait_servers(
        {f"{MASTER}/a": "closed returned-master", f"{REPLICA}/a": "closed"}, limit=15
    )
    # Long enough for HAProxy's own checks, once a second, to call the old master fit.
    wait_until(lambda: time.monotonic() - returned > 2.5, 5, "2.5 s of writes")
    assert writer.ports_since(returned) == {cluster.b.port}
    assert sampler.two_masters == 0, sampler.changes
    writer.stop()
    # What the old master had acknowledged, and not yet passed on, died with it: not our matter.
    assert set(writer.lost(cluster.b)).isdisjoint(w.value for w in writer.since(at))
    check = cluster.haproxy.server(f"{MASTER}/a")["check_status"]
    assert check.endswith("L7OK"), f"HAProxy's own check says {check}: this proves nothing"


def test_second_master_gets_no_traffic(cluster: Cluster) -> None:
    """A slip of the hand makes a replica a master beside the living one: it stays shut."""
    writer, sampler = cluster.writer(), cluster.sampler()
    cluster.c.promote()
    slipped = time.monotonic()
    cluster.wait_servers({f"{MASTER}/a": "open master", f"{MASTER}/c": "closed second-master"})
    wait_until(lambda: time.monotonic() - slipped > 2.5, 5, "2.5 s of writes")
    assert writer.ports_since(slipped) == {cluster.a.port}
    assert sampler.two_masters == 0, sampler.changes
    cluster.c.replicate(cluster.a)
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)


def test_kept_connections_are_cut_when_the_master_is_demoted(cluster: Cluster) -> None:
    """A client that keeps its connection does not stay on the demoted node."""
    writer = cluster.writer(keep=True)
    cluster.b.promote()
    swapped = time.monotonic()
    cluster.a.replicate(cluster.b, wait=False)
    wait_writes(writer, cluster.b, swapped)
    wait_until(
        lambda: cluster.haproxy.server(f"{MASTER}/a")["scur"] == "0", 5, "no session left on a"
    )
