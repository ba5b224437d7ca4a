"""The read pool: a replica that lost its master's link, a node that loads, the last resort."""

from __future__ import annotations

import signal
from typing import Callable

import pytest
from harness import MASTER, REPLICA, Cluster, Redis, RespClient, Sentinel, Stage, healthy
from harness import wait_until

MakeCluster = Callable[..., Cluster]

# Slow enough to be seen: 4,000 keys at 0.5 ms, and the server answers between every few of them.
SLOW_LOAD = {"key-load-delay": "500", "loading-process-events-interval-bytes": "1024"}


def fill(node: Redis) -> None:
    """Gives a node enough data to take its time when it loads."""
    script = "for i = 1, 4000 do redis.call('SET', 'key:' .. i, string.rep('x', 100)) end"
    node.call("EVAL", script, 0)


def restart_loading(node: Redis) -> None:
    """The node restarts and is loading its data for about two seconds."""
    node.options |= SLOW_LOAD
    node.wait_loaded = False
    node.start()
    assert node.info("persistence")["loading"] == "1", "the load is too quick to be seen"


def wait_loaded(node: Redis) -> None:
    """Waits until the node serves."""
    wait_until(lambda: node.info("persistence")["loading"] == "0", 30, f"{node.name} loaded")


def test_replica_without_link(make_cluster: MakeCluster) -> None:
    """The master no longer lets one replica in: after link_grace it gets no new connections."""
    cluster = make_cluster(config={"shard": {"link_grace": "1s"}})
    cluster.c.options |= {"masteruser": "link", "masterauth": "pass"}
    cluster.a.options["user"] = "link on >pass ~* &* +@all"
    cluster.start()

    cluster.a.call("ACL", "SETUSER", "link", "off")
    cluster.a.call("CLIENT", "KILL", "USER", "link")
    cluster.wait_answer(f"{REPLICA}/c", "link-grace", limit=3)
    cluster.wait_answer(f"{REPLICA}/c", "up 0% # link-down")
    cluster.wait_servers({**healthy("a", "b"), f"{REPLICA}/c": "drained link-down"})

    cluster.a.call("ACL", "SETUSER", "link", "on")
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)
    assert cluster.haproxy.server(f"{REPLICA}/c")["weight"] != "0"


def test_loading_replica(cluster: Cluster) -> None:
    """A replica that restarts is shut while it loads, and open when it has caught up."""
    fill(cluster.a)
    wait_until(lambda: cluster.c.call("DBSIZE") >= 4000, 10, "c has the data")
    cluster.c.save()
    cluster.c.kill()
    cluster.wait_answer(f"{REPLICA}/c", "unreachable")
    cluster.c.options |= {"replicaof": f"127.0.0.1 {cluster.a.port}"}
    restart_loading(cluster.c)
    cluster.wait_servers({f"{REPLICA}/c": "closed not-serving", f"{MASTER}/c": "closed"}, limit=5)
    cluster.wait_servers(healthy("a", "b", "c"), limit=30)


def test_loading_master_at_the_start(make_cluster: MakeCluster) -> None:
    """An agent that starts while the master loads: it is shut, and open once it serves."""
    cluster = make_cluster()
    cluster.start_nodes()
    fill(cluster.a)
    cluster.a.save()
    cluster.a.kill()
    cluster.a.options |= {"key-load-delay": "1500"}
    restart_loading(cluster.a)
    cluster.agent.start()
    cluster.haproxy.start()
    cluster.wait_servers({f"{MASTER}/a": "closed loading"}, limit=8)
    cluster.a.call("CONFIG", "SET", "key-load-delay", "0")
    wait_loaded(cluster.a)
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)


def test_loading_master_restarted(cluster: Cluster) -> None:
    """The master itself restarts and loads: shut all the while, then let in as restarted."""
    fill(cluster.a)
    cluster.a.save()
    cluster.a.kill()
    restart_loading(cluster.a)
    shut = cluster.wait_answer(f"{MASTER}/a", "down # ")
    wait_until(
        lambda: any(w in cluster.agent.ask(f"{MASTER}/a") for w in ("loading", "restarted")),
        5,
        f"shut for loading, not only: {shut}",
    )
    wait_loaded(cluster.a)
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)


def test_master_serves_reads_when_no_replica_can(cluster: Cluster) -> None:
    """Both replicas die: reads fall back to the master, and leave it when one is back."""
    cluster.b.kill()
    cluster.c.kill()
    cluster.wait_answer(f"{REPLICA}/a", "fallback")
    assert cluster.agent.ask(f"{REPLICA}/a").startswith("up 100% # fallback")
    cluster.wait_servers({f"{REPLICA}/{n}": "closed unreachable" for n in "bc"})
    with RespClient(cluster.haproxy.ports.replica) as reader:
        assert reader.call("CONFIG", "GET", "port")[1] == str(cluster.a.port)
    cluster.b.options["replicaof"] = f"127.0.0.1 {cluster.a.port}"
    cluster.b.start()
    cluster.wait_answer(f"{REPLICA}/b", "up 100% # fresh", limit=20)
    cluster.wait_answer(f"{REPLICA}/a", "stopped # master")
    cluster.wait_servers({f"{REPLICA}/b": "open fresh", f"{REPLICA}/a": "closed master"})


def test_reads_stay_open_through_a_failover(stage: Stage, cluster: Cluster) -> None:
    """When the master dies all replicas' links are down: the read pool must not run empty."""
    sentinel = Sentinel(stage, "sentinel", cluster.a)
    sentinel.start()
    sentinel.wait_informed()
    empty: list[str] = []
    cluster.a.kill()

    def settled() -> bool:
        servers = cluster.haproxy.stat()
        if not any(servers[f"{REPLICA}/{n}"].state == "open" for n in "abc"):
            empty.append(str([str(servers[f"{REPLICA}/{n}"]) for n in "abc"]))
        readers = [servers[f"{REPLICA}/{n}"] for n in "bc"]
        return sum(s.state == "open" and s.words.startswith("fresh") for s in readers) == 1

    wait_until(settled, 25, lambda: f"one fresh reader: {cluster.servers()}")
    assert not empty, f"the read pool ran empty {len(empty)} times: {empty[0]}"


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_lost_replica(cluster: Cluster, number: signal.Signals) -> None:
    """One replica hangs or dies: the others do not notice, and it returns."""
    writer = cluster.writer()
    before = len(writer.failed)
    if number == signal.SIGSTOP:
        cluster.b.freeze()
    else:
        cluster.b.kill()
    gone = {f"{p}/b": "closed unreachable" for p in (MASTER, REPLICA)}
    cluster.wait_servers({**healthy("a", "c"), **gone})
    if number == signal.SIGSTOP:
        cluster.b.thaw()
    else:
        cluster.b.options["replicaof"] = f"127.0.0.1 {cluster.a.port}"
        cluster.b.start()
    cluster.wait_servers(healthy("a", "b", "c"), limit=20)
    assert len(writer.failed) == before, writer.failed
