"""`doctor`: each finding that can be provoked has its line, its remedy and its exit code."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest
from harness import MASTER, REPLICA, Cluster, agent_config, wait_until

MakeCluster = Callable[..., Cluster]

CLEAN, ADVICE, DANGER = 0, 1, 2


class Doctor:
    """The nodes, a HAProxy that a test may change before it starts it, and `doctor` over them."""

    def __init__(self, binary: str, cluster: Cluster) -> None:
        self.binary = binary
        self.cluster = cluster
        self.haproxy = cluster.haproxy
        self.socket = str(cluster.haproxy.socket_path)
        self.config_path = cluster.haproxy.folder / "doctor.cfg"

    def change(self, old: str, new: str, count: int = 1) -> None:
        """Another text in HAProxy's configuration."""
        text = self.haproxy.config_path.read_text()
        assert old in text, text
        self.haproxy.config_path.write_text(text.replace(old, new, count))

    def backend(self, name: str, old: str, new: str) -> None:
        """Another text in one backend."""
        text = self.haproxy.config_path.read_text()
        head, mark, rest = text.partition(f"\nbackend {name}\n")
        assert mark and old in rest, text
        self.haproxy.config_path.write_text(head + mark + rest.replace(old, new, 1))

    def start(self) -> None:
        """Starts HAProxy; the agent does not run, so its own checks decide."""
        self.haproxy.start()
        for pool, names in {MASTER: "bc", REPLICA: "a"}.items():
            for name in names:
                self.wait(f"{pool}/{name}", "closed")

    def wait(self, server: str, state: str) -> None:
        """Waits until a server, if there is one of that name, is so."""
        wait_until(
            lambda: server not in (stat := self.haproxy.stat()) or stat[server].state == state,
            10,
            lambda: f"{server} {state}",
        )

    def call(self, *more: str, **config: Any) -> subprocess.CompletedProcess[str]:
        """One run."""
        options = {"haproxy": [{"socket": self.socket}], **config}
        nodes = list(self.cluster.nodes.values())
        self.config_path.write_text(agent_config(nodes, [self.cluster.agent.listen], **options))
        return subprocess.run(
            [self.binary, "doctor", "--config", str(self.config_path), *more],
            capture_output=True,
            text=True,
            timeout=20,
        )

    def expect(self, code: int, *findings: str, **config: Any) -> str:
        """Exactly these findings (`danger haproxy server id`), and this exit code."""
        done = self.call(**config)
        found = re.findall(r"^(danger|advice) +(.*?)([a-z-]+): ", done.stdout, re.M)
        shown = [f"{severity} {where}{what}" for severity, where, what in found]
        shown = [line.replace(f"haproxy={self.socket} ", "") for line in shown]
        assert sorted(shown) == sorted(findings), done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def doctor(binary: str, make_cluster: MakeCluster) -> Doctor:
    """The nodes run, HAProxy does not yet."""
    cluster = make_cluster()
    cluster.start_nodes()
    return Doctor(binary, cluster)


def test_clean_with_the_agent(binary: str, cluster: Cluster) -> None:
    """All is well, and so it says; nothing moves in HAProxy by being looked at."""
    doctor = Doctor(binary, cluster)
    before = cluster.haproxy.changes()
    assert "nothing found" in doctor.expect(CLEAN)
    assert json.loads(doctor.call("--json").stdout) == {"result": "clean", "findings": []}
    assert cluster.haproxy.changes() == before


def test_clean_before_the_agent_starts(doctor: Doctor) -> None:
    """That no agent runs yet is no finding."""
    doctor.start()
    doctor.expect(CLEAN)


def test_no_haproxy(doctor: Doctor) -> None:
    """None is configured."""
    out = doctor.expect(ADVICE, "advice no-haproxy", haproxy=[])
    assert 'haproxy = ( { socket = "/run/haproxy/admin.sock"; } );' in out


def test_no_socket(doctor: Doctor) -> None:
    """The path does not exist."""
    out = doctor.expect(DANGER, "danger no-socket")
    assert f"stats socket {doctor.socket} mode 660 level admin" in out


