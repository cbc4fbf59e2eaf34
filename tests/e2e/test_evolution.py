"""A subject evolves before a running server: what goes live, what does not, and where an operator sees it."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from tests.e2e.server import Server
from tests.stack import Stack
from tests.waiting import eventually

ORDER: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
    "additionalProperties": False,
}
PRICED = {**ORDER, "properties": {**ORDER["properties"], "price": {"type": "number"}}}
STRICTER = {**PRICED, "required": ["id", "price"]}


@pytest.fixture
def topic(stack: Stack) -> str:
    name = f"evolving-{uuid.uuid4().hex[:8]}"
    stack.create_topic(name)
    return name


def takes(server: Server, topic: str, **fields: object) -> bool:
    return server.produce(topic, {"records": [{"value": {"id": 1, **fields}}]}).status_code == 200


def test_a_version_goes_live_and_one_that_breaks_the_binding_does_not(server: Server, stack: Stack, topic: str) -> None:
    subject = f"{topic}-value"
    server.bind(topic, schema=ORDER, compatibility="additive")
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        client.set_compatibility(subject, level="NONE")
        assert not takes(server, topic, price=1.5)
        client.register_schema(subject, Schema(json.dumps(PRICED), "JSON"))
        eventually(lambda: takes(server, topic, price=1.5))
        client.register_schema(subject, Schema(json.dumps(STRICTER), "JSON"))
    gauge = f'confluent_shim_versions_not_adopted{{topic="{topic}"}} 1.0'

    def seen() -> bool:
        assert takes(server, topic)  # the last good version stays
        return gauge in requests.get(f"{server.url}/-/metrics", timeout=10).text

    eventually(seen)
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    told = [line for line in lines if line["message"] == "a version is not adopted" and line["topic"] == topic]
    assert (told[0]["level"], told[0]["version"], told[0]["in_force"]) == ("warning", 3, 2)
    assert told[0]["reason"] == "/price became required"
    shown = server.cli("bindings", "get", topic)
    assert shown.stderr.splitlines() == [
        f"version 2 of subject {subject!r} is in force; since version 1: /price was added",
        "version 3 is not adopted: /price became required",
    ]


def test_what_the_registry_refuses_is_explained(server: Server, stack: Stack, topic: str, tmp_path: Path) -> None:
    server.bind(topic, schema=PRICED)
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        client.set_compatibility(f"{topic}-value", level="BACKWARD")
    file = tmp_path / "order.schema.json"
    file.write_text(json.dumps(STRICTER))

    refused = server.cli("bindings", "bind", topic, "--schema", str(file))
    assert refused.returncode == 4
    assert refused.stderr.endswith(f"since version 1 of {topic}-value /price became required\n")
