"""Rude clients at the agent's port: they are cut, and HAProxy does not notice."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Callable

import pytest
from harness import MASTER, Cluster, healthy, wait_until


def connect(port: int) -> socket.socket:
    """A connection to the agent."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def wait_cut(client: socket.socket) -> bytes:
    """Reads until the agent closes; returns what it said. Fails if it does not within 10 s."""
    said = b""
    try:
        while chunk := client.recv(4096):
            said += chunk
    except ConnectionError:
        pass
    return said


def garbage(port: int) -> None:
    """Random bytes, again and again."""
    for _ in range(200):
        with connect(port) as client:
            client.sendall(os.urandom(64).replace(b"\n", b"x") + b"\n")
            assert wait_cut(client) == b""


def megabyte(port: int) -> None:
    """A line that does not end for a megabyte."""
    for _ in range(5):
        with connect(port) as client:
            try:
                client.sendall(b"x" * 1_000_000)
            except ConnectionError:
                continue
            assert wait_cut(client) == b""


def half_open(port: int) -> None:
    """300 who connect and say nothing."""
    clients = [connect(port) for _ in range(300)]
    for client in clients:
        assert wait_cut(client) == b""
        client.close()


def trickle(port: int) -> None:
    """A byte at a time, slower than anybody should wait for, and never an end."""
    with connect(port) as client:
        end = time.monotonic() + 10
        try:
            while time.monotonic() < end:
                client.sendall(b"x")
                time.sleep(0.005)
        except ConnectionError:
            return
        raise AssertionError("a client that trickles was not cut within 10 s")


def hang_up(port: int) -> None:
    """Ask and be gone before the answer, with a reset."""
    for _ in range(200):
        with connect(port) as client:
            client.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            client.sendall(b"bk_redis_master/a\n")


def never_reads(port: int) -> None:
    """Asks without an end and reads nothing."""
    with connect(port) as client:
        client.settimeout(5)
        try:
            for _ in range(2000):
                client.sendall(b"bk_redis_master/a\n" * 100)
        except (ConnectionError, TimeoutError):
            pass


def pool_changes(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Of the six servers; the floor's may still be making up its mind."""
    return {k: v for k, v in cluster.haproxy.changes().items() if k.startswith("bk_redis")}


@pytest.mark.parametrize(
    "rude", [garbage, megabyte, half_open, trickle, hang_up, never_reads], ids=lambda f: f.__name__
)
def test_rude_client(cluster: Cluster, rude: Callable[[int], None]) -> None:
    """While it is rude, every agent-check is answered and no server changes."""
    before = pool_changes(cluster)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            rude(cluster.agent.port)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    slowest = 0.0
    while True:
        asked = time.monotonic()
        assert cluster.agent.ask(f"{MASTER}/a", timeout=5).startswith("up # master")
        slowest = max(slowest, time.monotonic() - asked)
        if not thread.is_alive():
            break
        assert time.monotonic() - asked < 5
        time.sleep(0.02)
    assert not failures, failures
    assert slowest < 1.0, f"an answer took {slowest:.3f} s"
    assert pool_changes(cluster) == before
    assert cluster.agent.is_running()
    cluster.wait_servers(healthy("a", "b", "c"), limit=2)
    assert len(cluster.agent.log(whole=True)) < 100_000, "a rude client fills the log"


def test_unknown_names_are_logged_once(cluster: Cluster) -> None:
    """A server line with a wrong name is told of, at a limited rate."""
    for _ in range(500):
        assert cluster.agent.ask(f"{MASTER}/nobody") == ""
    wait_until(lambda: "nobody" in cluster.agent.log(), 5, "a line that names it")
    assert cluster.agent.log(whole=True).count("nobody") < 100


def test_allow_list(make_cluster: Callable[..., Cluster]) -> None:
    """Who is not on the list gets no answer."""
    cluster = make_cluster(config={"agent_check": {"allow": ["127.0.0.2/32"]}})
    cluster.start_nodes()
    cluster.agent.start()
    with connect(cluster.agent.port) as client:
        assert wait_cut(client) == b""
    with socket.create_connection(
        ("127.0.0.1", cluster.agent.port), timeout=5, source_address=("127.0.0.2", 0)
    ) as client:
        client.sendall(f"{MASTER}/a\n".encode())
        assert wait_cut(client).startswith(b"up # master")