def test_nobody_there(doctor: Doctor) -> None:
    """The socket is left over from a HAProxy that was killed."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(doctor.socket)
    doctor.expect(DANGER, "danger nobody-there")


def test_silent(doctor: Doctor) -> None:
    """It accepts, and says nothing."""
    doctor.start()
    doctor.haproxy.freeze()
    doctor.expect(DANGER, "danger silent")


def test_not_haproxy(doctor: Doctor) -> None:
    """A Redis node's port in place of the runtime socket."""
    address = doctor.cluster.a.address
    done = doctor.call(haproxy=[{"socket": address}])
    assert done.returncode == DANGER
    assert f"haproxy={address} not-haproxy: " in done.stdout, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_socket_forbidden(doctor: Doctor, tmp_path: Path) -> None:
    """The agent's user is not in the socket's group."""
    doctor.start()
    doctor.expect(CLEAN)
    os.chmod(doctor.socket, 0o600)
    for folder in (doctor.haproxy.folder, doctor.haproxy.folder.parent):
        os.chmod(folder, 0o755)
    program = doctor.haproxy.folder / "redis-role-agent"
    program.write_bytes(Path(doctor.binary).read_bytes())
    program.chmod(0o755)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", str(program), "doctor", "--config"]
        + [str(doctor.config_path)],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert " socket-forbidden: " in done.stdout, done.stdout + done.stderr
    assert done.returncode == DANGER


@pytest.mark.parametrize("level", ["operator", "user"])
def test_socket_level(doctor: Doctor, level: str) -> None:
    """Nothing could be pushed."""
    doctor.change("level admin", f"level {level}")
    doctor.start()
    out = doctor.expect(DANGER, "danger socket-level")
    assert f"stats socket {doctor.socket} mode 660 level admin" in out


def test_no_master_socket(doctor: Doctor) -> None:
    """A HAProxy with a master process, whose socket the agent does not know."""
    plain = doctor.haproxy.command()
    master = str(doctor.haproxy.folder / "master.sock")
    doctor.haproxy.command = lambda: [*plain, "-W", "-S", master]  # type: ignore[method-assign]
    doctor.start()
    out = doctor.expect(ADVICE, "advice no-master-socket")
    assert f'socket = "{doctor.socket}"; master_socket = ' in out
    doctor.expect(CLEAN, haproxy=[{"socket": doctor.socket, "master_socket": master}])


def test_no_backend(doctor: Doctor) -> None:
    """A pool's backend has another name."""
    doctor.start()
    pools = [{"backend": "bk_reads", "shard": "main", "role": "replica"}]
    doctor.expect(DANGER, "danger backend=bk_reads no-backend", pools=pools)


def test_balance_first(doctor: Doctor) -> None:
    """Dangerous for writes; for reads it only goes by no weight."""
    doctor.change("balance roundrobin", "balance first", 2)
    doctor.start()
    out = doctor.expect(
        DANGER,
        f"danger backend={MASTER} balance-first",
        f"advice backend={REPLICA} balance-static",
    )
    assert f"backend {MASTER}\n            balance roundrobin" in out


def test_balance_static(doctor: Doctor) -> None:
    """Weights that go nowhere; not where the agent sets none."""
    doctor.backend(REPLICA, "balance roundrobin", "balance static-rr")
    doctor.backend(MASTER, "balance roundrobin", "balance static-rr")
    doctor.start()
    doctor.expect(ADVICE, f"advice backend={REPLICA} balance-static")
    doctor.expect(CLEAN, replica_pool={"weights": False})


def test_balance_hash(doctor: Doctor) -> None:
    """A hash may take weights or not; a weight that was taken proves it."""
    doctor.backend(REPLICA, "balance roundrobin", "balance source\n    hash-type consistent")
    doctor.backend(REPLICA, "default-server ", "default-server weight 100 ")
    doctor.start()
    doctor.expect(ADVICE, f"advice backend={REPLICA} balance-hash")
    assert doctor.haproxy.cli(f"set server {REPLICA}/b weight 50%").strip() == ""
    doctor.expect(CLEAN)


def test_no_agent_check(doctor: Doctor) -> None:
    """The server lines of one backend have none."""
    text = doctor.haproxy.config_path.read_text()
    agent = re.search(r" agent-check .* agent-inter \S+", text)
    assert agent
    doctor.backend(REPLICA, agent.group(0), "")
    doctor.start()
    out = doctor.expect(
        ADVICE, *(f"advice server={REPLICA}/{name} no-agent-check" for name in "abc")
    )
    assert f"agent-addr 127.0.0.1 agent-port {doctor.cluster.agent.port} agent-inter" in out


def test_agent_disabled(doctor: Doctor) -> None:
    """As the agent leaves it when it lets go."""
    doctor.start()
    assert doctor.haproxy.cli(f"disable agent {MASTER}/a").strip() == ""
    doctor.expect(ADVICE, f"advice server={MASTER}/a agent-disabled")


def test_no_server(doctor: Doctor) -> None:
    """A node without a server: it could be the next master."""
    for pool in (MASTER, REPLICA):
        doctor.backend(pool, f"server c {doctor.cluster.c.address}", "# ")
    doctor.start()
    out = doctor.expect(
        DANGER,
        f"danger server={MASTER}/c no-server",
        f"advice server={REPLICA}/c no-reader",
    )
    assert f"server c {doctor.cluster.c.address} agent-send {MASTER}/c\\n" in out


