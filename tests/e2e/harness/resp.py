"""A RESP client of a few lines: enough to talk to Redis and Sentinel, over one TCP connection."""

from __future__ import annotations

import socket
from typing import Any


class RespError(Exception):
    """An error reply."""


def encode(*words: object) -> bytes:
    """A command as it goes over the wire."""
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class RespClient:
    """One connection. Strings are decoded; error replies are raised."""

    def __init__(self, port: int, password: str = "", username: str = "", timeout: float = 2.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        if password:
            self.call("AUTH", *([username] if username else []), password)

    def __enter__(self) -> RespClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.file.close()
        self.socket.close()

    def send(self, *commands: tuple[object, ...]) -> None:
        """Sends commands without waiting for their replies."""
        self.socket.sendall(b"".join(encode(*command) for command in commands))

    def call(self, *words: object) -> Any:
        """Sends one command and returns its reply."""
        self.send(words)
        return self.read()

    def read(self) -> Any:
        """Reads one reply."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("connection closed in the middle of a reply")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RespError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._read_bulk(int(rest))
        if kind == b"*":
            return None if int(rest) < 0 else [self.read() for _ in range(int(rest))]
        raise ConnectionError(f"no RESP: {line!r}")

    def _read_bulk(self, size: int) -> str | None:
        if size < 0:
            return None
        data = self.file.read(size + 2)
        if len(data) < size + 2:
            raise ConnectionError("connection closed in the middle of a reply")
        return data[:-2].decode(errors="replace")


def parse_info(text: str) -> dict[str, str]:
    """The fields of an INFO reply."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
