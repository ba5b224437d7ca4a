"""The other subcommands: probe, haproxy-config, --version."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import MASTER, REPLICA, Cluster, find_program, healthy, wait_until

MakeCluster = Callable[..., Cluster]

# What every user already has; the lines of `haproxy-config` are pasted below it.
MINIMAL = """\
global
    stats socket {socket} mode 660 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
"""


def run(binary: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a subcommand to its end."""
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=20)


@pytest.fixture
def nodes(make_cluster: MakeCluster) -> Cluster:
    """The nodes alone, and a configuration file for them."""
    cluster = make_cluster()
    cluster.start_nodes()
    return cluster


def probe(binary: str, nodes: Cluster, *more: str) -> subprocess.CompletedProcess[str]:
    """`probe` with the configuration."""
    return run(binary, "probe", "--config", str(nodes.agent.config_path), *more)


def test_probe_all_well(binary: str, nodes: Cluster) -> None:
    """A table with each node and its role; exit code 0."""
    done = probe(binary, nodes)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {words[0]: words for line in done.stdout.splitlines() if (words := line.split())}
    for name, role in {"a": "master", "b": "replica", "c": "replica"}.items():
        line = " ".join(next((r for r in rows.values() if name in r), []))
        assert role in line or (role == "replica" and "slave" in line), done.stdout


def test_probe_json(binary: str, nodes: Cluster) -> None:
    """The same for programs."""
    done = probe(binary, nodes, "--json")
    assert done.returncode == 0, done.stderr
    text = json.dumps(json.loads(done.stdout))
    for name in nodes.nodes:
        assert f'"{name}"' in text
    assert "master" in text


def test_probe_without_a_master(binary: str, nodes: Cluster) -> None:
    """No node is a master: exit code 1."""
    nodes.a.replicate(nodes.b, wait=False)
    assert probe(binary, nodes).returncode == 1
    assert probe(binary, nodes, "--json").returncode == 1


def test_probe_with_a_dead_node(binary: str, nodes: Cluster) -> None:
    """A node that cannot be read: exit code 2, and it is named."""
    nodes.c.kill()
    done = probe(binary, nodes)
    assert done.returncode == 2, done.stdout + done.stderr
    assert any("c" in line.split() for line in done.stdout.splitlines()), done.stdout


def test_probe_with_a_hung_node(binary: str, nodes: Cluster) -> None:
    """A node that hangs ends the probe by its time-out, not by patience."""
    nodes.c.freeze()
    assert probe(binary, nodes).returncode == 2


@contextmanager
def dark(port: int) -> Iterator[None]:
    """A port that answers no connection: a listener whose queue is full."""
    with ExitStack() as sockets:
        held = sockets.enter_context(socket.socket())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.listen(0)
        for _ in range(4):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield


def test_probe_with_a_dark_node(binary: str, make_cluster: MakeCluster) -> None:
    """The patience covers the waits between attempts, which a short time-out makes the most of."""
    nodes = make_cluster(config={"shard": {"timeout": "50ms"}})
    nodes.start_nodes()
    nodes.c.kill()
    with dark(nodes.c.port):
        done = probe(binary, nodes)
    assert done.returncode == 2, done.stdout + done.stderr


def test_probe_nodes_from_the_command_line(binary: str, nodes: Cluster) -> None:
    """`--node` needs no file."""
    arguments = [word for node in nodes.nodes.values() for word in ("--node", node.address)]
    done = run(binary, "probe", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    for node in nodes.nodes.values():
        assert node.address in done.stdout


def pasted(binary: str, nodes: Cluster) -> str:
    """What `haproxy-config` prints, with what is the user's own: defaults and binds."""
    done = run(binary, "haproxy-config", "--config", str(nodes.agent.config_path))
    assert done.returncode == 0, done.stderr
    ports = nodes.haproxy.ports
    text = MINIMAL.format(socket=nodes.haproxy.socket_path) + done.stdout
    for name, port in {"ft_redis_master": ports.master, "ft_redis_slave": ports.replica}.items():
        head = f"frontend {name}\n"
        assert head in text, text
        text = text.replace(head, f"{head}    bind 127.0.0.1:{port}\n")
    return text


def test_haproxy_config_is_accepted(binary: str, nodes: Cluster, tmp_path: Path) -> None:
    """What it prints can be pasted, and has the server lines and every guard."""
    text = pasted(binary, nodes)
    for node in nodes.nodes.values():
        for pool in (MASTER, REPLICA):
            assert f"agent-send {pool}/{node.name}\\n" in text, text
    for guard in ("be_agent", "bk_floor", "max-spread-checks", "on-marked-down"):
        assert guard in text, f"{guard} is missing:\n{text}"
    config = tmp_path / "haproxy.cfg"
    config.write_text(text)
    command = [find_program("haproxy"), "-c", "-f", str(config)]
    check = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert check.returncode == 0, check.stdout + check.stderr + text


def test_haproxy_config_works(binary: str, nodes: Cluster) -> None:
    """HAProxy runs on what it prints: six right servers, writes, and the guards."""
    nodes.haproxy.config_path.write_text(pasted(binary, nodes))
    nodes.agent.start()
    nodes.haproxy.start()
    nodes.wait_servers(healthy("a", "b", "c"))
    writer = nodes.writer()
    nodes.b.kill()
    nodes.c.kill()
    nodes.wait_servers({f"{REPLICA}/{n}": "closed unreachable" for n in "bc"})
    nodes.wait_servers({f"{REPLICA}/a": "open fallback"})
    nodes.b.start()
    nodes.b.replicate(nodes.a)
    nodes.wait_servers({f"{REPLICA}/b": "open fresh"})
    assert not writer.failed, writer.failed

    nodes.agent.kill()
    nodes.a.kill()
    nodes.b.promote()
    promoted = time.monotonic()
    wait_until(lambda: nodes.b.port in writer.ports_since(promoted), 20, "writes by the guards")


def test_version_lists_the_libraries(binary: str) -> None:
    """One look tells what a bug report needs."""
    done = run(binary, "--version")
    assert done.returncode == 0
    for library in ("libuv", "hiredis", "libconfig"):
        assert library in done.stdout, done.stdout
