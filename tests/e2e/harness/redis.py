"""Real Redis nodes and Sentinels."""

from __future__ import annotations

from typing import Any

from .place import LOOPBACK, Place
from .process import Process, Stage, find_program, free_port, wait_until
from .resp import RespClient, RespError, parse_info


class Redis(Process):
    """A redis-server. `options` are lines of redis.conf and may be changed between two starts."""

    kind = "redis"

    def __init__(
        self,
        stage: Stage,
        name: str,
        password: str = "",
        place: Place = LOOPBACK,
        **options: str,
    ) -> None:
        super().__init__(stage, name)
        self.place = place
        self.port = free_port()
        self.password = password
        self.options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "save": '""',
            "enable-debug-command": "yes",
            "repl-diskless-sync": "yes",
            "repl-diskless-sync-delay": "0",
        }
        if password:
            self.options |= {"requirepass": password, "masterauth": password}
        if place is not LOOPBACK:
            # The first address is the one that it speaks from, in some versions.
            self.options |= {"bind": f"{place.address} 127.0.0.1", "protected-mode": "no"}
        self.options |= {key.replace("_", "-"): value for key, value in options.items()}
        self.wait_loaded = True

    @property
    def address(self) -> str:
        """host:port"""
        return self.place.at(self.port)

    def command(self) -> list[str]:
        # A file, for Sentinel asks a node to rewrite its configuration; rewritten at each start, so
        # that a node that was killed returns as what it was at first.
        path = self.folder / "redis.conf"
        path.write_text("".join(f"{key} {value}\n" for key, value in self.options.items()))
        return [find_program("redis-server"), str(path)]

    def is_ready(self) -> bool:
        try:
            return "PONG" == self.call("PING")
        except RespError as error:
            return not self.wait_loaded and str(error).startswith("LOADING")
        except OSError:
            return False

    def client(self, timeout: float = 2.0) -> RespClient:
        """A new connection, logged in."""
        with self.place.enter():
            return RespClient(self.port, password=self.password, timeout=timeout)

    def call(self, *words: object) -> Any:
        """One command over a connection of its own."""
        with self.client() as client:
            return client.call(*words)

    def info(self, section: str) -> dict[str, str]:
        """The fields of a section of INFO."""
        return parse_info(self.call("INFO", section))

    def replicate(self, master: Redis, wait: bool = True) -> None:
        """Makes it a replica of `master`, and waits until the copy is complete."""
        self.call("REPLICAOF", master.place.address, master.port)
        if wait:
            self.wait_linked()

    def wait_linked(self, limit: float = 20.0) -> None:
        """Waits until its link to its master is up."""
        wait_until(
            lambda: self.info("replication").get("master_link_status") == "up",
            limit,
            lambda: f"{self.title} linked to its master: {self.info('replication')}",
        )

    def save(self) -> None:
        """Writes its data to disk; waits where a replica's copy is still being made."""

        def done() -> bool:
            try:
                return self.call("SAVE") == "OK"
            except RespError as error:
                assert "in progress" in str(error), error
                return False

        wait_until(done, 10, f"{self.title} saved")

    def promote(self) -> None:
        """Makes it a master."""
        self.call("REPLICAOF", "NO", "ONE")


class Sentinel(Process):
    """A redis-sentinel that watches one master under the name `mymaster`."""

    kind = "sentinel"

    def __init__(
        self, stage: Stage, name: str, master: Redis, quorum: int = 1, down_after_ms: int = 500
    ) -> None:
        super().__init__(stage, name)
        self.port = free_port()
        self.settings = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self.folder}",
            f"sentinel monitor mymaster 127.0.0.1 {master.port} {quorum}",
            f"sentinel down-after-milliseconds mymaster {down_after_ms}",
            "sentinel failover-timeout mymaster 5000",
            "sentinel parallel-syncs mymaster 1",
        ]

    def command(self) -> list[str]:
        path = self.folder / "sentinel.conf"
        path.write_text("\n".join(self.settings) + "\n")
        return [find_program("redis-sentinel"), str(path)]

    def is_ready(self) -> bool:
        try:
            return "PONG" == self.call("PING")
        except (OSError, RespError):
            return False

    def call(self, *words: object) -> Any:
        """One command over a connection of its own."""
        with RespClient(self.port) as client:
            return client.call(*words)

    def master(self) -> dict[str, str]:
        """SENTINEL MASTER, as fields."""
        flat = self.call("SENTINEL", "MASTER", "mymaster")
        return dict(zip(flat[::2], flat[1::2]))

    def _replicas_ready(self) -> int:
        """How many replicas it could promote: it has asked them for their link to the master."""
        replicas = self.call("SENTINEL", "REPLICAS", "mymaster")
        fields = [dict(zip(flat[::2], flat[1::2])) for flat in replicas]
        return sum(f["master-link-status"] == "ok" and f["flags"] == "slave" for f in fields)

    def wait_informed(self, replicas: int = 2, sentinels: int = 0, limit: float = 20.0) -> None:
        """Waits until it knows the replicas and the other Sentinels: only then can it fail over."""

        def look() -> bool:
            return (
                self._replicas_ready() >= replicas
                and int(self.master()["num-other-sentinels"]) >= sentinels
            )

        wait_until(look, limit, lambda: f"{self.title} informed: {self.master()}")
