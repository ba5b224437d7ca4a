"""HAProxy's own test tool (varnishtest) proves what push and pull rest on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import Stage, find_program


def test_agent_check_and_runtime_socket(stage: Stage) -> None:
    """Both write one mark: the later word wins, checks and operators leave it alone."""
    script = Path(__file__).with_name("agent_check.vtc")
    haproxy = f"HAPROXY_PROGRAM={find_program('haproxy')}"
    result = subprocess.run(
        ["env", haproxy, f"TMPDIR={stage.folder}", find_program("varnishtest"), "-v", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-12_000:]
