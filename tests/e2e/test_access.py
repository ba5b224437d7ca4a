"""Passwords and rights: the least that is needed, and what happens when the agent is not let in."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from harness import MASTER, Cluster, healthy, wait_until

MakeCluster = Callable[..., Cluster]
SECRET = "s3cret"
RIGHTS = "resetpass >{password} -@all +ping +info +role +client|setname"


def guarded_cluster(make_cluster: MakeCluster, folder: Path, agent_password: str) -> Cluster:
    """Nodes with a password, and a user `agent` with the least rights and that password."""
    secret = folder / "password"
    secret.write_text("right\n")
    auth = {"username": "agent", "password_file": str(secret)}
    cluster = make_cluster(password=SECRET, config={"shard": {"auth": auth}})
    cluster.start_nodes()
    set_agent_password(cluster, agent_password)
    return cluster


def set_agent_password(cluster: Cluster, password: str) -> None:
    """What the nodes expect of the user `agent` from now on."""
    for node in cluster.nodes.values():
        node.call("ACL", "SETUSER", "agent", "on", *RIGHTS.format(password=password).split())


def test_least_rights_are_enough(make_cluster: MakeCluster, tmp_path: Path) -> None:
    """A user with ping, info, role and client setname is all that the agent needs."""
    cluster = guarded_cluster(make_cluster, tmp_path, "right")
    cluster.agent.start()
    cluster.haproxy.start()
    cluster.wait_servers(healthy("a", "b", "c"))
    assert "no-access" not in cluster.agent.log()


def test_wrong_password_leaves_the_site_alone_and_heals(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    """With a wrong password the agent is silent: HAProxy goes on as without it. Then it heals."""
    cluster = guarded_cluster(make_cluster, tmp_path, "wrong")
    cluster.agent.start()
    cluster.haproxy.start()
    wait_until(lambda: "no-access" in cluster.agent.log(), 10, "a line that says no-access")
    assert cluster.agent.ask(f"{MASTER}/a") == ""
    states = {name: "open" for name in (f"{MASTER}/a",)}
    cluster.wait_servers({**states, f"{MASTER}/b": "closed", f"{MASTER}/c": "closed"})
    writer = cluster.writer()
    assert not writer.failed

    set_agent_password(cluster, "right")
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)
    assert not writer.failed, writer.failed


def test_password_lost_later_holds_the_last_word(make_cluster: MakeCluster, tmp_path: Path) -> None:
    """The password is changed under a running agent: it holds what it said, and says why."""
    cluster = guarded_cluster(make_cluster, tmp_path, "right")
    cluster.agent.start()
    cluster.haproxy.start()
    cluster.wait_servers(healthy("a", "b", "c"))
    writer = cluster.writer()
    set_agent_password(cluster, "other")
    for node in cluster.nodes.values():
        node.call("CLIENT", "KILL", "USER", "agent")
    held = cluster.wait_answer(f"{MASTER}/a", "no-access")
    assert held.startswith("up "), held
    assert cluster.agent.ask(f"{MASTER}/b").startswith("stopped "), "b is held, too"
    set_agent_password(cluster, "right")
    cluster.wait_servers(healthy("a", "b", "c"), limit=15)
    assert not writer.failed, writer.failed