def test_stranger(doctor: Doctor) -> None:
    """A server that nobody watches; the spare ones of a template are none."""
    for pool in (MASTER, REPLICA):
        doctor.backend(pool, "    server a ", "    server x 127.0.0.1:9\n    server a ")
    doctor.backend(REPLICA, "    server a ", "    server y 127.0.0.1:9 disabled\n    server a ")
    doctor.start()
    out = doctor.expect(
        DANGER, f"danger server={MASTER}/x stranger", f"advice server={REPLICA}/x strange-reader"
    )
    assert '{ name = "x"; address = "127.0.0.1:9"; }' in out


def test_server_by_address(doctor: Doctor) -> None:
    """Names may differ where the addresses agree."""
    doctor.backend(MASTER, "server a ", "server tcpapp1 ")
    doctor.start()
    doctor.expect(CLEAN)


def test_swapped_servers(doctor: Doctor) -> None:
    """The names of two servers stand at each other's addresses."""
    b, c = doctor.cluster.b.address, doctor.cluster.c.address
    doctor.backend(MASTER, f"server b {b}", f"server b {c}")
    doctor.backend(MASTER, f"server c {c}", f"server c {b}")
    doctor.backend(REPLICA, f"server c {c}", "server c 127.0.0.1:9")
    doctor.start()
    doctor.expect(
        DANGER,
        f"danger server={MASTER}/b swapped",
        f"danger server={MASTER}/c swapped",
        f"advice server={REPLICA}/c other-address",
        f"advice server={REPLICA}/c kept-down",
    )


@pytest.mark.parametrize("state", ["maint", "drain"])
def test_set_aside(doctor: Doctor, state: str) -> None:
    """An operator's own: of the master it stops the writes."""
    doctor.start()
    for server in (f"{MASTER}/a", f"{REPLICA}/b"):
        assert doctor.haproxy.cli(f"set server {server} state {state}").strip() == ""
    out = doctor.expect(
        DANGER,
        f"danger server={MASTER}/a master-set-aside",
        f"advice server={REPLICA}/b set-aside",
    )
    assert f"echo 'set server {MASTER}/a state ready' | socat stdio {doctor.socket}" in out


def test_kept_down(doctor: Doctor) -> None:
    """The marks are open, and HAProxy's own check fails."""
    doctor.change("string role:master", "string role:emperor")
    doctor.start()
    doctor.wait(f"{MASTER}/a", "closed")
    out = doctor.expect(DANGER, f"danger server={MASTER}/a master-kept-down")
    assert f"show stat {MASTER} 4 -1" in out


def test_fallback_kept_down(doctor: Doctor) -> None:
    """The master is to serve reads, and the read backend's check lets only replicas pass."""
    for node in (doctor.cluster.b, doctor.cluster.c):
        node.kill()
    doctor.start()
    out = doctor.expect(
        ADVICE,
        "advice node=b unreachable",
        "advice node=c unreachable",
        f"advice server={REPLICA}/a fallback-kept-down",
    )
    assert "tcp-check expect rstring role:(slave|master)" in out


def test_no_access(doctor: Doctor) -> None:
    """The agent's user may not ask for INFO."""
    doctor.start()
    doctor.cluster.b.call("ACL", "SETUSER", "default", "-info")
    out = doctor.expect(DANGER, "danger node=b no-access")
    assert "+info +ping" in out


def test_no_ping(doctor: Doctor) -> None:
    """The agent's user may not PING."""
    doctor.start()
    doctor.cluster.b.call("ACL", "SETUSER", "default", "-ping")
    doctor.expect(ADVICE, "advice node=b no-ping")


def test_json(doctor: Doctor) -> None:
    """The same for programs."""
    doctor.start()
    doctor.haproxy.cli(f"disable agent {MASTER}/a")
    done = doctor.call("--json")
    assert done.returncode == ADVICE
    answer = json.loads(done.stdout)
    assert answer["result"] == "advice"
    (finding,) = answer["findings"]
    assert finding.pop("sentence") and finding.pop("remedy")
    assert finding == {
        "severity": "advice",
        "id": "agent-disabled",
        "haproxy": doctor.socket,
        "backend": MASTER,
        "server": "a",
        "node": "a",
    }


def test_wrong_words(binary: str) -> None:
    """Nothing is looked at."""
    for words in (["--nonsense"], ["here"], ["--config", "/nonexistent"]):
        done = subprocess.run([binary, "doctor", *words], capture_output=True, text=True, timeout=9)
        assert done.returncode == 2 and done.stderr and not done.stdout
    done = subprocess.run([binary, "doctor", "--help"], capture_output=True, text=True, timeout=9)
    assert done.returncode == 0 and "hard-stop-after" in done.stdout
