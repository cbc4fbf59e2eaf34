"""A shim in the state in which an exchange was recorded: topics, schemas, limits, rights, and what was down."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from confluent_kafka import KafkaError
from flask.testing import FlaskClient

from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.settings import Limits
from confluent_shim.sinks.delivery_errors import failed
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.settled import Settled
from jsonschema_bridge import (
    NotFramed,
    RegisteredSchema,
    Registry,
    RegistryUnauthorized,
    RegistryUnavailable,
    Schema,
    SchemaIncompatible,
    unframe,
)
from jsonschema_bridge.registry import MemoryRegistry, SchemaKind
from tests.contract.transcripts import Answer, Exchange, Landed, answer_of, filled
from tests.parts import Shim, memory_shim

TOPIC = "t"
PARTITIONS = 3
MAX_REQUEST_SIZE = 20_971_520
"""What the recorded proxy took as one record; it took bodies of any size."""
LIMITS = Limits(body_bytes=2**26, bytes=2**27, record_bytes=MAX_REQUEST_SIZE)

_REGISTRY_GONE = ("registry killed", "registry SIGSTOP", "sr_down")
_BROKER_GONE = ("broker killed", "broker SIGSTOP")
_OF_PROXY = {"sasl": KafkaError.TOPIC_AUTHORIZATION_FAILED, "saslbad": KafkaError.SASL_AUTHENTICATION_FAILED}

Headers = tuple[tuple[str, bytes | None], ...]
Record = tuple[int, bytes | None, bytes | None, Headers]
"""What lies in a topic: partition, key, value, headers."""


class RecordedKafka(MemorySink):
    """A memory sink that may refuse records as a topic's configuration has it, or answer everything with one error."""

    def __init__(self, *, creates_topics: bool) -> None:
        super().__init__(partitions=PARTITIONS, creates_topics=creates_topics)
        self.largest = MAX_REQUEST_SIZE
        self.compacts = False
        self.latest: float | None = None
        """The last time, in ms since 1970, that a record may have."""
        self.error: int | None = None

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Settled:
        del client
        return Settled([self._one(topic, record) for record in records])

    def _one(self, topic: str, record: AdmittedRecord) -> Delivery:
        error = self._against(record)
        return super().hand_over(topic, [record]).deliveries[0] if error is None else failed(KafkaError(error))

    def _against(self, record: AdmittedRecord) -> int | None:
        sent_at = None if record.extras is None else record.extras.timestamp
        if len(record.value or b"") > self.largest:
            return KafkaError.MSG_SIZE_TOO_LARGE
        if self.compacts and record.key is None:
            return KafkaError.INVALID_RECORD
        if self.latest is not None and (sent_at or 0) > self.latest:
            return KafkaError.INVALID_TIMESTAMP
        return self.error


class RecordedRegistry(MemoryRegistry):
    """A memory registry that finds another type incompatible, and may refuse everything, or not answer at all."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None

    def schema(self, schema_id: int) -> Schema:
        self._answer()
        return super().schema(schema_id)

    def versions(self, subject: str) -> tuple[int, ...]:
        self._answer()
        return super().versions(subject)

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        self._answer()
        return super().registered(subject, version)

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        self._answer()
        return super().lookup(subject, schema)

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        self._answer()
        for entry in self._entries(subject):
            if _type(entry.schema) != _type(schema):
                raise SchemaIncompatible(subject, "Schema being registered is incompatible with an earlier schema")
        return super().register(subject, schema)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure


def _type(schema: Schema) -> object:
    if schema.kind == "PROTOBUF":
        return None
    document = msgspec.json.decode(schema.text)
    return document.get("type") if isinstance(document, dict) else document


def ask(client: FlaskClient, exchange: Exchange, values: Mapping[str, str]) -> Answer:
    """Send the request of an exchange, and return the answer."""
    request = exchange.request
    # What is no text has no placeholders.
    body = filled(exchange.body.decode("utf-8", "surrogateescape"), values).encode("utf-8", "surrogateescape")
    answer = client.open(
        filled(exchange.path, values),
        method=request["method"],
        data=body,
        headers=request.get("headers") or {},
        buffered=True,  # a stream's answer is there when it has been closed
    )
    return answer_of(answer.status_code, answer.headers.get("Content-Type"), answer.text, None)


def topic_of(exchange: Exchange, values: Mapping[str, str]) -> str:
    """Return the topic that a request is for."""
    return unquote(filled(exchange.path, values).partition("/topics/")[2].partition("/")[0].partition(";")[0])


class Scene(NamedTuple):
    """A shim with what has been done before an exchange, and the values of the exchange's placeholders."""

    shim: Shim
    exchange: Exchange
    values: Mapping[str, str]

    def ask(self) -> Answer:
        """Send the request, and return the answer and what lies in Kafka afterwards."""
        answer = ask(self.shim.client, self.exchange, self.values)
        return answer._replace(landed=landed(self._read(topic_of(self.exchange, self.values))))

    def _read(self, topic: str) -> Iterator[Record]:
        for partition, _, record in self.shim.sink.read(topic):
            headers = () if record.extras is None else tuple(record.extras.headers)
            yield partition, record.key, record.value, headers


