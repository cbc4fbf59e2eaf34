"""Derived Avro, told through HTTP and the command line: JSON Schema judges, and readers of Avro read what lands."""

import json
import uuid
from pathlib import Path
from typing import Any

import requests
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.server import Server
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "shop/visit",
    "type": "object",
    "properties": {"$id": {"type": "integer"}, "dt": {"type": "string", "format": "date-time"}},
    "required": ["$id"],
    "additionalProperties": False,
}
LATER = {**SCHEMA, "properties": {**SCHEMA["properties"], "page": {"type": "string"}}}  # type: ignore[dict-item]
STRICTER = {**LATER, "required": ["$id", "page"]}


def _v3(server: Server, topic: str, path: str, body: object) -> Any:
    return requests.post(f"{server.url}/v3/clusters/c/topics/{topic}/{path}", json=body, timeout=30).json()


def test_a_topic_goes_from_json_schema_to_avro_and_on_to_the_next_version(
    server: Server, stack: Stack, tmp_path: Path
) -> None:
    topic = f"visits-{uuid.uuid4().hex[:8]}"
    source = f"{topic}-value.source"
    stack.create_topic(topic)
    schema_file = tmp_path / "visit.schema.json"
    schema_file.write_text(json.dumps(SCHEMA))
    bound = server.cli(
        "bindings", "bind", topic, "--encoding", "avro", "--source-subject", source, "--schema", str(schema_file)
    )
    assert (bound.returncode, "carry rule: /properties/$id: int64: " in bound.stderr) == (0, True), bound.stderr
    good = server.produce(topic, {"records": [{"value": {"$id": 1, "dt": "2026-01-01T00:00:00Z"}}]})
    refused = server.produce(topic, {"records": [{"value": {"$id": 2**63}}, {"value": {"$id": 2, "page": "/"}}]})
    assert (good.status_code, refused.status_code) == (200, 400)
    assert [each["keyword"] for each in refused.json()["errors"]] == ["carry", "additionalProperties"]
    entry = {"value": {"type": "JSONSCHEMA", "data": {"$id": 3}}}
    assert _v3(server, topic, "records:batch", {"entries": [{"id": "a", **entry}]})["failures"] == []
    assert _v3(server, topic, "records", entry)["error_code"] == 200
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        client.register_schema(source, Schema(json.dumps(LATER), "JSON"))
        derived = server.cli("bindings", "derive", topic, "-o", "json")
        assert (derived.returncode, json.loads(derived.stdout)["version"]) == (0, 2), derived.stderr
        eventually(lambda: server.produce(topic, {"records": [{"value": {"$id": 2, "page": "/"}}]}).status_code == 200)
        deserialize = AvroDeserializer(client)
        context = SerializationContext(topic, MessageField.VALUE)
        events = [deserialize(record.value, context) for record in stack.read_all(topic)]
        assert sorted(events, key=lambda event: event["_id"]) == [
            {"_id": 1, "dt": "2026-01-01T00:00:00Z"},
            {"_id": 2, "dt": None, "page": "/"},
            {"_id": 3, "dt": None},
            {"_id": 3, "dt": None},
        ]
        client.set_compatibility(f"{topic}-value", level="BACKWARD")
        client.set_compatibility(source, level="NONE")
        client.register_schema(source, Schema(json.dumps(STRICTER), "JSON"))
    refused_derivation = server.cli("bindings", "derive", topic)
    assert (refused_derivation.returncode, "incompatible" in refused_derivation.stderr) == (4, True)
