"""A network of its own for a test: hosts on a switch, whose cables can be pulled.

Each host is a network namespace without a name, and so is the switch (a bridge): the kernel
removes them, with all that is in them, when the last process in them has ended and the tests have
closed their descriptors, however the tests end. Nothing touches the machine's own network.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import contextmanager
from typing import Iterator

from .place import Place
from .process import Stage, find_program

CLONE_NEWNET = 0x40000000
OWN_NAMESPACE = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


class NoNetwork(RuntimeError):
    """Network namespaces cannot be made here."""


def _call(function: str, *arguments: int) -> None:
    """A function of libc; Python has these two from 3.12."""
    if getattr(_libc, function)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


@contextmanager
def _elsewhere(function: str, *arguments: int) -> Iterator[None]:
    """The calling thread goes to another namespace, and returns."""
    home = os.open(OWN_NAMESPACE, os.O_RDONLY)
    try:
        _call(function, *arguments)
        try:
            yield
        finally:
            _call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


class Host(Place):
    """A host of the network: a namespace with a loopback of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        with _elsewhere("unshare", CLONE_NEWNET):
            self.descriptor = os.open(OWN_NAMESPACE, os.O_RDONLY)
        self.ip("link", "set", "lo", "up")

    @contextmanager
    def enter(self) -> Iterator[None]:
        with _elsewhere("setns", self.descriptor, CLONE_NEWNET):
            yield

    def ip(self, *words: str, other: Host | None = None) -> None:
        """Runs ip(8) here; it can reach the other host's namespace as /proc/self/fd/N."""
        descriptors = (other.descriptor,) if other else ()
        with self.enter():
            done = subprocess.run(
                [find_program("ip"), *words],
                capture_output=True,
                text=True,
                pass_fds=descriptors,
                check=False,
            )
        if done.returncode:
            raise NoNetwork(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def close(self) -> None:
        """Lets go of the namespace; calling it again does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


class Network:
    """A switch and its hosts: 10.77.0.0/24, or fd77::/64."""

    def __init__(self, stage: Stage, ipv6: bool = False) -> None:
        self.ipv6 = ipv6
        self.hosts: list[Host] = []
        stage.add(self)
        try:
            self.switch = self._make("switch")
            self.switch.ip("link", "add", "lan", "up", "type", "bridge")
        except (OSError, NoNetwork) as error:
            why = f"cannot make network namespaces, which takes root: {error}"
            raise NoNetwork(why) from None

    def _make(self, name: str) -> Host:
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def host(self, name: str) -> Host:
        """A new host, plugged in."""
        host = self._make(name)
        number = len(self.hosts)
        host.address = f"fd77::{number}" if self.ipv6 else f"10.77.0.{number}"
        port = ("link", "add", self._port(host), "master", "lan", "up", "type", "veth")
        peer = ("peer", "name", "eth0", "netns", f"/proc/self/fd/{host.descriptor}")
        self.switch.ip(*port, *peer, other=host)
        address = (f"{host.address}/64", "nodad") if self.ipv6 else (f"{host.address}/24",)
        host.ip("address", "add", *address, "dev", "eth0")
        host.ip("link", "set", "eth0", "up")
        return host

    @staticmethod
    def _port(host: Place) -> str:
        assert isinstance(host, Host)
        return f"to-{host.name}"

    def unplug(self, host: Place) -> None:
        """Nothing reaches the host any more, and nobody is told."""
        self.switch.ip("link", "set", self._port(host), "down")

    def plug(self, host: Place) -> None:
        """The host is back."""
        self.switch.ip("link", "set", self._port(host), "up")

    def part(self, *hosts: Place) -> None:
        """These hosts no longer reach each other, and are not told; all others reach them still."""
        for host in hosts:
            self._isolate(host, "on")

    def join(self, *hosts: Place) -> None:
        """They reach each other again."""
        for host in hosts:
            self._isolate(host, "off")

    def _isolate(self, host: Place, word: str) -> None:
        port = ("link", "set", self._port(host))
        self.switch.ip(*port, "type", "bridge_slave", "isolated", word)

    def stop(self) -> None:
        """Lets go of all namespaces; calling it again does nothing."""
        for host in self.hosts:
            host.close()
