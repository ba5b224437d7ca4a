"""Where a process runs: an address, and a way for the tests to be there too."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


class Place:
    """This machine's loopback, where all runs unless a test makes a network."""

    address = "127.0.0.1"

    def enter(self) -> AbstractContextManager[None]:
        """Sockets made, and threads and processes started, inside `with` belong to this place."""
        return nullcontext()

    def at(self, port: int) -> str:
        """address:port"""
        return f"[{self.address}]:{port}" if ":" in self.address else f"{self.address}:{port}"


LOOPBACK = Place()
