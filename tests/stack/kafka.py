"""A real Apache Kafka on loopback: one node, broker and controller at once, or brokers that join it."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.stack.parts import kafka_folder
from tests.stack.process import JAVA, Process, StackError, free_port, listens

_CLUSTER_ID = "c2hpbS10ZXN0LXN0YWNrLQ"  # any 16 bytes in base64; clusters of tests never meet
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_TRIES = 3

# What every test needs from a broker, and why.
_PROPERTIES: Mapping[str, str] = {
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENTS",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT",
    # A produce to a topic nobody made has to fail, as it does in a well-kept cluster.
    "auto.create.topics.enable": "false",
    # The internal topics want three brokers and dozens of partitions by default; here is one broker in a hurry.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    # A group of one does not wait for more members, and may be as impatient as its test.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A lone voter has nobody to be elected against.
    "controller.quorum.election.timeout.ms": "200",
    # A killed broker may come back only when its old session is over, 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Records carry old timestamps in tests and may not be retired for it.
    "log.retention.ms": "-1",
    # Compaction can be watched within seconds on topics that ask for it, and costs 4 MB instead of 128.
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.initial.task.delay.ms": "500",
}


class Kafka:
    """One broker with its data in `folder`, which the caller removes; `properties` add to or replace the usual ones.

    `bootstrap` is its address from `start` on, and stays the same over `restart`. There everybody may do everything;
    with `users` (passwords by name) `guarded` is another address, for these users and what they were allowed to do.
    A broker that is to `join` another one, which runs, is no controller. The first broker of a Java that ends well
    leaves its loaded classes in the cache, with which later ones start faster.
    """

    def __init__(
        self,
        folder: Path,
        properties: Mapping[str, str] | None = None,
        *,
        users: Mapping[str, str] | None = None,
        join: "Kafka | None" = None,
        node: int = 1,
    ) -> None:
        self._folder = folder
        self._properties = dict(properties or {})
        self._users = users or {}
        self._join = join
        self._node = node
        self._ports: dict[str, int] = {}
        self._process: Process | None = None
        self._java: list[str] = []
        self._archive = Path()
        self._dump = folder / "classes.jsa"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._ports['CLIENTS']}"

    @property
    def guarded(self) -> str:
        return f"127.0.0.1:{self._ports['GUARDED']}"

    @property
    def pid(self) -> int:
        return self._started().pid

    def start(self) -> None:
        """Format the data folder, start the broker and wait until clients can connect. Raises StackError."""
        libraries = kafka_folder()
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in reversed(range(_TRIES)):
            self._format(libraries)
            try:
                self._launch()
            except StackError as error:
                # Somebody took a port between its choice and its use.
                if not left or "Address already in use" not in str(error):
                    raise
                shutil.rmtree(self._folder / "data")
            else:
                return

    def restart(self) -> None:
        """Start a stopped or killed broker again, or end and start a running one: same address, same data."""
        self.stop()
        self._launch()

    def let_in(self, users: Mapping[str, str]) -> None:
        """Restart the broker with other users, or other passwords of the same ones."""
        self.stop()
        self._users = users
        self._configure()
        self._launch()

    def stop(self) -> None:
        """End the broker in order; ended already is fine."""
        if self._started().stop() and self._dump.exists():
            # The cache may be on another disk than the data: copied under a name of its own, then renamed.
            arriving = self._archive.with_suffix(f".{os.getpid()}")
            shutil.move(self._dump, arriving)
            arriving.replace(self._archive)

    def kill(self) -> None:
        """End the broker as a power cut would; ended already is fine."""
        self._started().kill()

    def pause(self) -> None:
        """Freeze the broker: connections stay open, nothing is answered, nothing is lost."""
        self._started().pause()

    def resume(self) -> None:
        """Let a frozen broker go on."""
        self._started().resume()

    def _format(self, libraries: Path) -> None:
        """Choose ports and make the data folder of a new broker."""
        names = ["CLIENTS", *(["GUARDED"] if self._users else []), *([] if self._join else ["CONTROLLER"])]
        self._ports = {name: free_port() for name in names}
        self._java = [*JAVA, _QUIET, "-cp", f"{libraries}/*"]
        self._archive = libraries.with_name(f"{libraries.name}-{_java_identity()}.jsa")
        storage = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._configure())]
        Process("format", [*self._java, *self._use_archive(), *storage], self._folder).run()

    def _configure(self) -> Path:
        controller = self._join or self
        configuration = {
            **_PROPERTIES,
            "process.roles": "broker" if self._join else "broker,controller",
            "node.id": str(self._node),
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in self._ports.items()),
            "controller.quorum.voters": f"{controller._node}@127.0.0.1:{controller._ports['CONTROLLER']}",
            "log.dirs": str(self._folder / "data"),
            **(_guard(self._users) if self._users else {}),
            **self._properties,
        }
        file = self._folder / "kafka.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in configuration.items()))
        return file

    def _use_archive(self) -> list[str]:
        """Return the flag that uses the class archive, if there is one. Java passes over one that does not fit."""
        return [f"-XX:SharedArchiveFile={self._archive}"] if self._archive.exists() else []

    def _launch(self) -> None:
        archive = self._use_archive() or [f"-XX:ArchiveClassesAtExit={self._dump}"]
        command = [*self._java, *archive, "kafka.Kafka", str(self._folder / "kafka.properties")]
        self._process = Process("kafka", command, self._folder)
        self._process.start(lambda: listens(self._ports["CLIENTS"]))

    def _started(self) -> Process:
        if self._process is None:
            raise StackError("kafka was never started")
        return self._process


def _guard(users: Mapping[str, str]) -> dict[str, str]:
    """Return what lets in `users` with their passwords and asks what they may do; who comes unasked is the operator."""
    known = "".join(f' user_{name}="{password}"' for name, password in users.items())
    return {
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.guarded.plain.sasl.jaas.config": (
            f"org.apache.kafka.common.security.plain.PlainLoginModule required{known};"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _java_identity() -> str:
    """Return what changes when Java is upgraded: an archive serves only the Java that wrote it."""
    program = Path(os.path.realpath(shutil.which("java") or "java"))
    return hashlib.sha256(f"{program} {program.stat().st_mtime_ns}".encode()).hexdigest()[:12]
