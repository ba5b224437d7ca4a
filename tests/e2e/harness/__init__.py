"""The stage of the end-to-end tests: real servers, each an object that starts, freezes and dies."""

from .agent import Agent, NotifySocket, ask
from .agent_config import agent_config, node_address
from .cluster import BACKENDS, MASTER, REPLICA, Cluster, healthy
from .haproxy import HAProxy, Server
from .haproxy_config import haproxy_config
from .network import Network, NoNetwork
from .process import MissingProgram, Process, Stage, find_program, free_port, wait_until
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
    "MissingProgram",
    "Network",
    "NoNetwork",
    "NotifySocket",
    "Process",
    "Redis",
    "RespClient",
    "RespError",
    "Sampler",
    "Sentinel",
    "Server",
    "Stage",
    "Writer",
    "agent_config",
    "ask",
    "find_program",
    "free_port",
    "haproxy_config",
    "healthy",
    "node_address",
    "wait_until",
]
