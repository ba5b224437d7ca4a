"""A network that swallows packets: hosts that go dark, links that fail in silence, IPv6.

Three nodes on hosts of their own, HAProxy and the agent on a fourth.
"""

from __future__ import annotations

import time
from typing import Callable

import pytest
from harness import MASTER, REPLICA, Cluster, Network, NoNetwork, Redis, Stage, healthy
from harness import wait_until

Measure = Callable[[str, float, float], None]
MakeCluster = Callable[..., Cluster]

INTERVAL = 0.2
TIMEOUT = 0.5
FALL = 3
TILT = 2.0


def make_network(stage: Stage, ipv6: bool = False) -> Network:
    """A network, or one line that says why there is none: that is a failure."""
    try:
        return Network(stage, ipv6)
    except NoNetwork as error:
        why = str(error)
    pytest.fail(why, pytrace=False)


@pytest.fixture
def network(stage: Stage) -> Network:
    """A network with nothing on it."""
    return make_network(stage)


@pytest.fixture
def placed(make_cluster: MakeCluster, network: Network) -> Cluster:
    """The usual stage on the network, with all well."""
    cluster = make_cluster(network=network)
    cluster.start()
    return cluster


def verdicts_of(cluster: Cluster, *names: str) -> list[dict[str, str]]:
    """The verdict lines about these nodes."""
    return [line for line in cluster.agent.verdicts() if line["node"] in names]


def master_offset(node: Redis) -> int:
    """How far the master's stream of changes is."""
    return int(node.info("replication")["master_repl_offset"])


def silence_of(replica: Redis) -> int:
    """How many seconds ago the replica heard of its master; it calls the link up all the same."""
    info = replica.info("replication")
    assert info["master_link_status"] == "up", info
    return int(info["master_last_io_seconds_ago"])


def test_master_goes_dark(placed: Cluster, network: Network, measured: Measure) -> None:
    """Its packets vanish: held, closed after three time-outs, open again once they come."""
    undisturbed = verdicts_of(placed, "b", "c")
    cut = time.monotonic()
    network.unplug(placed.a.place)
    placed.wait_answer(f"{MASTER}/a", "up # held: silent", limit=3)
    placed.wait_answer(f"{MASTER}/a", "down # unreachable", limit=10)
    took = time.monotonic() - cut
    assert took > FALL * TIMEOUT - 0.1, f"closed after {took:.3f} s: before three time-outs"
    measured("master dark to `down`", took, FALL * (TIMEOUT + INTERVAL))
    placed.wait_servers({f"{p}/a": "closed unreachable" for p in (MASTER, REPLICA)})
    assert verdicts_of(placed, "b", "c") == undisturbed
    for name in "bc":
        assert placed.agent.ask(f"{REPLICA}/{name}").startswith("up 100% # fresh")

    back = time.monotonic()
    network.plug(placed.a.place)
    placed.wait_answer(f"{MASTER}/a", "up # master")
    measured("dark master back to `up`", time.monotonic() - back, 1.0)
    placed.wait_servers(healthy("a", "b", "c"))
    assert verdicts_of(placed, "b", "c") == undisturbed


def test_replica_silently_cut_off(make_cluster: MakeCluster, network: Network) -> None:
    """Packets between a replica and its master vanish: Redis calls the link up for a minute."""
    grace = 2
    cluster = make_cluster(network=network, config={"shard": {"link_grace": f"{grace}s"}})
    cluster.start()
    writer = cluster.writer()
    cut = time.monotonic()
    network.part(cluster.a.place, cluster.c.place)
    cluster.wait_answer(f"{REPLICA}/c", "up 0% # link-down", limit=grace + 4)
    took = time.monotonic() - cut
    # The silence is counted from a probe that saw no progress, which may be the last one before.
    assert took > grace - INTERVAL, f"out of the pool {took:.3f} s after the cut"
    assert silence_of(cluster.c) >= grace
    cluster.wait_servers({**healthy("a", "b"), f"{REPLICA}/c": "drained link-down"})
    assert cluster.agent.ask(f"{MASTER}/c") == "stopped # replica of a"

    network.join(cluster.a.place, cluster.c.place)
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)
    assert not writer.failed, writer.failed
    writer.stop()
    wait_until(lambda: not writer.lost(cluster.c), 10, "c has all writes")


