"""Attaching: the agent is given a runtime socket and two backends, and finds the rest itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Callable, Sequence

import pytest
from harness import MASTER, REPLICA, Agent, HAProxy, Redis, Stage, free_port, wait_until

GLOBAL = """\
global
    stats socket {socket} mode 660 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
"""

BACKEND = """\
backend {name}
    option tcp-check
    tcp-check send info\\ replication\\r\\nQUIT\\r\\n
    tcp-check expect string role:{role}
    default-server check inter 200ms fall 1 rise 1 {words}
"""


class Stock(HAProxy):
    """The backends that users have, with no word about an agent but those given."""

    def __init__(self, stage: Stage, nodes: Sequence[Redis], words: str) -> None:
        super().__init__(stage, nodes, free_port())
        text = GLOBAL.format(socket=self.socket_path)
        for name, role in ((MASTER, "master"), (REPLICA, "slave")):
            text += BACKEND.format(name=name, role=role, words=words)
            text += "".join(f"    server {node.name} {node.address}\n" for node in nodes)
        self.config_path.write_text(text)

    def words(self, master: str | None = MASTER, replica: str | None = REPLICA) -> list[str]:
        """The agent's command line."""
        backends = [("--master", master), ("--replica", replica)]
        given = [word for option, name in backends if name for word in (option, name)]
        return ["--haproxy", str(self.socket_path), *given]

    def open(self) -> set[str]:
        """The servers that take connections."""
        return {name for name, server in self.stat().items() if server.state == "open"}

    def wait_open(self, master: str, *replicas: str) -> None:
        """Waits until these servers are open and no other."""
        wanted = {f"{MASTER}/{master}", *(f"{REPLICA}/{name}" for name in replicas)}
        wait_until(
            lambda: self.open() == wanted,
            10,
            lambda: f"{wanted}:\n" + "\n".join(str(s) for s in self.stat().values()),
        )


class Attached:
    """Nodes a (the master), b and c, a HAProxy over them, and the agent attached to it."""

    def __init__(self, stage: Stage, binary: str, words: str = "") -> None:
        self.stage, self.binary = stage, binary
        self.nodes = [Redis(stage, name) for name in "abc"]
        self.a, self.b, self.c = self.nodes
        self.haproxy = Stock(stage, self.nodes, words)
        self.agent = Agent(stage, binary, arguments=lambda _: self.haproxy.words())

    def start(self) -> None:
        """Starts all, and waits until HAProxy shows that all is well."""
        for node in self.nodes:
            node.start()
        for node in (self.b, self.c):
            node.replicate(self.a)
        self.haproxy.start()
        self.agent.start()
        self.haproxy.wait_open("a", "b", "c")


def run(binary: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=20)


def swap(attached: Attached) -> None:
    """A planned change of master, from a to b."""
    attached.b.promote()
    for node in (attached.a, attached.c):
        node.replicate(attached.b, wait=False)


def test_stock_backends(stage: Stage, binary: str) -> None:
    """Without agent-check in haproxy.cfg weights decide, also where the checks see two masters."""
    attached = Attached(stage, binary)
    attached.start()
    swap(attached)
    attached.haproxy.wait_open("b", "a", "c")
    assert attached.haproxy.server(f"{MASTER}/a")["weight"] == "0"

    attached.a.promote()
    def second_passes() -> bool:
        second = attached.haproxy.server(f"{MASTER}/a")
        return second["check_status"] == "L7OK" and second.state == "drained"

    wait_until(second_passes, 10, "the check of the second master to pass")
    attached.haproxy.wait_open("b", "c")
    assert "does not do what it is told" not in attached.agent.log(whole=True)


def test_agent_check_backends(stage: Stage, binary: str) -> None:
    """With agent-check its marks are used, though nobody answers it; weights stay."""
    words = f"agent-check agent-addr 127.0.0.1 agent-port {free_port()} agent-inter 1h"
    attached = Attached(stage, binary, words + " on-marked-down shutdown-sessions")
    attached.start()
    swap(attached)
    attached.haproxy.wait_open("b", "a", "c")
    closed = attached.haproxy.server(f"{MASTER}/a")
    assert closed["agent_health"] == "0" and closed["weight"] == "1", closed