@contextmanager
def recorded_setup(
    exchange: Exchange, ready: Callable[[Scene], None] = lambda _: None, **settings: Any
) -> Iterator[Scene]:
    """Give a shim in the state in which the exchange was recorded; `ready` comes before anything breaks."""
    kafka, registry = RecordedKafka(creates_topics=exchange.phase == "autocreate"), RecordedRegistry()
    with memory_shim(sink=kafka, registry=registry, limits=LIMITS, **settings) as shim:
        values = {"topic": TOPIC, "cluster": "memory"}
        values |= register(registry, exchange, values)
        scene = Scene(shim, exchange, values)
        for topic, _ in exchange.setup.get("topics") or ():
            shim.sink.create_topic(filled(topic, values))
        if exchange.id.startswith("O") and "cold" not in exchange.path:
            shim.sink.create_topic(topic_of(exchange, values))
        ready(scene)
        _break(scene, kafka, registry)
        yield scene


def register(registry: Registry, exchange: Exchange, values: Mapping[str, str]) -> dict[str, str]:
    """Register what had been registered, and return the values of the placeholders for its ids and versions."""
    more: dict[str, str] = {}
    for each in exchange.setup.get("register") or ():
        kind: SchemaKind = each.get("schemaType", "AVRO")
        found = registry.register(filled(each["subject"], values), Schema(filled(each["schema"], values), kind))
        if "as" in each:
            more |= {f"{each['as']}id": str(found.schema_id), f"{each['as']}ver": str(found.version)}
    if exchange.id.startswith("O"):  # outages were recorded one after the other, with this schema
        registry.register(f"{topic_of(exchange, values)}-value", Schema('"string"', "AVRO"))
    return more


def _break(scene: Scene, kafka: RecordedKafka, registry: RecordedRegistry) -> None:
    exchange = scene.exchange
    for method, path, _ in exchange.setup.get("sr") or ():
        if method == "DELETE":
            registry.delete(filled(path, scene.values).split("/")[2])
    most = 1_048_576 if exchange.setup["proxy"] == "rest1m" else MAX_REQUEST_SIZE
    configs = exchange.setup.get("topic_config") or {}
    kafka.largest = int(configs.get("max.message.bytes", most))
    kafka.compacts = "compact" in configs.get("cleanup.policy", "")
    if "message.timestamp.after.max.ms" in configs:
        kafka.latest = time.time() * 1000 + int(configs["message.timestamp.after.max.ms"])
    if exchange.id.startswith("O") and "cold" not in exchange.path:
        scene.ask()  # so that schemas are known that were said to be
        kafka._logs.clear()
    if exchange.phase in _REGISTRY_GONE:
        registry.failure = RegistryUnavailable("Connection refused")
    if exchange.phase in _BROKER_GONE and "cold" not in exchange.path:
        kafka.error = KafkaError._MSG_TIMED_OUT
    if exchange.setup["proxy"] == "sr403":
        registry.failure = RegistryUnauthorized("HTTP 403")
    kafka.error = _OF_PROXY.get(exchange.setup["proxy"], kafka.error)


def landed(records: Iterable[Record]) -> list[Landed]:
    """Return what landed as the recordings have it."""
    return [_landed(*record) for record in records]


def _landed(partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> Landed:
    bare_key, key_id = _unframed(key)
    bare_value, value_id = _unframed(value)
    return Landed(bare_key, bare_value, key_id, value_id, partition, headers)


def _unframed(payload: bytes | None) -> tuple[bytes | None, int | None]:
    """Take a frame off, as the recordings do with whatever looks like one."""
    if payload is None:
        return None, None
    try:
        schema_id, rest = unframe(payload)
    except NotFramed:
        return payload, None
    return rest, schema_id
