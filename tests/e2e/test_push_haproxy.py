"""The push and one HAProxy that does as HAProxies do: reloads, dies, refuses, has operators."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable

import pytest
from harness import (
    BACKENDS,
    MASTER,
    REPLICA,
    HAProxyOptions,
    IdleSession,
    PushCluster,
    swap,
    wait_until,
)

Measure = Callable[[str, float, float], None]
MakePush = Callable[..., PushCluster]


def marks(master: str) -> dict[str, str]:
    """The six marks with that master: HAProxy's own checks never write them."""
    wanted = {f"{MASTER}/{n}": "1" if n == master else "0" for n in "abc"}
    return wanted | {f"{REPLICA}/{n}": "0" if n == master else "1" for n in "abc"}


def wait_marks(cluster: PushCluster, master: str, limit: float = 10.0) -> float:
    """Waits until HAProxy has all six marks; returns for how long it had answered without them."""
    answered = 0.0

    def look() -> bool:
        nonlocal answered
        try:
            shown = cluster.haproxy.marks()
        except OSError:
            return False
        answered = answered or time.monotonic()
        return shown == marks(master)

    wait_until(look, limit, lambda: f"marks, are {cluster.haproxy.marks()}")
    return time.monotonic() - answered


@pytest.mark.parametrize("ring", [False, True], ids=["by-interval", "by-ring"])
def test_restarted_and_reloaded(make_push: MakePush, measured: Measure, ring: bool) -> None:
    """Killed and restarted, then reloaded: the marks are back, with a ring nearly at once."""
    options = HAProxyOptions(ring=ring, master_worker=True, hard_stop_after="1s")
    cluster = make_push(haproxy=options)
    cluster.start()
    goal, how = (0.05, "ring") if ring else (1.0, "interval")
    cluster.haproxy.kill()
    # Away for longer than a reconcile_interval: the agent has noticed.
    wait_until(lambda: "haproxy_unreachable" in cluster.agent.log(), 5, "the socket is away")
    cluster.haproxy.start(wait=False)
    measured(f"push: HAProxy restarted, marks back ({how})", wait_marks(cluster, "a"), goal)
    session = IdleSession(cluster.haproxy)
    cluster.haproxy.reload()
    measured(f"push: HAProxy reloaded, marks back ({how})", wait_marks(cluster, "a"), goal)
    # The old worker refuses all that the agent could tell it: hard-stop-after ends its sessions.
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    wait_marks(cluster, "b")
    measured(f"push: session in the old worker cut ({how})", session.wait_cut() - at, 1.0)


def requests(cluster: PushCluster) -> int:
    """How many CLI calls HAProxy has taken, this one included."""
    return int(cluster.haproxy.info()["CumReq"])


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_socket_of_level_operator(make_push: MakePush) -> None:
    """Refused by HAProxy: nothing is changed, it is said once in HAProxy's words, and no loop."""
    cluster = make_push(haproxy=HAProxyOptions(level="operator"))
    cluster.start_nodes()
    cluster.haproxy.start()
    cluster.agent.start()
    wait_until(lambda: "Permission denied" in cluster.agent.log(), 5, "HAProxy's words")
    before, cpu, started = requests(cluster), cpu_seconds(cluster.agent.pid), time.monotonic()
    wait_until(lambda: time.monotonic() - started > 3, 5, "3 s")
    # Each second one reading and one try.
    assert requests(cluster) - before <= 12, "a hot loop"
    assert cpu_seconds(cluster.agent.pid) - cpu < 0.3
    assert set(cluster.haproxy.marks().values()) == {"1"}
    lines = [line for line in cluster.agent.log().splitlines() if "Permission denied" in line]
    assert len(lines) <= 6, "one line a server:\n" + "\n".join(lines)


def test_operators_hand_is_respected(make_push: MakePush) -> None:
    """An operator's maintenance and weight survive a failover, and are named in the log."""
    cluster = make_push()
    cluster.start()
    haproxy = cluster.haproxy
    for command in ("state maint", "weight 7"):
        assert not haproxy.cli(f"set server {MASTER}/b {command}").strip()
    assert not haproxy.cli(f"set server {REPLICA}/c state maint").strip()
    swap(cluster, cluster.a, cluster.b, cluster.c)
    wait_marks(cluster, "b")
    for name in (f"{MASTER}/b", f"{REPLICA}/c"):
        line = f"haproxy_mismatch haproxy=unix:{haproxy.socket_path} server={name}"
        wait_until(lambda wanted=line: wanted in cluster.agent.log(), 5, line)
    settled = time.monotonic()
    wait_until(lambda: time.monotonic() - settled > 2.2, 5, "two reconciliations")
    stat = haproxy.stat()
    assert stat[f"{MASTER}/b"]["status"] == stat[f"{REPLICA}/c"]["status"] == "MAINT"
    assert stat[f"{MASTER}/b"]["uweight"] == "7"
    assert not [n for n, s in stat.items() if n.startswith(MASTER) and s.state == "open"]
    haproxy.cli(f"set server {MASTER}/b state ready")
    cluster.wait_states_at(haproxy, {f"{MASTER}/b": "open", f"{MASTER}/a": "closed"})
    assert haproxy.server(f"{MASTER}/b")["uweight"] == "7"
    wait_until(
        lambda: cluster.agent.log().count(f"server={MASTER}/b") == 2, 5, "told that it has ended"
    )


