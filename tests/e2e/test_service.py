"""The service: socket activation, bad input at the start, and the end."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

import pytest
from harness import MASTER, REPLICA, Cluster, Stage, ask, free_port, wait_until
from harness.agent_config import value_text

MakeCluster = Callable[..., Cluster]
NODE = '{ name = "a"; address = "127.0.0.1:6379"; }'
GOOD = f"""\
shards = ( {{ name = "main"; nodes = ( {NODE} ); }} );
pools = ( {{ backend = "bk_redis_master"; shard = "main"; role = "master"; }} );
agent_check = {{ listen = ( "127.0.0.1:%d" ); }};
"""


def listener(address: tuple[str, int]) -> socket.socket:
    """A listening socket as a service manager makes it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    made.listen(128)
    return made


def test_socket_activation(make_cluster: MakeCluster) -> None:
    """An inherited socket is used; while the agent is away HAProxy's checks wait in its queue."""
    cluster = make_cluster()
    cluster.start_nodes()
    held = listener(("127.0.0.1", cluster.agent.port))
    cluster.agent.activated = [held]
    cluster.agent.start()
    assert cluster.agent.ask(f"{MASTER}/a").startswith("up # master")
    assert cluster.agent.stop() == 0

    answers: list[str] = []
    waiting = threading.Thread(
        target=lambda: answers.append(ask(cluster.agent.port, f"{MASTER}/a", timeout=10))
    )
    waiting.start()
    time.sleep(0.2)  # the question lies in the queue of a socket that nobody serves
    assert waiting.is_alive() and not answers
    cluster.agent.start()
    waiting.join(10)
    assert answers, "the question that waited got no end"
    cluster.wait_answer(f"{MASTER}/a", "up # master")
    held.close()


def test_socket_activation_mismatch(stage: Stage, make_cluster: MakeCluster) -> None:
    """An inherited socket that no `listen` names is an error."""
    cluster = make_cluster()
    held = listener(("127.0.0.1", free_port()))
    cluster.agent.activated = [held]
    cluster.agent.start(wait=False)
    assert cluster.agent.wait() == 2
    assert str(held.getsockname()[1]) in one_sentence(cluster.agent.log())
    held.close()


@pytest.mark.parametrize("passed", ["3", "99999", "-1", "nonsense"])
def test_sockets_promised_and_not_passed(binary: str, tmp_path: Path, passed: str) -> None:
    """LISTEN_FDS that is not true is an error, whatever the program has open itself."""
    config = tmp_path / "agent.cfg"
    config.write_text(GOOD % free_port())
    promise = f'export LISTEN_PID=$$ LISTEN_FDS={passed}; exec "$@"'
    named = refused("/bin/sh", "-c", promise, "sh", binary, "run", "--config", str(config))
    assert "service manager" in named


def test_started_without_standard_files(binary: str, tmp_path: Path) -> None:
    """No socket takes the number of standard error, where the log would be written to it."""
    port = free_port()
    config = tmp_path / "agent.cfg"
    config.write_text(GOOD % port)
    closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    agent = subprocess.Popen([*closed, binary, "run", "--config", str(config)])
    try:
        wait_until(lambda: answers(port), 5, "an answer")
        for number in range(3):
            assert Path(f"/proc/{agent.pid}/fd/{number}").resolve() == Path("/dev/null")
    finally:
        agent.terminate()
    assert agent.wait(5) == 0


def test_address_in_use(binary: str) -> None:
    """The remedy for a listener fits the error."""
    with listener(("127.0.0.1", free_port())) as held:
        address = "127.0.0.1:%d" % held.getsockname()[1]
        named = refused(binary, "run", "--node", "127.0.0.1:1", "--listen", address)
    assert address in named
    assert "free the address" in named


def test_address_of_another_machine(binary: str) -> None:
    """The same of an address that is not there: nothing is to be freed."""
    named = refused(binary, "run", "--node", "127.0.0.1:1", "--listen", "192.0.2.1:8100")
    assert "192.0.2.1:8100" in named
    assert "no such address" in named
    assert "free the address" not in named


def answers(port: int) -> bool:
    """Whether an agent says on `port` that it is alive."""
    try:
        return ask(port, "agent").startswith("up")
    except OSError:
        return False


