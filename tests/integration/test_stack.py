"""The stack itself: what other integration tests rest on."""

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from confluent_kafka import KafkaError, KafkaException, Producer

from tests.stack import Kafka, Stack, start_stack, topics
from tests.stack.process import Process, StackError


@pytest.fixture(scope="module")
def embedded() -> Iterator[Stack]:
    with start_stack("embedded") as stack:
        yield stack


@pytest.fixture
def topic() -> str:
    return f"stack-{uuid.uuid4()}"


def produce(bootstrap: str, topic: str, value: bytes, seconds: float = 20.0) -> KafkaError | None:
    """Produce with acks=all and return the delivery's error."""
    outcomes: list[KafkaError | None] = []
    limits = {"message.timeout.ms": int(seconds * 1000), "topic.metadata.propagation.max.ms": 500}
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "log_level": 0, **limits})
    headers: list[tuple[str, str | bytes | None]] = [("kind", b"a"), ("kind", None)]
    producer.produce(topic, value, b"key", headers=headers, on_delivery=lambda error, _: outcomes.append(error))
    producer.flush(seconds + 5)
    producer.close()
    return outcomes[0]


def test_a_record_acked_by_all_is_read_back_whole(real_stack: Stack, topic: str) -> None:
    real_stack.create_topic(topic, partitions=2, cleanup_policy="compact")
    assert produce(real_stack.kafka_bootstrap, topic, b"") is None
    assert real_stack.end_offsets(topic) == 1
    (record,) = real_stack.read_all(topic)
    assert record[1:5] == (0, b"key", b"", (("kind", b"a"), ("kind", None)))


def test_an_unknown_topic_is_reported_and_not_created(real_stack: Stack, topic: str) -> None:
    error = produce(real_stack.kafka_bootstrap, topic, b"lost")
    assert error is not None
    assert error.code() in {KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}
    with pytest.raises(KafkaException):
        real_stack.end_offsets(topic)


def test_a_registered_json_schema_is_returned_by_id(real_stack: Stack, topic: str) -> None:
    schema = '{"type":"object"}'
    versions = f"{real_stack.registry_url}/subjects/{topic}-value/versions"
    answer = requests.post(versions, json={"schemaType": "JSON", "schema": schema}, timeout=5)
    assert answer.status_code == 200
    found = requests.get(f"{real_stack.registry_url}/schemas/ids/{answer.json()['id']}", timeout=5).json()
    assert (found["schemaType"], found["schema"]) == ("JSON", schema)


def test_a_frozen_registry_answers_nothing_until_it_goes_on(real_stack: Stack) -> None:
    if real_stack.registry is None:
        pytest.skip("an external registry is not ours to freeze")
    real_stack.registry.pause()
    try:
        with pytest.raises(requests.Timeout):
            requests.get(f"{real_stack.registry_url}/subjects", timeout=0.3)
    finally:
        real_stack.registry.resume()
    assert requests.get(f"{real_stack.registry_url}/subjects", timeout=5).ok


def test_a_frozen_broker_goes_on_where_it_was(own_kafka: Kafka, topic: str) -> None:
    topics.create_on_kafka(own_kafka.bootstrap, topic, 1, {})
    own_kafka.pause()
    late = produce(own_kafka.bootstrap, topic, b"late", seconds=1.0)
    assert late is not None
    assert late.code() == KafkaError._MSG_TIMED_OUT
    own_kafka.resume()
    assert produce(own_kafka.bootstrap, topic, b"after") is None
    assert topics.read_all(own_kafka.bootstrap, topic)[-1].value == b"after"


@pytest.mark.parametrize("end", [Kafka.stop, Kafka.kill], ids=["stop", "kill"])
def test_acked_records_survive_a_restart_at_the_same_address(
    own_kafka: Kafka, topic: str, end: Callable[[Kafka], None]
) -> None:
    address = own_kafka.bootstrap
    topics.create_on_kafka(address, topic, 1, {})
    assert produce(address, topic, b"before") is None
    end(own_kafka)
    own_kafka.restart()
    assert own_kafka.bootstrap == address
    assert produce(address, topic, b"after") is None
    assert [record.value for record in topics.read_all(address, topic)] == [b"before", b"after"]


def test_the_embedded_stack_takes_the_same_questions(embedded: Stack, topic: str) -> None:
    embedded.create_topic(topic)
    assert embedded.end_offsets(topic) == 0
    assert produce(embedded.kafka_bootstrap, topic, b"value") is None
    assert embedded.end_offsets(topic) == 1
    assert [(record.key, record.value) for record in embedded.read_all(topic)] == [(b"key", b"value")]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="programs are tied to the tests by setpriv")
def test_a_program_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"(?s)ended with 3.*no such luck"):
        Process("broken", [sys.executable, "-c", "print('no such luck'); exit(3)"], tmp_path).start(lambda: False)
