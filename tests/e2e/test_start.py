"""The start: how soon the six server lines are right, and what must not delay it."""

from __future__ import annotations

import time
from typing import Callable

from harness import MASTER, REPLICA, Agent, Cluster, Redis, Stage, healthy, wait_until

Measure = Callable[[str, float, float], None]
MakeCluster = Callable[..., Cluster]


def test_six_servers_right_within_a_second(make_cluster: MakeCluster, measured: Measure) -> None:
    """Agent and HAProxy start together; HAProxy shows each state, with the reason in last_agt."""
    cluster = make_cluster()
    cluster.start_nodes()
    started = time.monotonic()
    cluster.agent.start(wait=False)
    cluster.haproxy.start(wait=False)
    cluster.haproxy.wait_ready()
    cluster.wait_servers(healthy("a", "b", "c"))
    measured("start of agent and HAProxy to six right servers", time.monotonic() - started, 1.0)

    servers = cluster.haproxy.stat()
    assert servers[f"{MASTER}/a"]["last_agt"] == "via agent : up (master)"
    assert servers[f"{MASTER}/b"]["last_agt"].startswith("via agent : stopped (replica")
    assert servers[f"{MASTER}/b"]["status"] == "DOWN (agent)"
    assert servers[f"{MASTER}/b"]["agent_health"] == "0"
    assert servers[f"{REPLICA}/b"]["last_agt"].startswith("via agent : up (fresh")
    assert servers[f"{REPLICA}/b"]["agent_health"] == "1"
    assert servers[f"{REPLICA}/a"]["last_agt"].startswith("via agent : stopped (master")


def test_answers_are_whole_lines(cluster: Cluster) -> None:
    """Each answer is one short line with state, weight where it is ours, and the reason."""
    assert cluster.agent.ask(f"{MASTER}/a").startswith("up # master")
    assert cluster.agent.ask(f"{MASTER}/b") == "stopped # replica of a"
    assert cluster.agent.ask(f"{REPLICA}/b").startswith("up 100% # fresh")
    assert cluster.agent.ask(f"{REPLICA}/a").startswith("stopped # master")
    assert cluster.agent.ask("agent").startswith("up")
    assert cluster.agent.ask(f"{MASTER}/nobody") == ""


def test_hung_node_does_not_delay_the_start(make_cluster: MakeCluster, measured: Measure) -> None:
    """A node that accepts and never answers: ready all the same, and right about the others.

    Who is the master is only said when the hung node is given up: it could be one, too.
    """
    cluster = make_cluster()
    cluster.start_nodes()
    cluster.c.freeze()
    started = time.monotonic()
    cluster.agent.start()
    measured("ready with one hung node", time.monotonic() - started, 1.0)
    cluster.wait_answer(f"{MASTER}/a", "up # master")
    measured("the master's `up` with one hung node", time.monotonic() - started, 2.5)
    for name, words in {"a": "stopped # master", "b": "up 100% # fresh"}.items():
        cluster.wait_answer(f"{REPLICA}/{name}", words)
    cluster.wait_answer(f"{MASTER}/b", "stopped # replica of a")
    cluster.wait_answer(f"{MASTER}/c", "down # unreachable")
    cluster.wait_answer(f"{REPLICA}/c", "down # unreachable")
    cluster.c.thaw()
    cluster.wait_answer(f"{REPLICA}/c", "up 100% # fresh")


def test_dead_node_is_a_fact_and_no_start_error(make_cluster: MakeCluster) -> None:
    """A node that refuses connections: ready, and it is unreachable."""
    cluster = make_cluster()
    cluster.start_nodes()
    cluster.c.kill()
    cluster.agent.start()
    cluster.haproxy.start()
    expected = healthy("a", "b") | {
        f"{MASTER}/c": "closed unreachable",
        f"{REPLICA}/c": "closed unreachable",
    }
    cluster.wait_servers(expected)


def test_no_node_at_all(make_cluster: MakeCluster) -> None:
    """With every node dead the agent starts, and finds them when they come."""
    cluster = make_cluster()
    cluster.agent.start()
    cluster.haproxy.start()
    cluster.wait_answer(f"{MASTER}/a", "down # unreachable")
    cluster.start_nodes()
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)


def test_nodes_from_the_command_line(stage: Stage, binary: str) -> None:
    """`run --node` watches nodes without a file, as the pools `master` and `replica`."""
    a, b = Redis(stage, "a"), Redis(stage, "b")
    a.start()
    b.start()
    b.replicate(a)
    agent = Agent(
        stage,
        binary,
        arguments=lambda listen: ["--node", a.address, "--node", b.address, "--listen", listen],
    )
    agent.start()
    expected = {
        f"master/{a.address}": "up # master",
        f"master/{b.address}": "stopped # replica",
        f"replica/{b.address}": "up 100% # fresh",
    }
    for query, answer in expected.items():
        wait_until(lambda: agent.ask(query).startswith(answer), 5, f"{query}: {answer}")
    assert agent.stop() == 0
