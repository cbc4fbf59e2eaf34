"""Real events of Wikimedia's streams, each through a binding for its own schema."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.server import Server
from tests.shared_data import EVENTS, SCHEMAS
from tests.stack import Stack
from tests.stack.topics import end_offsets

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


@pytest.fixture(scope="module")
def bound(server: Server, stack: Stack) -> None:
    for stream in STREAMS.values():
        stack.create_topic(stream.topic)
        server.bind(stream.topic, schema=json.dumps(stream.schema))


def test_the_recorded_events_are_all_here() -> None:
    assert sum(len(stream.events) for stream in STREAMS.values()) == 63


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("schema_id", STREAMS)
def test_each_event_is_judged_as_recorded_and_lands_as_it_was_sent(
    server: Server, stack: Stack, schema_id: str
) -> None:
    stream = STREAMS[schema_id]
    expected = []
    for event, valid in stream.events:
        # Indented, with escapes: not what any serializer on the way would write again.
        sent = json.dumps(event, indent=1, ensure_ascii=True).encode()
        answer = server.produce(stream.topic, b'{"records":[{"value":' + sent + b"}]}")
        assert answer.status_code == (200 if valid else 400), answer.text
        if valid:
            assert [offset["error_code"] for offset in answer.json()["offsets"]] == [None]
            expected.append(sent)
    landed = [record.value for record in stack.read_all(stream.topic)]
    assert sorted(value[5:] for value in landed if value is not None) == sorted(expected)


def without_a_required_property(schema: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return `event` less one property that its schema requires, at the top or within an object of the top."""
    for name in schema.get("required", ()):
        return {key: value for key, value in event.items() if key != name}
    for name, inner in schema["properties"].items():
        if inner.get("required") and isinstance(event.get(name), dict):
            return {**event, name: without_a_required_property(inner, event[name])}
    raise AssertionError(f"{schema['$id']} requires nothing")


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("schema_id", STREAMS)
def test_an_event_that_lacks_a_required_property_is_refused_and_the_topic_has_not_moved(
    server: Server, stack: Stack, schema_id: str
) -> None:
    stream = STREAMS[schema_id]
    bad = without_a_required_property(stream.schema, stream.events[0][0])
    before = end_offsets(stack.kafka_bootstrap, stream.topic)
    answer = server.produce(stream.topic, {"records": [{"value": bad}]})
    assert answer.status_code == 400, answer.text
    assert "required" in [error["keyword"] for error in answer.json()["errors"]]
    assert end_offsets(stack.kafka_bootstrap, stream.topic) == before
