"""The push to two HAProxies of which one hangs."""

from __future__ import annotations

import time
from typing import Callable

from harness import MASTER, IdleSession, PushCluster, states, swap, wait_until

Measure = Callable[[str, float, float], None]
MakePush = Callable[..., PushCluster]


def test_one_of_two_hangs(make_push: MakePush, measured: Measure) -> None:
    """The other one is switched when fence_wait is over; the hung one is right when it returns."""
    cluster = make_push(haproxies=2)
    cluster.start()
    well, hung = cluster.haproxies
    samplers = [cluster.sampler(haproxy, 0.001) for haproxy in cluster.haproxies]
    hung.freeze()
    session = IdleSession(well)
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    measured("push: one of two hangs, session at the other cut", session.wait_cut() - at, 0.05)
    cluster.wait_states_at(well, {f"{MASTER}/b": "open"})
    measured("push: one of two hangs, the other is switched", time.monotonic() - at, 0.2)
    assert time.monotonic() - at >= 0.08, "it did not wait for the one that hangs"
    cluster.wait_states_at(well, states("b", "a", "c"))

    hanging = time.monotonic()
    wait_until(lambda: time.monotonic() - hanging > 1.5, 5, "the agent has given up on it")
    hung.thaw()
    thawed = time.monotonic()
    cluster.wait_states_at(hung, states("b", "a", "c"))
    measured("push: the hung HAProxy is right when it returns", time.monotonic() - thawed, 0.2)
    assert [s.two_masters for s in samplers] == [0, 0], [s.changes for s in samplers]


def test_changes_while_one_hangs(make_push: MakePush, measured: Measure) -> None:
    """What goes on while the others wait for one that hangs does not hold them up for longer."""
    push = {"reconcile_interval": "5s", "fence_wait": "300ms"}
    cluster = make_push(haproxies=2, config={"push": push})
    cluster.start()
    well, hung = cluster.haproxies
    hung.freeze()
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    while time.monotonic() - at < 0.2:
        cluster.c.promote()
        cluster.c.replicate(cluster.b, wait=False)
    cluster.wait_states_at(well, {f"{MASTER}/a": "closed", f"{MASTER}/b": "open"})
    measured("push: switched beside one that hangs", time.monotonic() - at, 0.4)
    assert time.monotonic() - at < 1.0, "it waited for the batch's time-out"
    assert "does not do" not in cluster.agent.log(whole=True)
    # At the end too: the one that hangs is given up on, the other one is let go.
    assert cluster.agent.stop() == 0
    assert not any(state & 4 for state in well.agent_states().values())


def test_both_well(make_push: MakePush, measured: Measure) -> None:
    """Nobody hangs: both are switched at once, and no HAProxy opens before both have closed."""
    cluster = make_push(haproxies=2)
    cluster.start()
    samplers = [cluster.sampler(haproxy, 0.0005) for haproxy in cluster.haproxies]
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    cluster.wait_states("b", "a", "c")
    measured("push: two HAProxies switched", time.monotonic() - at, 0.1)

    def moment(index: int, name: str, state: str) -> float:
        changes = samplers[index].changes
        return next((c[0] for c in changes if c[1:] == (f"{MASTER}/{name}", state)), 0.0)

    for i in (0, 1):
        wait_until(lambda i=i: moment(i, "b", "open"), 5, "b seen open")
    assert [s.two_masters for s in samplers] == [0, 0], [s.changes for s in samplers]
    for sampler in samplers:
        sampler.stop()
    requests = int(cluster.haproxy.info()["CumReq"])
    idle = time.monotonic()
    wait_until(lambda: time.monotonic() - idle > 1.5, 5, "1.5 s in which nothing happens")
    assert int(cluster.haproxy.info()["CumReq"]) - requests <= 10, "they make each other work"
