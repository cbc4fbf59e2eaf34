"""SIGTERM: what was taken on is delivered and answered, and nothing that was acknowledged is lost."""

import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.e2e.conversation import Conversation, post
from tests.e2e.load import Load
from tests.e2e.server import KINDS, Kind, Server, configuration, serving
from tests.stack import Kafka, Stack
from tests.stack.topics import Record, create_on_kafka, read_all
from tests.waiting import eventually

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


@pytest.fixture
def topic() -> str:
    return f"drain-{uuid.uuid4().hex[:12]}"


@contextmanager
def bound(config: Path, topic: str, kind: Kind = "granian", workers: int = 1, **environment: str) -> Iterator[Server]:
    """Give a server that knows `topic`, has sent to it, and is expected to be ended by the test."""
    with serving(config, workers, {**os.environ, **environment}, kind) as server:
        server.bind(topic, schema=SCHEMA)
        assert server.produce(topic, {"records": [{"value": {"id": "first"}}]}).ok
        yield server


def ends_in_order(server: Server, seconds: float = 30.0) -> None:
    """End a server as a platform does; told twice is told once."""
    server.process.terminate()
    assert server.process.wait(seconds) == 0, server.log.read_text()


def wait_for_records_in_flight(server: Server, count: int) -> None:
    """Return when `count` records are with Kafka."""
    line = f'confluent_shim_records_in_flight{{cluster="default"}} {count:.1f}'
    eventually(lambda: line in requests.get(f"{server.url}/-/metrics", timeout=10).text)


def stops_listening(server: Server) -> None:
    """Return when the server takes no more connections."""
    end = time.monotonic() + 20
    with suppress(ConnectionRefusedError):
        while time.monotonic() < end:
            Conversation(server.url).close()
            time.sleep(0.01)
        pytest.fail("the server goes on listening")


def events(records: list[Record]) -> set[str]:
    """Return the ids of the events in a topic, without the first one, and make sure that none is there twice."""
    found = [json.loads((record.value or b"")[5:])["id"] for record in records]
    assert len(set(found)) == len(found)
    return {*found} - {"first"}


@pytest.mark.parametrize("kind", KINDS)
def test_under_load_kafka_holds_what_was_acknowledged_and_nothing_else(
    stack: Stack, tmp_path: Path, topic: str, kind: Kind
) -> None:
    stack.create_topic(topic, partitions=2)
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url)
    with bound(config, topic, kind, workers=2) as server, Load(server.url, topic) as load:
        load.wait_for_answers(300)
        ends_in_order(server)
    landed = events(stack.read_all(topic))
    assert landed == load.events("written")
    # A connection that ends in silence was never read from, as what landed shows.
    assert {attempt.met for attempt in load.attempts} <= {"answer", "refusal", "silence"}
    for attempt in load.attempts:
        if attempt.met == "answer":
            assert attempt.status == 200 or (attempt.status, attempt.retry_after) == (503, "1")


@pytest.mark.parametrize("kind", KINDS)
def test_while_kafka_hangs_every_request_is_answered_in_time_and_the_log_says_what_is_unknown(
    own_kafka: Kafka, real_stack: Stack, tmp_path: Path, topic: str, kind: Kind
) -> None:
    create_on_kafka(own_kafka.bootstrap, topic, 2, {})
    config = configuration(tmp_path, own_kafka.bootstrap, real_stack.registry_url, "[limits]\ndeadline = 3.0")
    with bound(config, topic, kind) as server, Load(server.url, topic) as load:
        load.wait_for_answers(100)
        own_kafka.pause()
        wait_for_records_in_flight(server, load.producers)
        server.process.terminate()
        stops_listening(server)
        assert server.process.poll() is None
        ends_in_order(server)
    own_kafka.resume()
    landed = events(read_all(own_kafka.bootstrap, topic))
    unknown = load.events("unknown")
    assert len(unknown) == load.producers
    assert load.events("written") <= landed <= load.events("written") | unknown
    assert {attempt.met for attempt in load.attempts} <= {"answer", "refusal", "silence"}
    told = re.findall(r"([0-9]+) records were not acknowledged", server.log.read_text())
    assert sum(map(int, told)) == len(unknown)


def test_what_a_client_sent_that_did_not_wait_is_still_delivered(stack: Stack, tmp_path: Path, topic: str) -> None:
    stack.create_topic(topic)
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url)
    body = b'{"records":[{"value":{"id":"hasty"}}]}'
    with bound(config, topic, SHIM_CLUSTERS__DEFAULT__KAFKA__LINGER_MS="2000") as server:
        with Conversation(server.url) as client:
            client.send(post(f"/topics/{topic}", body) + body)
            wait_for_records_in_flight(server, 1)
        ends_in_order(server)
    assert events(stack.read_all(topic)) == {"hasty"}


def test_a_body_that_never_arrives_holds_the_end_up_for_a_bounded_time(
    stack: Stack, tmp_path: Path, topic: str
) -> None:
    stack.create_topic(topic)
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url, "[limits]\ndeadline = 1.0")
    with bound(config, topic) as server, Conversation(server.url) as client:
        client.send(post(f"/topics/{topic}", None, "Content-Length: 100") + b'{"records":')
        assert server.produce(topic, {"records": [{"value": {"id": "second"}}]}).ok
        ends_in_order(server)
        assert client.ends()
    assert events(stack.read_all(topic)) == {"second"}
