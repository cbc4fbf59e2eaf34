"""Real events of Wikimedia's streams, each through a binding for its own schema."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.e2e.server import Server, configuration, serving
from tests.shared_data import EVENTS, SCHEMAS
from tests.stack import Stack

_RUN = uuid.uuid4().hex[:8]


@dataclass(frozen=True)
class Stream:
    """A schema and the events that were recorded under it, with the verdict that the file gives of each."""

    schema: Mapping[str, Any]
    events: tuple[tuple[dict[str, Any], bool], ...]

    @property
    def topic(self) -> str:
        """Return the schema's title and version in the characters that Kafka takes."""
        return re.sub(r"[^A-Za-z0-9._-]", ".", self.schema["$id"].strip("/")) + f".{_RUN}"


def _streams() -> dict[str, Stream]:
    events: dict[str, list[tuple[dict[str, Any], bool]]] = {}
    for line in EVENTS.read_text().splitlines():
        found = json.loads(line)
        events.setdefault(found["schema"], []).append((found["event"], found["valid"]))
    schemas = {found["id"]: found["schema"] for found in map(json.loads, SCHEMAS.read_text().splitlines())}
    return {schema_id: Stream(schemas[schema_id], tuple(events[schema_id])) for schema_id in events}


STREAMS = _streams()


def repeats_an_id(schema: Mapping[str, Any]) -> bool:
    """Tell whether two places of a schema have the same `$id`, as fragments have that were copied in twice."""
    found = list(_ids(schema["properties"]))
    return len(set(found)) < len(found)


def _ids(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$id"), str):
            yield node["$id"]
        for child in node.values():
            yield from _ids(child)


@pytest.fixture(scope="module")
def lenient(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with the registry inside it, which takes what AxonOps refuses: an `$id` at two places."""
    folder = tmp_path_factory.mktemp("lenient")
    with serving(configuration(folder, stack.kafka_bootstrap, "memory:")) as server:
        yield server


@pytest.fixture(scope="module")
def servers(server: Server, lenient: Server, stack: Stack) -> dict[str, Server]:
    """Bind a topic for each schema; return the server on which it is bound."""
    chosen = {}
    for schema_id, stream in STREAMS.items():
        stack.create_topic(stream.topic)
        chosen[schema_id] = lenient if repeats_an_id(stream.schema) else server
        chosen[schema_id].bind(stream.topic, schema=json.dumps(stream.schema))
    return chosen


class Reader:
    """One consumer of all topics: to make one for each, or to turn it to each, would take most of the time."""

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "tests-wikimedia",  # never joined
                "fetch.wait.max.ms": 10,
                "log_level": 3,
            }
        )
        self._values: dict[tuple[str | None, int | None, int | None], bytes | None] = {}
        self._consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING)
                for topic in topics
                for number in self._consumer.list_topics(topic, timeout=10.0).topics[topic].partitions
            ]
        )

    def value_at(self, topic: str, partition: int, offset: int) -> bytes | None:
        while (topic, partition, offset) not in self._values:
            message = self._consumer.poll(10.0)
            assert message is not None
            self._values[message.topic(), message.partition(), message.offset()] = message.value()
        return self._values[topic, partition, offset]

    def end_offsets(self, topic: str) -> list[int]:
        partitions = self._consumer.list_topics(topic, timeout=10.0).topics[topic].partitions
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10.0, cached=False)
            for number in sorted(partitions)
        ]
        return [high for _, high in ends]

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture(scope="module")
def reader(stack: Stack, servers: Mapping[str, Server]) -> Iterator[Reader]:
    reader = Reader(stack.kafka_bootstrap, [STREAMS[schema_id].topic for schema_id in servers])
    yield reader
    reader.close()


def test_the_recorded_events_are_all_here() -> None:
    assert sum(len(stream.events) for stream in STREAMS.values()) == 63
    assert sum(repeats_an_id(stream.schema) for stream in STREAMS.values()) == 7


@pytest.mark.parametrize("schema_id", STREAMS)
def test_each_event_is_judged_as_recorded_and_lands_as_it_was_sent(
    servers: Mapping[str, Server], reader: Reader, schema_id: str
) -> None:
    stream = STREAMS[schema_id]
    for event, valid in stream.events:
        # Indented, with escapes: not what any serializer on the way would write again.
        sent = json.dumps(event, indent=1, ensure_ascii=True).encode()
        answer = servers[schema_id].produce(stream.topic, b'{"records":[{"value":' + sent + b"}]}")
        assert answer.status_code == (200 if valid else 400), answer.text
        if valid:
            (offset,) = answer.json()["offsets"]
            landed = reader.value_at(stream.topic, offset["partition"], offset["offset"])
            assert landed is not None
            assert landed[5:] == sent


def without_a_required_property(schema: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return `event` less one property that its schema requires, at the top or within an object of the top."""
    for name in schema.get("required", ()):
        return {key: value for key, value in event.items() if key != name}
    for name, inner in schema["properties"].items():
        if inner.get("required") and isinstance(event.get(name), dict):
            return {**event, name: without_a_required_property(inner, event[name])}
    raise AssertionError(f"{schema['$id']} requires nothing")


@pytest.mark.parametrize("schema_id", STREAMS)
def test_an_event_that_lacks_a_required_property_is_refused_and_the_topic_has_not_moved(
    servers: Mapping[str, Server], reader: Reader, schema_id: str
) -> None:
    stream = STREAMS[schema_id]
    bad = without_a_required_property(stream.schema, stream.events[0][0])
    before = reader.end_offsets(stream.topic)
    answer = servers[schema_id].produce(stream.topic, {"records": [{"value": bad}]})
    assert answer.status_code == 400, answer.text
    assert "required" in [error["keyword"] for error in answer.json()["errors"]]
    assert reader.end_offsets(stream.topic) == before
