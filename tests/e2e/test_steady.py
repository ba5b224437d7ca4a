"""With nothing changing: no new connection, no growth. LONG=1 takes ten minutes for it."""

from __future__ import annotations

import os
import time
from typing import Callable

from harness import BACKENDS, Cluster, Redis, wait_until

MakeCluster = Callable[..., Cluster]
SECONDS = 600 if os.environ.get("LONG") else 6
GROWTH_KB = 64


def connections(node: Redis) -> int:
    """How many connections the node has accepted, but for the one that asks."""
    return int(node.info("stats")["total_connections_received"])


def descriptors(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def ask_all(cluster: Cluster) -> None:
    """One agent-check of each server line."""
    for pool in BACKENDS:
        for name in cluster.nodes:
            assert cluster.agent.ask(f"{pool}/{name}")


def test_nothing_grows(make_cluster: MakeCluster) -> None:
    """Thousands of polls and agent-checks: one connection a node, and the same memory."""
    cluster = make_cluster(config={"shard": {"interval": "10ms"}})
    cluster.start_nodes()
    cluster.agent.start()
    cluster.wait_answer("bk_redis_master/a", "up # master")
    warm = time.monotonic()
    while time.monotonic() - warm < 1.5:
        ask_all(cluster)

    nodes = list(cluster.nodes.values())
    before = [connections(node) for node in nodes]
    polls = int(cluster.a.info("stats")["total_commands_processed"])
    memory, files = cluster.agent.resident_kb(), descriptors(cluster.agent.pid)
    started = time.monotonic()
    while time.monotonic() - started < SECONDS:
        ask_all(cluster)
        time.sleep(0.02)
    # The question itself is one connection a node.
    made = [connections(node) - was for node, was in zip(nodes, before)]
    done = int(cluster.a.info("stats")["total_commands_processed"]) - polls
    assert done > SECONDS * 40, f"only {done} commands: this proves nothing"
    assert made[1:] == [1, 1] and made[0] == 2, f"new connections to the nodes: {made}"
    wait_until(lambda: descriptors(cluster.agent.pid) <= files, 5, "no descriptor leaks")
    grown = cluster.agent.resident_kb() - memory
    assert grown <= GROWTH_KB, f"resident memory grew by {grown} kB from {memory} kB"


def test_one_connection_for_all(cluster: Cluster) -> None:
    """However many pools ask, each node has one connection from the agent."""
    for node in cluster.nodes.values():
        clients = [
            line
            for line in node.call("CLIENT", "LIST", "TYPE", "normal").splitlines()
            if "cmd=client" not in line
        ]
        named = [line for line in clients if " name=redis-role-agent" in line]
        assert len(named) == 1, clients
