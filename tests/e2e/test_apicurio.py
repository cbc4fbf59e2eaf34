"""The promise on Apicurio, which has no rule for versions by default and takes what is no schema of a topic's kind."""

import json
import struct
import uuid
from collections.abc import Iterator

import pytest
import requests
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.server import TOKEN, Server, configuration, serving
from tests.stack import ApicurioRegistry, Stack

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "order",
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
}
AVRO = '{"type":"record","name":"Order","fields":[{"name":"id","type":"int"}]}'
GOOD = {"records": [{"value": {"id": 1}}]}
BAD = {"records": [{"value": {"id": "one"}}]}


@pytest.fixture(scope="module")
def server(real_stack: Stack, apicurio: ApicurioRegistry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = configuration(tmp_path_factory.mktemp("apicurio"), real_stack.kafka_bootstrap, apicurio.url)
    with serving(config) as server:
        yield server


@pytest.fixture
def topic(server: Server, real_stack: Stack) -> str:
    """Give a topic that was bound over HTTP, its schema registered on the way."""
    name = f"apicurio-{uuid.uuid4().hex[:8]}"
    real_stack.create_topic(name)
    server.bind(name, schema=SCHEMA)
    return name


def register(apicurio: ApicurioRegistry, subject: str, schema: str, kind: str = "JSON") -> int:
    """Register a schema behind the server's back, as another team would."""
    answer = requests.post(
        f"{apicurio.url}/subjects/{subject}/versions", json={"schemaType": kind, "schema": schema}, timeout=10
    )
    schema_id: int = answer.json()["id"]
    return schema_id


def refusal(answer: requests.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error_code"]


def bind(server: Server, topic: str) -> requests.Response:
    """Ask to bind `topic`, or to look anew at what it is bound to, and return whatever the answer is."""
    url, headers = f"{server.url}/-/bindings/{topic}?replace=true", {"Authorization": f"Bearer {TOKEN}"}
    return requests.put(url, json={}, headers=headers, timeout=30)


def test_what_conforms_lands_and_is_read_by_confluents_deserializer(
    server: Server, real_stack: Stack, apicurio: ApicurioRegistry, topic: str
) -> None:
    assert server.produce(topic, GOOD).status_code == 200
    assert refusal(server.produce(topic, BAD)) == (400, 400)
    (record,) = real_stack.read_all(topic)
    with SchemaRegistryClient({"url": apicurio.url}) as client:
        deserialize = JSONDeserializer(json.dumps(SCHEMA), schema_registry_client=client)
        assert deserialize(record.value, SerializationContext(topic, MessageField.VALUE)) == {"id": 1}


def test_a_producer_may_name_the_topics_schema_by_id_or_by_any_spelling_and_no_other(
    server: Server, apicurio: ApicurioRegistry, topic: str
) -> None:
    ours = server.produce(topic, GOOD).json()["value_schema_id"]
    theirs = register(apicurio, f"{topic}-elsewhere", json.dumps({**SCHEMA, "title": topic}))
    assert server.produce(topic, {**GOOD, "value_schema_id": ours}).status_code == 200
    assert refusal(server.produce(topic, {**GOOD, "value_schema_id": theirs})) == (422, 42207)
    # To this registry another spelling is another schema; to the shim it is the same.
    spelled = server.produce(topic, {**GOOD, "value_schema": json.dumps(SCHEMA, indent=4)})
    assert (spelled.status_code, spelled.json()["value_schema_id"]) == (200, ours)


def test_a_version_that_the_registry_took_without_a_rule_is_the_one_that_judges(
    server: Server, real_stack: Stack, apicurio: ApicurioRegistry, topic: str
) -> None:
    assert server.produce(topic, GOOD).status_code == 200
    text = json.dumps({**SCHEMA, "properties": {"id": {"type": "string"}}})
    newer = register(apicurio, f"{topic}-value", text)
    server.bind(topic)  # binding looks anew, so the test need not wait
    assert refusal(server.produce(topic, GOOD)) == (400, 400)
    assert server.produce(topic, BAD).json()["value_schema_id"] == newer
    values = [record.value for record in real_stack.read_all(topic)]
    assert values[-1] == struct.pack(">bI", 0, newer) + b'{"id": "one"}'


@pytest.mark.parametrize(("kind", "text"), [("AVRO", AVRO), ("XML", "<order/>")])
def test_a_version_that_is_no_json_schema_is_not_adopted(
    server: Server, real_stack: Stack, apicurio: ApicurioRegistry, topic: str, kind: str, text: str
) -> None:
    register(apicurio, f"{topic}-value", text, kind)  # its answers go on to say JSON, the type of the first version
    assert bind(server, topic).status_code == 200
    assert [server.produce(topic, body).status_code for body in (GOOD, BAD)] == [200, 400]
    [passed] = server.get(f"/-/bindings/{topic}/versions")["not_adopted"]
    assert passed["version"] == 2
    assert len(real_stack.read_all(topic)) == 1


def test_a_schema_that_refers_to_what_is_not_there_is_not_bound_although_the_registry_takes_it(
    server: Server, real_stack: Stack, apicurio: ApicurioRegistry
) -> None:
    name = f"apicurio-{uuid.uuid4().hex[:8]}"
    real_stack.create_topic(name)
    dangling = {**SCHEMA, "properties": {"id": {"$ref": "part.json"}}}
    assert register(apicurio, f"{name}-value", json.dumps(dangling)) > 0
    assert refusal(bind(server, name)) == (422, 42294)
