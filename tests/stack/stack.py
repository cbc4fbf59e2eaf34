"""A Kafka and a registry for one run of the tests, whichever kind this machine can have."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from confluent_shim.devstack import MockKafka, registry_app, serving
from jsonschema_bridge.registry import MemoryRegistry
from tests.stack import topics
from tests.stack.kafka import Kafka
from tests.stack.parts import fill_cache, missing_parts
from tests.stack.process import StackError
from tests.stack.registry import AxonOpsRegistry

Kind = Literal["real", "embedded", "external", "auto"]

KAFKA_VARIABLE = "STACK_KAFKA"
REGISTRY_VARIABLE = "STACK_REGISTRY"


@dataclass(frozen=True)
class Stack:
    """Where a running stack is. `kafka` and `registry` are None where it owns none."""

    name: Literal["real", "embedded", "external"]
    kafka_bootstrap: str
    registry_url: str
    kafka: Kafka | None = None
    registry: AxonOpsRegistry | None = None

    def create_topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Create a topic; ``cleanup_policy="compact"`` stands for ``cleanup.policy``.

        The embedded Kafka knows no CreateTopics: there the topic appears with 4 partitions and no configuration.
        """
        if self.name == "embedded":
            topics.create_on_mock(self.kafka_bootstrap, name)
            return
        dotted = {key.replace("_", "."): value for key, value in config.items()}
        topics.create_on_kafka(self.kafka_bootstrap, name, partitions, dotted)

    def end_offsets(self, topic: str) -> int:
        """Return how many offsets the topic has used, over all partitions: whatever was written moves it."""
        return topics.end_offsets(self.kafka_bootstrap, topic)

    def read_all(self, topic: str) -> list[topics.Record]:
        """Return the topic's committed records, by partition and offset."""
        return topics.read_all(self.kafka_bootstrap, topic)


@contextmanager
def start_stack(kind: Kind = "auto") -> Iterator[Stack]:
    """Start a stack, yield it, end it. Raises StackError.

    "auto" is "external" where the environment names one, else "real" where `missing_parts` is empty, else "embedded".
    """
    starters = {"real": _real, "embedded": _embedded, "external": _external}
    with starters[_chosen() if kind == "auto" else kind]() as stack:
        yield stack


def is_external() -> bool:
    """Tell whether the environment names a running Kafka."""
    return KAFKA_VARIABLE in os.environ


def _chosen() -> Literal["real", "embedded", "external"]:
    if is_external():
        return "external"
    return "embedded" if missing_parts() else "real"


@contextmanager
def _real() -> Iterator[Stack]:
    missing = missing_parts()
    if missing:
        raise StackError(f"the real stack needs {', '.join(missing)}")
    fill_cache()
    with ExitStack() as running:
        folder = Path(tempfile.mkdtemp(prefix="shim-stack-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        registry = AxonOpsRegistry(folder / "registry")
        registry.start()
        running.callback(registry.stop)
        kafka = Kafka(folder / "kafka")
        kafka.start()
        running.callback(kafka.stop)
        yield Stack("real", kafka.bootstrap, registry.url, kafka, registry)


@contextmanager
def _embedded() -> Iterator[Stack]:
    kafka = MockKafka()
    try:
        with serving(registry_app(MemoryRegistry())) as registry_url:
            yield Stack("embedded", kafka.bootstrap, registry_url)
    finally:
        kafka.close()


@contextmanager
def _external() -> Iterator[Stack]:
    if not is_external() or REGISTRY_VARIABLE not in os.environ:
        raise StackError(f"{KAFKA_VARIABLE} and {REGISTRY_VARIABLE} must name a Kafka and a registry")
    yield Stack("external", os.environ[KAFKA_VARIABLE], os.environ[REGISTRY_VARIABLE])
