"""The push over the runtime socket alone: nobody answers HAProxy's agent-checks."""

from __future__ import annotations

import time
from collections import Counter
from typing import Callable

from harness import (
    BACKENDS,
    HAProxyOptions,
    IdleSession,
    LogWitness,
    MASTER,
    PushCluster,
    assert_old_before_new,
    fail_over,
    healthy,
    swap,
    wait_until,
)

Measure = Callable[[str, float, float], None]
MakePush = Callable[..., PushCluster]


def test_alone_it_does_all(make_push: MakePush, measured: Measure) -> None:
    """Six servers right at the start; then two planned changes of master, never two masters up."""
    cluster = make_push()
    cluster.start_nodes()
    cluster.haproxy.start()
    started = time.monotonic()
    cluster.agent.start(wait=False)
    cluster.wait_states("a", "b", "c")
    wait_until(lambda: set(cluster.haproxy.marks().values()) == {"0", "1"}, 5, "marks")
    measured("push: start of the agent to all six servers right", time.monotonic() - started, 1.0)

    sampler, session = cluster.sampler(pause=0.0005), IdleSession(cluster.haproxy)
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    measured("push: REPLICAOF to the session on the old master cut", session.wait_cut() - at, 0.3)
    cluster.wait_states("b", "a", "c")
    measured("push: REPLICAOF to all six servers right", time.monotonic() - at, 0.5)
    assert_old_before_new(sampler, "a", "b", at - 0.5)

    for node in (cluster.a, cluster.c):
        node.wait_linked()
    session = IdleSession(cluster.haproxy)
    at = fail_over(cluster.b, cluster.a)
    session.wait_cut()
    cluster.wait_states("a", "b", "c")
    measured("push: FAILOVER to all six servers right", time.monotonic() - at, 1.0)
    assert_old_before_new(sampler, "b", "a", at)


def test_session_is_cut_at_the_verdict(make_push: MakePush, measured: Measure) -> None:
    """Many long sessions on a demoted master end within 50 ms of the verdict."""
    cluster = make_push()
    cluster.start()
    sessions = [IdleSession(cluster.haproxy) for _ in range(50)]
    witness = LogWitness(cluster, f"pool={MASTER} node=a was=up")
    swap(cluster, cluster.a, cluster.b, cluster.c)
    cut = max(session.wait_cut() for session in sessions)
    measured("push: verdict to 50 sessions cut", max(cut - witness.wait(), 0.0), 0.05)


def test_with_pull_too_nothing_flaps(make_push: MakePush) -> None:
    """Agent-checks each 50 ms and the push agree: in four failovers servers change as it means."""
    cluster = make_push(pull=True, haproxy=HAProxyOptions(agent_inter="50ms"))
    cluster.start()
    sampler = cluster.sampler(pause=0.001)
    before, meant = downs(cluster), closings(cluster)
    for old, new in ((cluster.a, cluster.b), (cluster.b, cluster.a)) * 2:
        swap(cluster, old, new, cluster.c)
        cluster.wait_servers(healthy(new.name, old.name, "c"))
        settled = time.monotonic()
        wait_until(lambda: time.monotonic() - settled > 0.5, 5, "ten more agent-checks")
        for node in (old, cluster.c):
            node.wait_linked()
    after = downs(cluster)
    extra = {n: after[n] - before[n] - closings(cluster)[n] + meant[n] for n in after}
    # An answer to an agent-check that is on its way when the push comes is taken after it.
    assert sum(extra.values()) <= 2 and max(extra.values()) <= 1, extra
    assert sampler.two_masters == 0, sampler.changes


def closings(cluster: PushCluster) -> Counter[str]:
    """How often the agent meant to close each server, by its log."""
    closed = (v for v in cluster.agent.verdicts() if v["was"] == "up" and v["is"] != "up")
    return Counter(f"{v['pool']}/{v['node']}" for v in closed)


def downs(cluster: PushCluster) -> dict[str, int]:
    """How often each server of the pools went down."""
    stat = cluster.haproxy.stat().items()
    return {name: int(s["chkdown"]) for name, s in stat if s.backend in BACKENDS}
