"""The package kafka-rest 0.0.5 of npm, by Confluent, of 2015: metadata, and producing bytes and Avro.

It knows the v1 API alone, which today's REST Proxy has dropped. What its own setting `headers` says goes over what it
would send, and with the types of v2 in there it works as it did.
"""

import json
import uuid
from base64 import b64encode
from collections.abc import Callable

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.clients import confluent
from tests.e2e.clients.driver import Client
from tests.e2e.clients.recorder import recording
from tests.e2e.server import Server
from tests.parts import AVRO, BINARY, V2
from tests.stack import Stack

KEY = '"int"'
VALUE = """{"name": "UserInfo", "type": "record", "fields": [
    {"name": "id", "type": "int"}, {"name": "name", "type": "string"}]}"""
BOB = {"id": 1, "name": "Bob"}
ACCEPT_V2 = {"Accept": V2}
SEND_AVRO = {"Accept": V2, "Content-Type": AVRO}
SEND_BYTES = {"Accept": V2, "Content-Type": BINARY}


@pytest.fixture
def topic(avro_topic: Callable[[str, str], str]) -> str:
    """Give a topic for the users of its README."""
    return avro_topic(KEY, VALUE)


def test_by_itself_it_speaks_v1_and_is_answered_as_by_confluent(
    npm_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    with recording(server.url) as recorder:
        looked = npm_kafka_rest(act="look", url=recorder.url, topic=topic)
        (produced,) = npm_kafka_rest(act="produce", url=recorder.url, topic=topic, schemas=[VALUE], requests=[[BOB]])
    assert {sent.accept for sent in recorder.sent} == {
        "application/vnd.kafka.v1+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8"
    }
    assert recorder.sent[-1].content_type == "application/vnd.kafka.avro.v1+json"
    theirs = confluent.to_an_accept_header_without_v2()
    assert [(seen["status"], seen["body"]) for seen in looked.values()] == [theirs] * 5
    assert (produced["status"], produced["body"]) == confluent.to_a_content_type_it_does_not_have()
    assert stack.end_offsets(topic) == 0


def test_it_finds_brokers_topics_and_partitions(npm_kafka_rest: Client, server: Server, topic: str) -> None:
    seen = npm_kafka_rest(act="look", url=server.url, headers=ACCEPT_V2, topic=topic)
    (broker,) = seen["brokers"]
    assert topic in seen["topics"]
    assert (seen["topic"]["name"], seen["topic"]["partitions"]) == (topic, seen["partitions"])
    assert [partition["partition"] for partition in seen["partitions"]] == [0, 1, 2, 3]
    assert seen["partition"] == seen["partitions"][1]
    assert seen["partition"]["leader"] == broker


def test_it_writes_avro_with_keys_and_partitions_and_learns_the_ids_of_its_schemas(
    npm_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    with recording(server.url) as recorder:
        first, second = npm_kafka_rest(
            act="produce",
            url=recorder.url,
            headers=SEND_AVRO,
            topic=topic,
            schemas=[KEY, VALUE],
            requests=[[{"key": 7, "value": BOB}], [{"key": 7, "value": BOB, "partition": 2}]],
        )
    sent = [json.loads(each.body) for each in recorder.sent]
    assert (sent[0]["key_schema"], sent[0]["value_schema"]) == (KEY, VALUE)
    ids = {name: first[name] for name in ("key_schema_id", "value_schema_id")}
    assert sent[1].items() >= ids.items()
    assert second["offsets"][0]["partition"] == 2
    landed = stack.read_all(topic)
    written = [answer["offsets"][0] for answer in (first, second)]
    assert {(record.partition, record.offset) for record in landed} == {
        (offset["partition"], offset["offset"]) for offset in written
    }
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        deserialize = AvroDeserializer(client)
        contexts = [SerializationContext(topic, field) for field in (MessageField.KEY, MessageField.VALUE)]
        events = [(deserialize(each.key, contexts[0]), deserialize(each.value, contexts[1])) for each in landed]
    assert events == [(7, BOB), (7, BOB)]


def test_its_partitions_take_records_too(npm_kafka_rest: Client, server: Server, stack: Stack, topic: str) -> None:
    plan = {"headers": SEND_AVRO, "topic": topic, "partition": 3, "schemas": [KEY, VALUE]}
    (answer,) = npm_kafka_rest(act="produce", url=server.url, requests=[[{"key": 7, "value": BOB}]], **plan)
    assert answer["offsets"] == [{"partition": 3, "offset": 0, "error_code": None, "error": None}]
    assert [record.partition for record in stack.read_all(topic)] == [3]


def test_a_refusal_reaches_its_callback_with_the_reason(
    npm_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    plan = {"url": server.url, "headers": SEND_AVRO}
    unknown = json.dumps({"type": "record", "name": "Other", "fields": []})
    bad = [{"key": 7, "value": BOB}, {"key": 8, "value": {"id": "two", "name": "Eve"}}]
    (wrong,) = npm_kafka_rest(act="produce", topic=topic, schemas=[KEY, VALUE], requests=[bad], **plan)
    (foreign,) = npm_kafka_rest(act="produce", topic=topic, schemas=[KEY, unknown], requests=[bad], **plan)
    (unbound,) = npm_kafka_rest(act="produce", topic="nobodys", schemas=[VALUE], requests=[[BOB]], **plan)
    assert (wrong["name"], wrong["status"]) == ("APIError", 400)
    assert "record 1, /id" in wrong["message"]
    assert [(error["record"], error["pointer"]) for error in wrong["body"]["errors"]] == [(1, "/id")]
    assert [(error["status"], error["body"]["error_code"]) for error in (foreign, unbound)] == [
        (422, 42207),
        (404, 40401),
    ]
    assert stack.end_offsets(topic) == 0


def test_its_buffers_are_written_as_they_are_when_they_conform(
    npm_kafka_rest: Client, server: Server, stack: Stack
) -> None:
    topic = f"bytes-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic)
    server.bind(topic, schema={"type": "object", "required": ["id"]})
    schema_id = server.produce(topic, {"records": [{"value": {"id": 1}}]}).json()["value_schema_id"]
    framed = b"\0" + schema_id.to_bytes(4, "big") + b'{"id": 2}'
    written, refused = npm_kafka_rest(
        act="produce",
        url=server.url,
        headers=SEND_BYTES,
        topic=topic,
        bytes=True,
        requests=[[b64encode(value).decode()] for value in (framed, b'{"id": 2}')],
    )
    assert written["offsets"][0]["error_code"] is None
    assert refused["status"] == 400
    assert [record.value for record in stack.read_all(topic)][1:] == [framed]
