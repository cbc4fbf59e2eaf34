"""A newcomer's day: bind a topic, send good and bad events, read the topic, change the binding."""

import json
import uuid
from pathlib import Path

import pytest
import requests
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.server import Server
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "order",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "dt": {"type": "string", "format": "date-time"}},
    "required": ["id", "dt"],
    "additionalProperties": False,
}
GOOD = {"id": 1, "dt": "2026-01-01T00:00:00Z"}
JSON = "application/vnd.kafka.json.v2+json"


@pytest.fixture
def topic(server: Server, stack: Stack) -> str:
    """Give a topic that was bound over HTTP."""
    name = f"orders-{uuid.uuid4().hex[:8]}"
    stack.create_topic(name, partitions=2)
    server.bind(name, schema=SCHEMA, owner="shop")
    return name


def test_an_operator_binds_looks_and_unbinds_from_the_command_line(
    server: Server, stack: Stack, tmp_path: Path
) -> None:
    name = f"orders-{uuid.uuid4().hex[:8]}"
    schema = tmp_path / "order.json"
    schema.write_text(json.dumps(SCHEMA))
    absent = server.cli("bindings", "bind", name, "--schema", str(schema))
    if stack.name != "embedded":  # its topics appear when they are named
        assert absent.returncode == 4, absent.stderr
        assert "--create-topic" in absent.stderr
    bound = server.cli("bindings", "bind", name, "--schema", str(schema), "--create-topic", "--why", "first")
    assert bound.returncode == 0, bound.stderr
    remote = server.cli("bindings", "get", name, "-o", "json")
    local = server.cli("bindings", "get", name, "-o", "json", remote=False)
    assert json.loads(remote.stdout) == json.loads(local.stdout)
    assert server.cli("validate", name, stdin=json.dumps(GOOD)).returncode == 0
    refused = server.cli("validate", name, stdin='{"id": "x"}')
    assert refused.returncode == 4
    assert "/id" in refused.stdout
    assert server.cli("bindings", "unbind", name, remote=False).returncode == 0
    history = json.loads(server.cli("bindings", "history", name, "-o", "json").stdout)["history"]
    assert [entry["why"] for entry in history] == ["", "first"]


def test_a_good_event_lands_and_confluents_deserializer_reads_it(server: Server, stack: Stack, topic: str) -> None:
    text = b'{"dt":"2026-01-01T00:00:00Z",  "id":12345678901234567}'
    answer = server.produce(topic, b'{"records":[{"value":' + text + b"}]}")
    assert answer.status_code == 200, answer.text
    (offset,) = answer.json()["offsets"]
    (record,) = stack.read_all(topic)
    assert (record.partition, record.offset) == (offset["partition"], offset["offset"])
    assert record.value is not None
    assert record.value[5:] == text
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        deserialize = JSONDeserializer(json.dumps(SCHEMA), schema_registry_client=client)
        event = deserialize(record.value, SerializationContext(topic, MessageField.VALUE))
    assert event == {"dt": "2026-01-01T00:00:00Z", "id": 12345678901234567}


def _foreign_id(stack: Stack) -> int:
    subject = f"foreign-{uuid.uuid4().hex[:8]}-value"
    answer = requests.post(
        f"{stack.registry_url}/subjects/{subject}/versions",
        json={"schema": '{"type": "string", "title": "foreign"}', "schemaType": "JSON"},
        timeout=10,
    )
    schema_id: int = answer.json()["id"]
    return schema_id


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("wrong type", 400, 400),
        ("missing field", 400, 400),
        ("duplicate key", 400, 400),
        ("foreign id", 422, 42207),
        ("unregistered schema", 422, 42207),
        ("plain json", 400, 400),
        ("binary", 400, 400),
        ("not json", 400, 400),
        ("one bad among good", 400, 400),
    ],
)
def test_a_bad_request_is_refused_and_nothing_of_it_is_in_kafka(
    server: Server, stack: Stack, topic: str, what: str, status: int, code: int
) -> None:
    body: object
    content_type = "application/vnd.kafka.jsonschema.v2+json"
    match what:
        case "wrong type":
            body = {"records": [{"value": {**GOOD, "id": "1"}}]}
        case "missing field":
            body = {"records": [{"value": {"id": 1}}]}
        case "duplicate key":
            body = b'{"records":[{"value":{"id":1,"dt":"2026-01-01T00:00:00Z","id":2}}]}'
        case "foreign id":
            body = {"value_schema_id": _foreign_id(stack), "records": [{"value": "text"}]}
        case "unregistered schema":
            body = {"value_schema": '{"type":"object"}', "records": [{"value": GOOD}]}
        case "plain json":
            body, content_type = {"records": [{"value": {"id": "1"}}]}, JSON
        case "binary":
            body, content_type = {"records": [{"value": "AAAA"}]}, "application/vnd.kafka.binary.v2+json"
        case "not json":
            body = b"id=1"
        case _:
            body = {"records": [{"value": GOOD}, {"value": {"id": 1.5}}, {"value": GOOD}]}
    before = stack.end_offsets(topic)
    answer = server.produce(topic, body, content_type)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]
    assert stack.end_offsets(topic) == before
    versions = requests.get(f"{stack.registry_url}/subjects/{topic}-value/versions", timeout=10)
    assert versions.json() == [1]


def test_a_binding_changed_through_one_worker_is_in_force_in_every_other(server: Server, topic: str) -> None:
    owners = {server.get(f"/-/bindings/{topic}")["owner"] for _ in range(20)}
    assert owners == {"shop"}
    for number in range(5):
        owner = f"owner {number}"
        server.bind(topic, owner=owner)
        # Each request may meet either worker.
        assert {server.get(f"/-/bindings/{topic}")["owner"] for _ in range(20)} == {owner}
    assert server.unbind(topic).status_code == 200
    assert {server.produce(topic, {"records": [{"value": GOOD}]}).status_code for _ in range(10)} == {404}


def test_metrics_cover_every_worker(server: Server, topic: str) -> None:
    sent = 30
    for _ in range(sent):
        assert server.produce(topic, {"records": [{"value": GOOD}]}).status_code == 200

    def written() -> float:
        text = requests.get(f"{server.url}/-/metrics", timeout=10).text
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith("confluent_shim_records_total") and topic in line
        )

    eventually(lambda: written() == sent)  # another worker than the one that is asked counts a moment later


def test_each_refused_request_leaves_one_log_line_with_its_id_and_no_payload(server: Server, topic: str) -> None:
    request_id = uuid.uuid4().hex
    requests.post(
        f"{server.url}/topics/{topic}",
        json={"records": [{"value": {"id": "secret-payload"}}]},
        headers={"Content-Type": JSON, "X-Request-Id": request_id},
        timeout=10,
    )
    lines = [line for line in server.log.read_text().splitlines() if request_id in line]
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["status"], told["topic"], told["records"]) == (400, topic, 1)
    assert "secret-payload" not in server.log.read_text()