def test_default_port_is_left_alone(stage: Stage, binary: str) -> None:
    """Nobody is answered, unless --listen says where."""
    attached = Attached(stage, binary)
    attached.agent.arguments = lambda listen: [*attached.haproxy.words(), "--listen", listen]
    attached.start()
    assert attached.agent.ask(f"{MASTER}/a").startswith("up")
    attached.agent.stop()
    attached.agent.arguments = lambda _: attached.haproxy.words()
    attached.agent.start()
    listening = Path(f"/proc/{attached.agent.pid}/net/tcp").read_text().splitlines()
    held = {link.readlink().name for link in Path(f"/proc/{attached.agent.pid}/fd").iterdir()}
    ours = [f for line in listening[1:] if f"socket:[{(f := line.split())[9]}]" in held]
    assert ours and all(fields[3] != "0A" for fields in ours), ours


def test_moved_server_is_followed(stage: Stage, binary: str) -> None:
    """`set server addr` brings another Redis in under the old name; what that says is what counts."""
    attached = Attached(stage, binary)
    attached.start()
    other = Redis(stage, "d")
    other.start()

    for backend in (MASTER, REPLICA):
        attached.haproxy.cli(f"set server {backend}/c addr 127.0.0.1 port {other.port}")
    attached.haproxy.wait_open("a", "b")
    assert "node_moved shard=main node=c" in attached.agent.log(whole=True)
    other.replicate(attached.a)
    attached.haproxy.wait_open("a", "b", "c")

    # The rightful master's server now leads to a stranger that says master: it stays closed.
    attached.b.promote()
    attached.haproxy.cli(f"set server {MASTER}/a addr 127.0.0.1 port {attached.b.port}")
    wait_until(
        lambda: "reason=restarted" in attached.agent.log(whole=True), 10, "a closed as another"
    )


def test_probe(stage: Stage, binary: str) -> None:
    """One round over HAProxy's servers; one backend alone will do."""
    attached = Attached(stage, binary)
    attached.start()
    for words in (attached.haproxy.words(), attached.haproxy.words(replica=None)):
        done = run(binary, "probe", *words, "--json")
        assert done.returncode == 0, done.stderr
        shard = json.loads(done.stdout)["shards"][0]
        assert shard["master"] == "a" and [n["name"] for n in shard["nodes"]] == ["a", "b", "c"]


@pytest.fixture
def stock(stage: Stage) -> Stock:
    """A HAProxy alone, over nodes that are not there."""
    stock = Stock(stage, [Redis(stage, name) for name in "ab"], "")
    stock.start()
    return stock


Words = Callable[[Stock], list[str]]


@pytest.mark.parametrize(
    "words, expected",
    [
        (lambda s: s.words(master="nope"), "no backend nope"),
        (lambda s: s.words(master=None, replica=None), "--master and --replica"),
        (lambda s: s.words()[2:], "with --haproxy"),
        (lambda s: s.words(replica=MASTER), "the same backend"),
        (lambda s: s.words(master="a;show info"), "no name of a backend"),
        (lambda s: ["--haproxy", f"{s.socket_path}x", *s.words()[2:]], "`stats socket`"),
        (lambda s: ["--haproxy", "admin.sock", *s.words()[2:]], "no runtime socket"),
        (lambda s: [*s.words(), "--node", "127.0.0.1:1"], "exclude"),
    ],
)
def test_wrong_words(stock: Stock, binary: str, words: Words, expected: str) -> None:
    """One sentence with the remedy, and exit code 2."""
    done = run(binary, "run", *words(stock))
    assert done.returncode == 2 and expected in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_server_with_two_addresses(stock: Stock, binary: str) -> None:
    """One name must be one node."""
    stock.cli(f"set server {REPLICA}/b addr 127.0.0.1 port {free_port()}")
    done = run(binary, "run", *stock.words())
    assert done.returncode == 2 and "server b has two addresses" in done.stderr, done.stderr