def test_kept_down_by_the_users_check(make_push: MakePush) -> None:
    """The read pool falls back to the master, the user's check refuses it: said once, no flaps."""
    cluster = make_push()
    cluster.start()
    cluster.b.kill()
    cluster.c.kill()
    server = f"{REPLICA}/a"
    wait_until(lambda: cluster.haproxy.marks()[server] == "1", 5, "the mark open")
    line = f"server={server} "
    wait_until(lambda: line in cluster.agent.log(), 5, "a haproxy_mismatch")
    first = cluster.haproxy.server(server)
    at = time.monotonic()
    wait_until(lambda: time.monotonic() - at > 4, 6, "four reconciliations")
    last = cluster.haproxy.server(server)
    assert last["status"].startswith("DOWN"), str(last)
    assert last["chkdown"] == first["chkdown"], "it was opened again"
    assert int(last["chkdown"]) <= 3, "the start, the agent, and once by the check"
    told = [text for text in cluster.agent.log().splitlines() if line in text]
    assert len(told) == 1, told


def test_lines_without_agent_check(make_push: MakePush, measured: Measure) -> None:
    """No mark to set: weights close and open, and sessions are cut."""
    cluster = make_push(haproxy=HAProxyOptions(agent_check=False))
    cluster.start()
    wait_until(lambda: weights(cluster, REPLICA) == {"a": "0", "b": "1", "c": "1"}, 5, "weights")
    session, sampler = IdleSession(cluster.haproxy), cluster.sampler(pause=0.001)
    at = swap(cluster, cluster.a, cluster.b, cluster.c)
    measured("push: session cut, no agent-check on the line", session.wait_cut() - at, 0.3)
    wanted = {"a": "0", "b": "1", "c": "0"}
    wait_until(lambda: weights(cluster, MASTER) == wanted, 5, lambda: str(weights(cluster, MASTER)))
    cluster.wait_states("b", "a", "c")
    assert sampler.two_masters == 0, sampler.changes


def weights(cluster: PushCluster, backend: str) -> dict[str, str]:
    """The weight of each server of a backend."""
    return {s.name: s["weight"] for s in cluster.haproxy.stat().values() if s.backend == backend}


def enabled(cluster: PushCluster) -> set[str]:
    """The servers whose agent is enabled."""
    return {n for n, state in cluster.haproxy.agent_states().items() if state & 4}


def test_clean_stop_hands_over_to_the_floor(make_push: MakePush, measured: Measure) -> None:
    """SIGTERM lets go of all marks: without an agent HAProxy's own checks find the new master."""
    cluster = make_push()
    cluster.start()
    session, writer = IdleSession(cluster.haproxy), cluster.writer()
    before = cluster.haproxy.changes()
    assert cluster.agent.stop() == 0
    assert not enabled(cluster), enabled(cluster)
    cluster.agent.start()
    wait_marks(cluster, "a")
    assert cluster.haproxy.changes() == before, "a restart of the agent was noticed"
    assert session.is_alive() and not writer.failed, writer.failed

    assert cluster.agent.stop() == 0
    writer.stop()
    cluster.a.kill()
    cluster.b.promote()
    at = time.monotonic()
    cluster.c.replicate(cluster.b, wait=False)
    cluster.wait_states_at(cluster.haproxy, {f"{MASTER}/a": "closed", f"{MASTER}/b": "open"})
    measured("push: agent stopped, promotion to the floor open", time.monotonic() - at, 2.0)
    session.wait_cut()
    cluster.wait_states_at(cluster.haproxy, {f"{REPLICA}/b": "closed", f"{REPLICA}/c": "open"})


def test_clean_stop_leaves_a_returned_master_closed(make_push: MakePush) -> None:
    """The user's check would open a master that came back: its mark is all that keeps it shut."""
    cluster = make_push()
    cluster.start()
    cluster.a.save()
    cluster.a.kill()
    cluster.b.promote()
    cluster.c.replicate(cluster.b, wait=False)
    cluster.wait_states_at(cluster.haproxy, {f"{MASTER}/b": "open", f"{MASTER}/a": "closed"})
    cluster.a.start()
    wait_until(lambda: "returned-master" in cluster.agent.log(), 5, "the verdict")
    sampler = cluster.sampler()
    assert cluster.agent.stop() == 0
    assert enabled(cluster) <= {f"{MASTER}/a", f"{REPLICA}/a"}
    assert f"{MASTER}/a" in enabled(cluster)
    at = time.monotonic()
    wait_until(lambda: time.monotonic() - at > 2.2, 5, "two of HAProxy's own checks")
    stat = cluster.haproxy.stat()
    assert stat[f"{MASTER}/a"].state == "closed" and stat[f"{MASTER}/b"].state == "open"
    assert sampler.two_masters == 0, sampler.changes
    assert stat[f"{MASTER}/a"]["check_status"].endswith("L7OK"), str(stat[f"{MASTER}/a"])
    assert {s.backend for s in stat.values()} >= set(BACKENDS)
