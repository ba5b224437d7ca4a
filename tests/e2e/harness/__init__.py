"""The stage of the end-to-end tests: real servers, each an object that starts, freezes and dies."""

from .agent import Agent, NotifySocket, ask
from .agent_config import agent_config, node_address
from .cluster import BACKENDS, MASTER, REPLICA, Cluster, healthy
from .haproxy import HAProxy, Server
from .haproxy_config import HAProxyOptions, haproxy_config
from .network import Network, NoNetwork
from .process import MissingProgram, Process, Stage, find_program, free_port, wait_until
from .push import (
    IdleSession,
    LogWitness,
    PushCluster,
    assert_old_before_new,
    fail_over,
    states,
    swap,
)
from .redis import Redis, Sentinel
from .resp import RespClient, RespError
from .watch import Sampler, Writer

__all__ = [
    "BACKENDS",
    "MASTER",
    "REPLICA",
    "Agent",
    "Cluster",
    "HAProxy",
    "HAProxyOptions",
    "IdleSession",
    "LogWitness",
    "MissingProgram",
    "Network",
    "NoNetwork",
    "NotifySocket",
    "Process",
    "PushCluster",
    "Redis",
    "RespClient",
    "RespError",
    "Sampler",
    "Sentinel",
    "Server",
    "Stage",
    "Writer",
    "agent_config",
    "assert_old_before_new",
    "ask",
    "fail_over",
    "find_program",
    "free_port",
    "haproxy_config",
    "healthy",
    "node_address",
    "states",
    "swap",
    "wait_until",
]
