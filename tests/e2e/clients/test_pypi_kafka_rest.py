"""The package kafka-rest 0.0.12 of PyPI, of 2018: producing Avro in the background, in batches, with retries.

It has the types of the v1 API fixed, which today's REST Proxy has dropped. It sends through Tornado's HTTP client, and
Tornado lets a program say which class that is: one that names v2 is all it takes. It was written for Python 2 and
Tornado 4; what it runs on here stands in `packages/kafka-rest.txt`.
"""

import json
from collections.abc import Callable

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.clients import confluent
from tests.e2e.clients.driver import Client
from tests.e2e.clients.recorder import recording
from tests.e2e.server import Server
from tests.stack import Stack

KEY = "long"
VALUE = {
    "type": "record",
    "name": "Payment",
    "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]}],
}
SCHEMAS = {"key_schema": KEY, "value_schema": VALUE}


@pytest.fixture
def topic(avro_topic: Callable[[str, str], str]) -> str:
    """Give a topic of payments."""
    return avro_topic(json.dumps(KEY), json.dumps(VALUE))


def _message(number: int, note: str | None = None, partition: int | None = None) -> dict[str, object]:
    return {"key": number, "value": {"id": number, "note": note}, "partition": partition}


def test_by_itself_it_speaks_v1_and_is_answered_as_by_confluent(
    pypi_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    with recording(server.url) as recorder:
        (events,) = pypi_kafka_rest(url=recorder.url, topic=topic, v2=False, batches=[[_message(1)]], **SCHEMAS)
    (sent,) = recorder.sent
    assert (sent.accept, sent.content_type) == (
        "application/vnd.kafka.v1+json",
        "application/vnd.kafka.avro.v1+json",
    )
    status, theirs = confluent.to_a_content_type_it_does_not_have()
    log, drop = events
    assert log["text"] == (
        f"Received {status} response ({theirs['error_code']}: {theirs['message']}) submitting batch to topic {topic}"
    )
    assert (drop["value"], drop["why"]) == (_message(1)["value"], "nonretriable")
    assert stack.end_offsets(topic) == 0


def test_it_writes_batches_with_keys_and_partitions_and_learns_the_ids_of_its_schemas(
    pypi_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    batches = [[_message(1), _message(2, "two")], [_message(3, "é"), _message(4, partition=3)]]
    with recording(server.url) as recorder:
        seen = pypi_kafka_rest(url=recorder.url, topic=topic, v2=True, batches=batches, **SCHEMAS)
    first, second = (json.loads(each.body) for each in recorder.sent)
    assert json.loads(first["value_schema"]) == VALUE
    assert first.keys() >= {"key_schema", "value_schema"}
    assert second.keys() >= {"key_schema_id", "value_schema_id"}
    answers = [answer for (answer,) in seen]
    assert [(len(answer["succeeded"]), answer["failed"]) for answer in answers] == [(2, []), (2, [])]
    landed = stack.read_all(topic)
    told = {(offset["partition"], offset["offset"]) for answer in answers for offset in answer["succeeded"]}
    assert {(record.partition, record.offset) for record in landed} == told
    assert answers[1]["succeeded"][1]["partition"] == 3
    with SchemaRegistryClient({"url": stack.registry_url}) as client:
        deserialize = AvroDeserializer(client)
        contexts = [SerializationContext(topic, field) for field in (MessageField.KEY, MessageField.VALUE)]
        events = [(deserialize(each.key, contexts[0]), deserialize(each.value, contexts[1])) for each in landed]
    assert sorted(events) == [(m["key"], m["value"]) for batch in batches for m in batch]


def test_it_drops_what_is_refused_and_logs_the_reason(
    pypi_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    keyless = [_message(1), {"value": {"id": 2, "note": None}}]
    other = {**VALUE, "fields": [{"name": "id", "type": "string"}]}
    plan = {"url": server.url, "topic": topic, "v2": True, "key_schema": KEY}
    (wrong,) = pypi_kafka_rest(batches=[keyless], value_schema=VALUE, **plan)
    (foreign,) = pypi_kafka_rest(batches=[[{"key": 1, "value": {"id": "1"}}]], value_schema=other, **plan)
    for (log, *drops), code, messages in ((wrong, 400, 2), (foreign, 42207, 1)):
        assert f"({code}: " in log["text"]
        assert [drop["why"] for drop in drops] == ["nonretriable"] * messages
    assert "record 1" in wrong[0]["text"]
    assert stack.end_offsets(topic) == 0


def test_it_keeps_what_kafka_did_not_take_for_another_try(
    pypi_kafka_rest: Client, server: Server, stack: Stack, topic: str
) -> None:
    batch = [_message(1), _message(2, partition=99)]
    (events,) = pypi_kafka_rest(url=server.url, topic=topic, v2=True, batches=[batch], **SCHEMAS)
    retry, answer = events
    assert retry == {"event": "retry", "value": batch[1]["value"]}
    assert [len(answer[name]) for name in ("succeeded", "failed")] == [1, 1]
    assert answer["failed"][0]["error_code"] == 50003
    assert len(stack.read_all(topic)) == 1
