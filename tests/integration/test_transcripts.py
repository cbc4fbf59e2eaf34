"""As a REST Proxy on a real Kafka and a real registry the shim answers as Confluent's does, and writes the same."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from confluent_kafka import KafkaException
from flask.testing import FlaskClient

from confluent_shim.app import create_app
from confluent_shim.services import assemble
from confluent_shim.settings import Cluster, RegistryEndpoint, Settings
from confluent_shim.sinks.kafka import KafkaSink
from confluent_shim.telemetry import Metrics
from jsonschema_bridge.registry import CachedRegistry
from jsonschema_bridge.registry.confluent import open_confluent_registry
from tests.contract.deliberate import UNBOUND, Case
from tests.contract.recorded_setup import LIMITS, MAX_REQUEST_SIZE, PARTITIONS, Record, ask, register
from tests.contract.transcripts import Difference, Exchange, differences, exchanges, filled
from tests.stack import Stack
from topic_map import MemoryStore

EXCHANGES = [
    each
    for each in exchanges()
    if each.route in ("v2", "batch") and each.setup["proxy"] == "rest" and not each.phase and "sr" not in each.setup
]
"""What needs no broken part, and no registry that forgets."""


@contextmanager
def proxy(stack: Stack, registry: CachedRegistry) -> Iterator[FlaskClient]:
    """Give a client of a shim that passes unbound topics."""
    settings = Settings(
        store="memory:",
        unbound="pass",
        producers_may_register=True,
        limits=LIMITS,
        clusters={"default": Cluster(registry=RegistryEndpoint(url=stack.registry_url))},
    )
    metrics = Metrics()
    sink = KafkaSink({"bootstrap.servers": stack.kafka_bootstrap, "message.max.bytes": str(MAX_REQUEST_SIZE)})
    store = MemoryStore(settings.registries())
    with ExitStack() as opened:
        opened.callback(metrics.close)
        opened.callback(sink.close)
        services = assemble(settings, store, {"default": registry}, {"default": sink}, metrics, opened.pop_all())
    with create_app(settings, services).test_client() as client:
        yield client
    services.close()


def replay(stack: Stack, registry: CachedRegistry, client: FlaskClient, exchange: Exchange) -> list[Difference]:
    """Replay an exchange with a topic of its own; return the differences that no class explains."""
    values = {"topic": f"transcript-{exchange.id}", "cluster": "any"}
    values |= register(registry, exchange, values)
    config = {"max.message.bytes": str(LIMITS.body_bytes), **(exchange.setup.get("topic_config") or {})}
    for topic, _ in exchange.setup.get("topics") or ():
        name = filled(topic, values)
        stack.create_topic(name, PARTITIONS, **{key.replace(".", "_"): value for key, value in config.items()})
    case = Case(exchange, exchange.theirs(), ask(client, exchange, values, reader(stack)))
    return [
        each
        for each in differences(exchange, case.theirs, case.ours, values)
        if not any(known.explains(case, each) for known in UNBOUND)
    ]


def reader(stack: Stack) -> Callable[[str], Iterator[Record]]:
    """Return what reads a topic; one that is not there holds nothing."""

    def read(topic: str) -> Iterator[Record]:
        try:
            found = stack.read_all(topic)
        except KafkaException:
            return
        for record in found:
            yield record.partition, record.key, record.value, record.headers

    return read


@pytest.mark.timeout(300)
def test_a_real_kafka_and_registry_make_no_difference(real_stack: Stack) -> None:
    registry = CachedRegistry(open_confluent_registry(real_stack.registry_url), ttl=0.0)
    with proxy(real_stack, registry) as client:
        found = {exchange.id: replay(real_stack, registry, client, exchange) for exchange in EXCHANGES}
    registry.close()
    assert {name: still_open for name, still_open in found.items() if still_open} == {}
    assert len(found) > 200
