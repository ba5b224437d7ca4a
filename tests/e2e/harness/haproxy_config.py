"""HAProxy's configuration for the tests: what users have today, and the agent's words.

The lines are those of `redis-role-agent haproxy-config`: the checks of the role stay as the floor,
the agent is the veto, and the guard lines take over when the agent is silent. Where no replica
can serve reads, the frontend sends them to the master.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from .redis import Redis


@dataclass
class HAProxyPorts:
    """Where HAProxy listens."""

    master: int
    replica: int


@dataclass(frozen=True)
class HAProxyOptions:
    """How a user's HAProxy differs from the usual one."""

    guards: bool = True
    agent_check: bool = True
    agent_inter: str = "200ms"
    level: str = "admin"
    ring: bool = False
    hard_stop_after: str = "30s"
    master_worker: bool = False


GLOBAL = """\
global
    stats socket {socket} mode 660 level {level}
    max-spread-checks 1ms
    hard-stop-after {hard_stop_after}
    nbthread 2
{ring}defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
"""

RING = """\
ring events
    size 65536
"""

FRONTENDS = """\
frontend ft_redis_master
    bind 127.0.0.1:{ports.master}
    tcp-request inspect-delay 250ms
    tcp-request content accept if {{ nbsrv(bk_redis_master) eq 1 }}
    tcp-request content reject if WAIT_END {{ nbsrv(bk_redis_master) gt 1 }}
    tcp-request content accept if WAIT_END
{floor}    default_backend bk_redis_master
frontend ft_redis_slave
    bind 127.0.0.1:{ports.replica}
    use_backend bk_redis_master if {{ nbsrv(bk_redis_slave) eq 0 }}
    default_backend bk_redis_slave
"""

FLOOR_RULE = """\
    use_backend bk_floor if { nbsrv(be_agent) eq 0 } { nbsrv(bk_redis_master) eq 0 }
"""

BE_AGENT = """\
backend be_agent
    option tcp-check
    tcp-check send agent\\n
    tcp-check expect string up
    server agent 127.0.0.1:{agent_port} check inter 500ms fall 4 rise 1
"""


def backend(
    name: str, role: str, default_server: str, servers: list[str], password: str, ring: bool = False
) -> str:
    """A backend that asks each node for its role."""
    lines = [f"backend {name}", "balance roundrobin", "option tcp-check"]
    if ring:
        lines.append("log ring@events local0 notice")
    if password:
        lines.append(f"tcp-check send AUTH\\ {password}\\r\\n")
    lines.append("tcp-check send info\\ replication\\r\\nQUIT\\r\\n")
    lines.append(f"tcp-check expect string role:{role}")
    lines.append(f"default-server check inter 1s fall 1 rise 1 {default_server}".rstrip())
    return "\n    ".join(lines + servers) + "\n"


def haproxy_config(
    nodes: Sequence[Redis],
    ports: HAProxyPorts,
    socket: Path,
    agent_port: int,
    options: HAProxyOptions = HAProxyOptions(),
) -> str:
    """The whole configuration for these nodes."""
    password = nodes[0].password
    agent = "on-marked-down shutdown-sessions"
    if options.agent_check:
        agent += f" agent-check agent-addr 127.0.0.1 agent-port {agent_port}"
        agent += f" agent-inter {options.agent_inter}"

    def servers(name: str) -> list[str]:
        send = f" agent-send {name}/%s\\n" if options.agent_check else ""
        return [f"server {n.name} {n.address}" + send.replace("%s", n.name) for n in nodes]

    text = GLOBAL.format(
        socket=socket,
        level=options.level,
        hard_stop_after=options.hard_stop_after,
        ring=RING if options.ring else "",
    )
    text += FRONTENDS.format(ports=ports, floor=FLOOR_RULE if options.guards else "")
    for name, role in (("bk_redis_master", "master"), ("bk_redis_slave", "slave")):
        text += backend(name, role, agent, servers(name), password, options.ring)
    if options.guards:
        text += BE_AGENT.format(agent_port=agent_port)
        plain = [f"server {node.name} {node.address}" for node in nodes]
        text += backend("bk_floor", "master", "", plain, password)
    return text
