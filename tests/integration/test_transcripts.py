"""As a REST Proxy on a real Kafka and a real registry the shim answers as Confluent's does, and writes the same."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

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
from tests.contract.recorded_setup import LIMITS, MAX_REQUEST_SIZE, PARTITIONS, ask, landed, register, topic_of
from tests.contract.transcripts import Answer, Difference, Exchange, Landed, differences, exchanges, filled
from tests.stack import Stack
from topic_map import MemoryStore

REPLAYABLE = [
    each
    for each in exchanges()
    if each.route != "metadata" and each.setup["proxy"] == "rest" and not each.phase and "sr" not in each.setup
]
"""What needs no broken part, and no registry that forgets."""


def _registered(kind: str) -> set[str]:
    registered = (each for exchange in REPLAYABLE for each in exchange.setup.get("register") or ())
    return {each["schema"] for each in registered if each["schemaType"] == kind}


ALIKE = _registered("AVRO") & _registered("JSON")
"""Texts that this registry gives one id, whichever of the two they are; asked for that id it tells the first."""

EXCHANGES = [
    each
    for each in REPLAYABLE
    if not any(known["schemaType"] == "JSON" and known["schema"] in ALIKE for known in each.setup.get("register") or ())
]

AT_A_TIME = 8
"""Topics that are made and read at a time, which is mostly waiting."""


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
        services = assemble(settings, store, {"default": registry}, {"default": sink}, {}, metrics, opened.pop_all())
    try:
        with create_app(settings, services).test_client() as client:
            yield client
    finally:
        services.close()


class Replay:
    """The exchanges on a stack, each with a topic of its own."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def prepare(self, exchange: Exchange) -> None:
        """Create the topics of an exchange."""
        config = {"max.message.bytes": str(LIMITS.body_bytes), **(exchange.setup.get("topic_config") or {})}
        for topic, _ in exchange.setup.get("topics") or ():
            name = filled(topic, _values(exchange))
            self._stack.create_topic(name, PARTITIONS, **{key.replace(".", "_"): each for key, each in config.items()})

    def ask(
        self, client: FlaskClient, registry: CachedRegistry, exchange: Exchange
    ) -> tuple[Mapping[str, str], Answer]:
        """Send the request of an exchange; return what its placeholders stand for, and the answer."""
        values = _values(exchange)
        values |= register(registry, exchange, values)
        answer = ask(client, exchange, values)
        body = json.dumps(answer.body).replace(f"-{values['sfx']}", "").replace(values["sfx"], "")
        return values, answer._replace(body=json.loads(body))

    def landed(self, exchange: Exchange) -> list[Landed]:
        """Return what lies in the topic of an exchange; one that is not there holds nothing."""
        with suppress(KafkaException):
            records = self._stack.read_all(topic_of(exchange, _values(exchange)))
            return landed((each.partition, each.key, each.value, each.headers) for each in records)
        return []


def _values(exchange: Exchange) -> dict[str, str]:
    return {"topic": f"transcript-{exchange.id}", "cluster": "any", "sfx": f"of{exchange.id}"}


def unexplained(exchange: Exchange, values: Mapping[str, str], ours: Answer) -> list[Difference]:
    """Return the differences that no class explains."""
    case = Case(exchange, exchange.theirs(), ours)
    found = differences(exchange, case.theirs, case.ours, values)
    return [each for each in found if not any(known.explains(case, each) for known in UNBOUND)]


@pytest.mark.timeout(300)
def test_a_real_kafka_and_registry_make_no_difference(real_stack: Stack) -> None:
    replay, registry = Replay(real_stack), CachedRegistry(open_confluent_registry(real_stack.registry_url), ttl=0.0)
    with ThreadPoolExecutor(AT_A_TIME) as pool, proxy(real_stack, registry) as client:
        list(pool.map(replay.prepare, EXCHANGES))
        answers = [replay.ask(client, registry, exchange) for exchange in EXCHANGES]
        landed = pool.map(replay.landed, EXCHANGES)
        found = {
            exchange.id: unexplained(exchange, values, answer._replace(landed=records))
            for exchange, (values, answer), records in zip(EXCHANGES, answers, landed, strict=True)
        }
    registry.close()
    assert {name: still_open for name, still_open in found.items() if still_open} == {}
    assert len(found) > 300
