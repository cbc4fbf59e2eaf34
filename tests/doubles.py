"""Named stand-ins for what a test does not want to depend on."""

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.sinks.delivery_errors import undelivered
from confluent_shim.sinks.memory import MemoryMetadata, MemorySink
from confluent_shim.sinks.metadata import ClusterMetadata, Partition
from confluent_shim.sinks.settled import Settled
from jsonschema_bridge.errors import RegistryUnavailable
from jsonschema_bridge.registry import CachedRegistry, MemoryRegistry, RegisteredSchema, Schema

STRING = Schema('{"type":"string"}', "JSON")
NUMBER = Schema('{"type":"number"}', "JSON")
SILENCE = RegistryUnavailable("no answer within 2 s")


class FrozenClock:
    """A clock in seconds that only moves when a test moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ScriptedRegistry:
    """A memory registry that counts calls, and fails or waits as a test says.

    While `failure` is set, every call raises it. While `gate` is set, every call first waits for it; `entered`
    is released once by each call that arrives.
    """

    def __init__(self, content: MemoryRegistry | None = None) -> None:
        self.content = content if content is not None else MemoryRegistry("http://registry.test")
        self.calls: Counter[str] = Counter()
        self.failure: Exception | None = None
        self.gate: threading.Event | None = None
        self.entered = threading.Semaphore(0)
        self.closed = False

    @property
    def identity(self) -> str:
        return self.content.identity

    def schema(self, schema_id: int) -> Schema:
        self._play("schema")
        return self.content.schema(schema_id)

    def versions(self, subject: str) -> tuple[int, ...]:
        # Read before waiting: an answer on its way may be overtaken by a change.
        try:
            return self.content.versions(subject)
        finally:
            self._play("versions")

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        self._play("registered")
        return self.content.registered(subject, version)

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        self._play("lookup")
        return self.content.lookup(subject, schema)

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        self._play("register")
        return self.content.register(subject, schema)

    def subjects(self) -> list[str]:
        self._play("subjects")
        return self.content.subjects()

    def ping(self) -> None:
        self._play("ping")

    def close(self) -> None:
        self.closed = True

    def _play(self, operation: str) -> None:
        self.calls[operation] += 1
        gate, failure = self.gate, self.failure
        self.entered.release()
        if gate is not None and not gate.wait(30):
            raise AssertionError("the test never opened the gate")
        if failure is not None:
            raise failure


class HeadlessMetadata(MemoryMetadata):
    """A cluster in the middle of an election: no controller and no leaders."""

    def read(self) -> ClusterMetadata:
        cluster = super().read()
        topics = {
            name: topic._replace(partitions=tuple(self._headless(partition) for partition in topic.partitions))
            for name, topic in cluster.topics.items()
        }
        return cluster._replace(controller=None, topics=topics)

    def _headless(self, partition: Partition) -> Partition:
        replicas = tuple(replica._replace(leader=False) for replica in partition.replicas)
        return partition._replace(leader=None, replicas=replicas)

    def configs(self, topic: str) -> Mapping[str, str | None]:
        raise AssertionError(f"there is nobody to be asked for the configuration of {topic}")


@dataclass
class RecordingObserver:
    """Keeps what a CachedRegistry tells."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    stale: list[tuple[str, float]] = field(default_factory=list)
    recoveries: int = 0

    def on_request(self, operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((operation, outcome))

    def on_stale(self, operation: str, age_seconds: float) -> None:
        self.stale.append((operation, age_seconds))

    def on_recovered(self) -> None:
        self.recoveries += 1


class ArrivingBody:
    """The body of a request that arrives while it is read, as a server hands it out: `read` waits for all it asks for.

    A test that waits for what nobody sends fails after a while.
    """

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._bytes = bytearray()
        self._over = False

    def send(self, data: bytes) -> None:
        with self._arrived:
            self._bytes += data
            self._arrived.notify_all()

    @property
    def is_empty(self) -> bool:
        """Tell whether all that was sent was read."""
        return not self._bytes

    def end(self) -> None:
        """Say that nothing more comes, be it that the client is done or that it is gone."""
        with self._arrived:
            self._over = True
            self._arrived.notify_all()

    def read(self, size: int) -> bytes:
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._bytes) >= size or self._over, 30):
                raise AssertionError("the test never sent what is read")
            data = bytes(self._bytes[:size])
            del self._bytes[:size]
            return data


class Heard(threading.Semaphore):
    """Released for each handover of which something is heard; who wants to be told is told then."""

    def __init__(self) -> None:
        super().__init__(0)
        self.tell: list[Callable[[], None]] = []

    def release(self, n: int = 1) -> None:
        super().release(n)
        for each in list(self.tell):
            each()


class LateSink(MemorySink):
    """A memory sink of which nothing is heard until the test lets it: `heard` is released for each handover."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = Heard()
        self.handed_over = threading.Semaphore(0)

    def hand_over(  # type: ignore[override]
        self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY
    ) -> "LateHandover":
        late = LateHandover(super().hand_over(topic, records, client), self.heard)
        self.handed_over.release()
        return late

    def await_handovers(self, count: int) -> None:
        """Wait until records were handed over so many times more."""
        for _ in range(count):
            assert self.handed_over.acquire(timeout=30)


class LateHandover:
    """Records of a LateSink."""

    def __init__(self, settled: Settled, heard: Heard) -> None:
        self._settled = settled
        self._heard = heard
        self._is_known = False

    def ready(self) -> bool:
        self._is_known = self._is_known or self._heard.acquire(blocking=False)
        return self._is_known

    def tell(self, when_ready: Callable[[], None]) -> None:
        def heard() -> None:
            if self.ready():
                when_ready()

        self._heard.tell.append(heard)
        heard()

    def wait(self, end: float) -> list[Delivery]:
        if self._is_known or self._heard.acquire(timeout=max(0.0, end - time.monotonic())):
            return self._settled.deliveries
        return [undelivered() for _ in self._settled.deliveries]


class HeldBack:
    """Collects what should run in the background, to be run when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


class Held(io.RawIOBase):
    """A body that does not arrive until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def readable(self) -> bool:
        return True

    def read(self, _size: int = -1) -> bytes:
        self.entered.set()
        assert self.released.wait(30)
        return b'{"records":[{"value":{"id":1}}]}'


class CacheScene:
    """A cache of 5 s and 3 entries before a scripted registry in which subject `s` holds STRING."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.inner = ScriptedRegistry()
        self.observer = RecordingObserver()
        self.background = HeldBack()
        self.inner.content.register("s", STRING)
        self.cache = CachedRegistry(
            self.inner,
            capacity=3,
            clock=self.clock,
            observer=self.observer,
            background=self.background,
        )

    def fail_once(self) -> None:
        """Let the registry fall silent and the cache notice."""
        self.inner.failure = SILENCE
        with pytest.raises(RegistryUnavailable):
            self.cache.ping()

    def together(self, callers: int) -> list[Future[tuple[int, ...]]]:
        """List the versions of `s` from several threads, of which the first is held inside the registry."""
        self.inner.gate = threading.Event()
        with ThreadPoolExecutor(callers) as pool:
            first = pool.submit(self.cache.versions, "s")
            assert self.inner.entered.acquire(timeout=30)
            others = [pool.submit(self.cache.versions, "s") for _ in range(callers - 1)]
            self.inner.gate.set()
        return [first, *others]
