"""What all end-to-end tests share: the options, a stage for each test, and the logs on failure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Generator, Iterator

import pytest
from harness import Cluster, MissingProgram, PushCluster, Stage, find_program
from harness.agent import default_binary

NEEDED = ("redis-server", "redis-sentinel", "haproxy", "setpriv", "ip", "varnishtest")
_measured: list[tuple[str, float, float]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """--agent PATH: the program to test."""
    parser.addoption("--agent", default=default_binary(), help="the redis-role-agent to test")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Without a program that is needed there is nothing to test: that is a failure, said once."""
    try:
        for name in NEEDED:
            find_program(name)
    except MissingProgram as error:
        pytest.exit(f"end-to-end tests FAILED: {error}", returncode=1)
    path = Path(session.config.getoption("--agent")).resolve()
    if not os.access(path, os.X_OK) or not path.is_file():
        pytest.exit(f"end-to-end tests FAILED: no program {path}: `make` builds it", returncode=1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Adds the logs of all processes to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    stage = getattr(item, "stage", None)
    if report.failed and stage:
        report.sections += [(f"log of {title}", text) for title, text in stage.logs()]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what was measured."""
    if _measured:
        terminalreporter.section("measured")
    for what, seconds, goal in _measured:
        terminalreporter.line(f"{seconds * 1000:8.0f} ms  (goal {goal * 1000:.0f} ms)  {what}")


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> str:
    """The absolute path of the program under test."""
    return str(Path(request.config.getoption("--agent")).resolve())


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage for one test; all that runs on it ends with the test."""
    with Stage() as stage:
        request.node.stage = stage
        yield stage


@pytest.fixture
def make_cluster(stage: Stage, binary: str) -> Callable[..., Cluster]:
    """Makes the usual stage, not yet started."""
    return lambda **options: Cluster(stage, binary, **options)


@pytest.fixture
def make_push(stage: Stage, binary: str) -> Callable[..., PushCluster]:
    """Makes a stage whose agent pushes, not yet started."""
    return lambda **options: PushCluster(stage, binary, **options)


@pytest.fixture
def cluster(make_cluster: Callable[..., Cluster]) -> Cluster:
    """The usual stage with all well: a is the master, b and c its replicas."""
    cluster = make_cluster()
    cluster.start()
    return cluster


@pytest.fixture
def measured() -> Callable[[str, float, float], None]:
    """Notes a measured time and its goal, and fails beyond ten times the goal: machines differ."""

    def note(what: str, seconds: float, goal: float) -> None:
        _measured.append((what, seconds, goal))
        assert seconds <= 10 * goal, f"{what} took {seconds:.3f} s, the goal is {goal:g} s"

    return note
