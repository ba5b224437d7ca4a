"""Redis nodes for the bench: they answer the agent's probes with the role that the bench wants.

One thread, no event loop of its own: the bench calls `serve` and knows what was answered, and when.
"""

from __future__ import annotations

import os
import select
import socket
import time
from dataclasses import dataclass


@dataclass
class History:
    """The lineage of a group's data: each change of master begins a new id."""

    replid: str = os.urandom(20).hex()
    former: str = "0" * 40
    offset: int = 1000
    second_offset: int = -1

    def turn(self) -> None:
        """A replica was promoted."""
        self.second_offset = self.offset + 1
        self.offset += 14
        self.former, self.replid = self.replid, os.urandom(20).hex()


class FakeNode:
    """A node that listens, and follows `master`, or is one."""

    password = ""

    def __init__(self, name: str, history: History) -> None:
        self.name, self.history = name, history
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.run_id = os.urandom(20).hex()
        self.master: FakeNode | None = None
        self.replicas = 0
        self.told = 0.0

    def replication(self) -> str:
        """Its INFO replication."""
        history = self.history
        lines = ["# Replication"]
        if self.master:
            lines += ["role:slave", "master_host:127.0.0.1", f"master_port:{self.master.port}"]
            lines += ["master_link_status:up", "master_last_io_seconds_ago:0"]
            lines += ["master_sync_in_progress:0", f"slave_repl_offset:{history.offset}"]
            lines += ["slave_priority:100", "slave_read_only:1", "replica_announced:1"]
        else:
            lines.append("role:master")
        lines += [f"connected_slaves:{self.replicas}", "master_failover_state:no-failover"]
        lines += [f"master_replid:{history.replid}", f"master_replid2:{history.former}"]
        lines += [f"master_repl_offset:{history.offset}"]
        lines += [f"second_repl_offset:{history.second_offset}", ""]
        return "\r\n".join(lines)

    def everything(self) -> str:
        """Its INFO."""
        server = ["# Server", "redis_version:7.0.15", "redis_mode:standalone"]
        server += [f"run_id:{self.run_id}", "uptime_in_seconds:1000", "# Persistence"]
        return "\r\n".join([*server, "loading:0", self.replication()])


class FakeNodes:
    """All nodes of a bench, served together."""

    def __init__(self, nodes: list[FakeNode]) -> None:
        self.poll = select.epoll()
        self.listeners = {node.listener.fileno(): node for node in nodes}
        self.clients: dict[int, tuple[socket.socket, FakeNode]] = {}
        for descriptor in self.listeners:
            self.poll.register(descriptor, select.EPOLLIN)

    def serve(self, wait: float = 0.0) -> None:
        """Answers what has come, after waiting for the first of it."""
        for descriptor, _ in self.poll.poll(wait):
            if descriptor in self.listeners:
                self._accept(self.listeners[descriptor])
            else:
                self._answer(descriptor)

    def serve_for(self, seconds: float) -> None:
        """Answers for that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.serve(left)

    def _accept(self, node: FakeNode) -> None:
        client, _ = node.listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clients[client.fileno()] = client, node
        self.poll.register(client, select.EPOLLIN)

    def _answer(self, descriptor: int) -> None:
        client, node = self.clients[descriptor]
        try:
            request = client.recv(65536)
        except ConnectionError:
            request = b""
        if not request:
            self.poll.unregister(descriptor)
            del self.clients[descriptor]
            client.close()
            return
        answer, infos = answer_to(request, node)
        client.sendall(answer)
        if infos:
            node.told = time.perf_counter()


def bulk(text: str) -> bytes:
    """A string as Redis sends it."""
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def answer_to(request: bytes, node: FakeNode) -> tuple[bytes, int]:
    """The answers to a pipeline of commands, and how many of them tell the role.

    The agent's commands are small and come whole.
    """
    words = request.split(b"\r\n")
    out, infos, at = [], 0, 0
    while at < len(words) and words[at].startswith(b"*"):
        count = int(words[at][1:])
        command = [word.upper() for word in words[at + 2 : at + 2 + 2 * count : 2]]
        at += 1 + 2 * count
        if command[0] == b"INFO":
            infos += 1
            short = command[1:] == [b"REPLICATION"]
            out.append(bulk(node.replication() if short else node.everything()))
        else:
            out.append(b"+PONG\r\n" if command[0] == b"PING" else b"+OK\r\n")
    return b"".join(out), infos
