"""Avro, told through HTTP: what lands is what Confluent's own deserializer reads."""

import json
import uuid

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.server import Server
from tests.stack import Stack

SCHEMA = {
    "type": "record",
    "name": "Payment",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}


def test_confluents_deserializer_reads_both_forms(server: Server, stack: Stack) -> None:
    topic = f"payments-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic)
    server.bind(topic, schema=SCHEMA, encoding="avro")
    tagged = server.produce(
        topic, {"records": [{"value": {"id": 1, "note": {"string": "é"}}}]}, "application/vnd.kafka.avro.v2+json"
    )
    plain = server.produce(topic, {"records": [{"value": {"id": 2}}]}, "application/vnd.kafka.json.v2+json")
    refused = server.produce(topic, {"records": [{"value": {"id": "3"}}]}, "application/vnd.kafka.json.v2+json")
    assert (tagged.status_code, plain.status_code, refused.status_code) == (200, 200, 400)
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        deserialize = AvroDeserializer(client)
        context = SerializationContext(topic, MessageField.VALUE)
        events = [deserialize(record.value, context) for record in stack.read_all(topic)]
    assert sorted(events, key=lambda event: event["id"]) == [{"id": 1, "note": "é"}, {"id": 2, "note": None}]


@pytest.mark.parametrize(
    ("kind", "schema", "key"),
    [
        ("AVRO", {"type": "record", "name": "Key", "fields": [{"name": "user", "type": "long"}]}, {"user": 7}),
        ("JSON", {"type": "object", "properties": {"user": {"type": "integer"}}}, {"user": 7}),
    ],
)
def test_confluents_deserializers_read_keys_of_a_key_subject(
    server: Server, stack: Stack, kind: str, schema: dict[str, object], key: object
) -> None:
    topic = f"keyed-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic)
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        text = json.dumps(schema)
        key_id = client.register_schema(f"{topic}-key", Schema(text, kind))
        server.bind(topic, schema=SCHEMA, encoding="avro", key="subject", key_subject=f"{topic}-key")
        content_type = "application/vnd.kafka.json.v2+json"
        written = server.produce(topic, {"records": [{"key": key, "value": {"id": 1}}]}, content_type)
        refused = server.produce(topic, {"records": [{"key": {"user": "7"}, "value": {"id": 1}}]}, content_type)
        assert (written.json()["key_schema_id"], refused.json()["errors"][0]["part"]) == (key_id, "key")
        deserialize = AvroDeserializer(client) if kind == "AVRO" else JSONDeserializer(text)
        (record,) = stack.read_all(topic)
        assert deserialize(record.key, SerializationContext(topic, MessageField.KEY)) == key