def test_idle_master_loses_no_replica(make_cluster: MakeCluster, network: Network) -> None:
    """Nothing but Redis' own pings, rarer than link_grace: silence alone is no fault."""
    cluster = make_cluster(network=network, config={"shard": {"link_grace": "1s"}})
    cluster.a.options["repl-ping-replica-period"] = "2"
    cluster.start()
    undisturbed = cluster.agent.verdicts()
    offsets: set[int] = set()
    silences: set[int] = set()

    def three_pings() -> bool:
        offsets.add(master_offset(cluster.a))
        silences.update((silence_of(cluster.b), silence_of(cluster.c)))
        return len(offsets) > 3

    wait_until(three_pings, 12, lambda: f"three pings of the master: {offsets}")
    assert max(silences) >= 1, f"silent for {max(silences)} s at most: this proves nothing"
    assert cluster.agent.verdicts() == undisturbed

    # The same silence with a reason: a ping that the master sent and the replica did not get.
    network.part(cluster.a.place, cluster.c.place)
    cluster.wait_answer(f"{REPLICA}/c", "up 0% # link-down")
    assert cluster.agent.ask(f"{REPLICA}/b").startswith("up 100% # fresh")
    # It would wait for c before it ends.
    cluster.a.kill()


def test_dark_host_at_the_start(
    make_cluster: MakeCluster, network: Network, measured: Measure
) -> None:
    """A host that is not there when the agent starts: ready in time, right about the others."""
    cluster = make_cluster(network=network)
    cluster.start_nodes()
    network.unplug(cluster.c.place)
    started = time.monotonic()
    cluster.agent.start()
    measured("ready with one dark host", time.monotonic() - started, 1.0)
    cluster.haproxy.start(wait=False)
    cluster.wait_answer(f"{MASTER}/a", "up # master")
    measured("the master's `up` with one dark host", time.monotonic() - started, 2.5)
    cluster.haproxy.wait_ready()
    gone = {f"{p}/c": "closed unreachable" for p in (MASTER, REPLICA)}
    cluster.wait_servers({**healthy("a", "b"), **gone})

    network.plug(cluster.c.place)
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)


def test_agent_cut_off(placed: Cluster, network: Network, measured: Measure) -> None:
    """All nodes silent at once: that is rather us. Held for `tilt`, closed, soon right again."""
    sampler = placed.sampler()
    healthy_answers = {q: placed.agent.ask(q) for q in healthy("a", "b", "c")}
    said: list[tuple[float, str]] = []
    cut = time.monotonic()
    network.unplug(placed.agent.place)

    def closed() -> bool:
        said.append((time.monotonic() - cut, placed.agent.ask(f"{MASTER}/a")))
        return said[-1][1].startswith("down")

    wait_until(closed, 10, lambda: f"closed: {said[-1]}")
    held = [at for at, answer in said if "agent-tilt" in answer]
    assert held, f"no agent-tilt: {dict((answer, at) for at, answer in said)}"
    assert said[-1][1] == "down # unreachable"
    assert said[-1][0] - held[0] > TILT - 0.1, f"held for {said[-1][0] - held[0]:.3f} s only"
    assert {answer for at, answer in said if at > held[0]} <= {
        "up # held: agent-tilt",
        "up # held: silent",
        "down # unreachable",
    }
    for query in healthy_answers:
        placed.wait_answer(query, "down # unreachable")

    back = time.monotonic()
    network.plug(placed.agent.place)
    for query, answer in healthy_answers.items():
        placed.wait_answer(query, answer)
    measured("agent's network back to all right", time.monotonic() - back, 1.0)
    placed.wait_servers(healthy("a", "b", "c"))
    assert sampler.samples and sampler.two_masters == 0


def test_ipv6(make_cluster: MakeCluster, stage: Stage) -> None:
    """The nodes have IPv6 addresses, in the agent's configuration and in HAProxy's."""
    cluster = make_cluster(network=make_network(stage, ipv6=True))
    cluster.start()
    assert cluster.a.address.startswith("[fd77::")
    assert cluster.agent.ask(f"{MASTER}/b") == "stopped # replica of a"
    writer = cluster.writer()
    wait_until(lambda: writer.ports_since(0) == {cluster.a.port}, 5, "writes reach the master")
    cluster.a.kill()
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    cluster.b.promote()
    cluster.c.replicate(cluster.b)
    cluster.wait_servers({f"{MASTER}/b": "open master", f"{REPLICA}/c": "open fresh"})
    assert cluster.agent.ask(f"{MASTER}/c") == "stopped # replica of b"
    promoted = time.monotonic()
    wait_until(lambda: writer.ports_since(promoted) == {cluster.b.port}, 5, "writes reach b")
