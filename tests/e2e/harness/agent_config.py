"""The agent's configuration files, from Python values."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .redis import Redis


def value_text(value: Any) -> str:
    """A value as libconfig writes it. Lists of mappings are libconfig's lists of groups."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return "{ " + " ".join(f"{k} = {value_text(v)};" for k, v in value.items()) + " }"
    return "( " + ", ".join(value_text(element) for element in value) + " )"


def node_address(node: Redis) -> dict[str, str]:
    """A node as the configuration names it."""
    return {"name": node.name, "address": node.address}


def agent_config(
    nodes: Sequence[Redis],
    listen: Sequence[str],
    shard: Mapping[str, Any] | None = None,
    replica_pool: Mapping[str, Any] | None = None,
    agent_check: Mapping[str, Any] | None = None,
    **top: Any,
) -> str:
    """A configuration of one shard and two pools; the mappings add options or replace them."""
    settings: dict[str, Any] = {
        "shards": [
            {"name": "main", "nodes": [node_address(n) for n in nodes], **(shard or {})},
        ],
        "pools": [
            {"backend": "bk_redis_master", "shard": "main", "role": "master"},
            {
                "backend": "bk_redis_slave",
                "shard": "main",
                "role": "replica",
                **(replica_pool or {}),
            },
        ],
        "agent_check": {"listen": list(listen), **(agent_check or {})},
        **top,
    }
    return "".join(f"{key} = {value_text(value)};\n" for key, value in settings.items())
