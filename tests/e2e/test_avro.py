"""Avro, told through HTTP: what lands is what Confluent's own deserializer reads."""

import uuid

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
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