def test_listener_that_speaks_for_one_server(make_cluster: MakeCluster) -> None:
    """A `direct` listener answers clients that send nothing."""
    port = free_port()
    direct = {"listen": f"127.0.0.1:{port}", "backend": REPLICA, "node": "b"}
    cluster = make_cluster(config={"agent_check": {"direct": [direct]}})
    cluster.start_nodes()
    cluster.agent.start()
    wait_until(lambda: ask(port, "").startswith("up 100% # fresh"), 5, "the direct answer")


def test_verdict_lines(cluster: Cluster) -> None:
    """Each change of a verdict is one line with shard, pool, node, was, is and the reason."""
    cluster.b.kill()
    cluster.wait_answer(f"{MASTER}/b", "down # unreachable")

    def line() -> dict[str, str] | None:
        found = [v for v in cluster.agent.verdicts() if v.get("reason") == "unreachable"]
        return next((v for v in found if v.get("pool") == MASTER), None)

    verdict = wait_until(line, 5, lambda: f"a verdict line:\n{cluster.agent.log()}")
    expected = {"shard": "main", "node": "b", "was": "standby", "is": "down"}
    assert {key: verdict.get(key) for key in expected} == expected


def one_sentence(output: str) -> str:
    """The output, which must be one line."""
    lines = [line for line in output.splitlines() if line.strip()]
    assert len(lines) == 1, f"not one sentence:\n{output}"
    return lines[0]


def refused(binary: str, *arguments: str) -> str:
    """Runs the program with bad input; returns its one sentence."""
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=15)
    assert done.returncode == 2, f"exit code {done.returncode}:\n{done.stderr}"
    assert not done.stdout, done.stdout
    return one_sentence(done.stderr)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--nonsense"], "--nonsense"),
        (["run", "--node", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (["run", "--config", "/nonexistent/agent.cfg"], "/nonexistent/agent.cfg"),
        (["run", "--config"], "--config"),
        (["dance"], "dance"),
        (["check-config", "--config", "/nonexistent/agent.cfg"], "/nonexistent/agent.cfg"),
        (["probe", "--nonsense"], "--nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_arguments(binary: str, arguments: list[str], named: str) -> None:
    """One sentence that names the thing, and exit code 2."""
    assert named in refused(binary, *arguments)


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ("nonsense = 1;", "nonsense"),
        ('log = { level = "shouting"; };', "level"),
        ("log = { level = 7.5; };", "level"),
        ("log = {", "agent.cfg:"),
        (
            'pools2 = ();\n@include "/nonexistent/more.cfg"',
            "/nonexistent/more.cfg",
        ),
    ],
)
def test_bad_configuration(binary: str, tmp_path: Path, added: str, named: str) -> None:
    """One sentence with file, line and name, and exit code 2."""
    config = tmp_path / "agent.cfg"
    config.write_text(GOOD % free_port() + added + "\n")
    assert named in refused(binary, "run", "--config", str(config))


def test_unreadable_password_file(binary: str, tmp_path: Path) -> None:
    """The sentence names the file."""
    config, secret = tmp_path / "agent.cfg", tmp_path / "no-such-password"
    auth = value_text({"password_file": str(secret)})
    text = (GOOD % free_port()).replace('name = "main";', f'name = "main"; auth = {auth};')
    config.write_text(text)
    assert str(secret) in refused(binary, "run", "--config", str(config))


def test_port_in_use(binary: str, tmp_path: Path) -> None:
    """The sentence names the address."""
    taken = listener(("127.0.0.1", free_port()))
    port = taken.getsockname()[1]
    config = tmp_path / "agent.cfg"
    config.write_text(GOOD % port)
    assert f"127.0.0.1:{port}" in refused(binary, "run", "--config", str(config))
    taken.close()


def test_every_error_is_listed(binary: str, tmp_path: Path) -> None:
    """check-config lists every error, each with its line; and says nothing bad of a good file."""
    config = tmp_path / "agent.cfg"
    config.write_text(GOOD % free_port())
    command = [binary, "check-config", "--config", str(config)]
    good = subprocess.run(command, capture_output=True, text=True, timeout=15)
    assert good.returncode == 0, good.stderr
    lines = len(config.read_text().splitlines())
    config.write_text(config.read_text() + "first = 1;\nsecond = 2;\n")
    bad = subprocess.run(command, capture_output=True, text=True, timeout=15)
    assert bad.returncode == 2
    assert f"{config}:{lines + 1}: " in bad.stderr and "first" in bad.stderr, bad.stderr
    assert f"{config}:{lines + 2}: " in bad.stderr and "second" in bad.stderr, bad.stderr
