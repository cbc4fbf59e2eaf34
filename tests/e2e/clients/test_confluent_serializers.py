"""Bytes of Confluent's own serializers go through the shim, and its deserializers read them back."""

import json
import uuid
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.server import Server
from tests.parts import BINARY
from tests.stack import Stack

AVRO = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}
JSON_SCHEMA = {"title": "Order", "type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
LATEST = {"auto.register.schemas": False, "use.latest.version": True}
LAX = json.dumps({"title": "Anything"})
SERDES: dict[str, tuple[object, Any, Any]] = {
    "avro": (AVRO, AvroSerializer, AvroDeserializer),
    "json-schema": (JSON_SCHEMA, JSONSerializer, JSONDeserializer),
}


@pytest.fixture
def client(stack: Stack) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        yield client


@pytest.mark.parametrize("encoding", SERDES)
def test_serialized_events_are_judged_and_read_back(
    server: Server, stack: Stack, client: SchemaRegistryClient, encoding: str
) -> None:
    schema, serializer, deserializer = SERDES[encoding]
    topic = f"orders-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic)
    server.bind(topic, schema=schema, encoding=encoding)
    context = SerializationContext(topic, MessageField.VALUE)
    if encoding == "avro":
        serialize, deserialize = serializer(client, conf=LATEST), deserializer(client)
    else:
        text = json.dumps(schema)
        serialize, deserialize = serializer(text, client, conf=LATEST), deserializer(text)

    good = serialize({"id": 7}, context)
    written = server.produce(topic, _records(good), BINARY)
    torn = server.produce(topic, _records(good, good[:-1]), BINARY)
    other = f"others-{uuid.uuid4().hex[:8]}-value"
    foreign_id = client.register_schema(other, Schema(LAX, "JSON"))
    foreign = server.produce(topic, _records(b"\0" + foreign_id.to_bytes(4, "big") + b"{}"), BINARY)

    assert written.status_code == 200, written.text
    assert [answer.status_code for answer in (torn, foreign)] == [400, 400]
    assert torn.json()["errors"][0]["record"] == 1
    assert foreign.json()["errors"][0]["keyword"] == "schema-id"
    (record,) = stack.read_all(topic)
    assert record.value == good
    assert deserialize(record.value, context) == {"id": 7}


def _records(*values: bytes) -> dict[str, object]:
    return {"records": [{"value": b64encode(value).decode()} for value in values]}
