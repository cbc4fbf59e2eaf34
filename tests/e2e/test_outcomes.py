"""What a client is answered when Kafka does not take its records, and what the log holds afterwards."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import requests
from confluent_kafka.admin._acl import AclOperation

from tests.e2e.server import Server, configuration, metric, serving
from tests.stack import Kafka, Stack
from tests.stack.fixtures import RunKafka
from tests.stack.topics import Record, allow, create_on_kafka, read_all
from tests.waiting import eventually

SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["id"]}
PATIENCE = 10.0
"""The time of a record by default, in seconds."""


@pytest.fixture
def topic() -> str:
    return f"outcome-{uuid.uuid4().hex[:12]}"


def setting(**kafka: str) -> dict[str, str]:
    """Return an environment with settings of the producer."""
    return {**os.environ, **{f"SHIM_CLUSTERS__DEFAULT__KAFKA__{name.upper()}": text for name, text in kafka.items()}}


def records(*ids: object) -> dict[str, object]:
    return {"records": [{"value": {"id": each}} for each in ids]}


def told(answer: requests.Response) -> list[tuple[int | None, str, bool]]:
    """Return code, outcome and advice for each record; a written one says neither of the last two."""
    return [
        (each["error_code"], each.get("outcome", "written"), each.get("retryable", False))
        for each in answer.json()["offsets"]
    ]


@pytest.fixture(scope="module")
def guarded(run_kafka: RunKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with run_kafka(tmp_path_factory.mktemp("guarded"), users={"shim": "a-password"}) as kafka:
        yield kafka


@pytest.fixture
def bound(guarded: Kafka, real_stack: Stack, tmp_path: Path, topic: str) -> Path:
    """Give the configuration of a server where `topic` was bound by somebody who may do everything."""
    config = configuration(tmp_path, guarded.bootstrap, real_stack.registry_url)
    create_on_kafka(guarded.bootstrap, topic, 1, {})
    with serving(config) as server:
        server.bind(topic, schema=SCHEMA)
    return config


def as_shim(guarded: Kafka, password: str) -> dict[str, str]:
    return setting(
        bootstrap_servers=guarded.guarded,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="shim",
        sasl_password=password,
    )


def ids(landed: list[Record]) -> list[int]:
    """Return the id of each event, in the order of the log."""
    return [json.loads(record.value[5:])["id"] for record in landed if record.value is not None]


def told_if_any(answer: requests.Response) -> list[tuple[int | None, str, bool]]:
    return told(answer) if answer.status_code == 200 else []


def test_wrong_credentials_are_401_at_once_and_no_reason_to_be_taken_out_of_service(
    guarded: Kafka, bound: Path, topic: str
) -> None:
    with serving(bound, environment=as_shim(guarded, "wrong")) as server:
        began = time.monotonic()
        answer = server.produce(topic, records(1, 2))
        assert time.monotonic() - began < PATIENCE / 2
        assert answer.status_code == 401
        assert told(answer) == [(40101, "not_written", False)] * 2
        assert requests.get(f"{server.url}/-/ready", timeout=10).status_code == 200
    assert read_all(guarded.bootstrap, topic) == []


def test_a_topic_that_the_server_may_not_write_is_403_until_it_may(guarded: Kafka, bound: Path, topic: str) -> None:
    with serving(bound, environment=as_shim(guarded, "a-password")) as server:
        answer = server.produce(topic, records(1, 2))
        assert answer.status_code == 403
        assert told(answer) == [(40301, "not_written", False)] * 2
        allow(guarded.bootstrap, "shim", topic, AclOperation.WRITE)
        eventually(lambda: server.produce(topic, records(3)).status_code == 200)
    assert ids(read_all(guarded.bootstrap, topic)) == [3]


def test_a_frozen_kafka_is_answered_in_time_and_503_says_that_nothing_was_taken(
    own_kafka: Kafka, real_stack: Stack, tmp_path: Path, topic: str
) -> None:
    create_on_kafka(own_kafka.bootstrap, topic, 1, {})
    config = configuration(tmp_path, own_kafka.bootstrap, real_stack.registry_url)
    small = setting(message_timeout_ms="3000", queue_buffering_max_messages="5")
    with serving(config, environment=small) as server, ThreadPoolExecutor(1) as client:
        server.bind(topic, schema=SCHEMA)
        assert server.produce(topic, records(0)).status_code == 200
        own_kafka.pause()
        try:
            began = time.monotonic()
            first = client.submit(server.produce, topic, records(1, 2, 3, 4, 5, 6))
            eventually(lambda: metric(server, "confluent_shim_records_in_flight") == 6)
            refused = server.produce(topic, records(7))
            answer = first.result()
            assert time.monotonic() - began < PATIENCE
        finally:
            own_kafka.resume()
        assert (refused.status_code, refused.json()["error_code"], refused.json()["retryable"]) == (503, 50392, True)
        assert int(refused.headers["Retry-After"]) >= 1
        assert answer.status_code == 200
        assert told(answer) == [(50003, "unknown", True)] * 5 + [(50003, "not_written", True)]
        later = count(8)
        eventually(lambda: told_if_any(server.produce(topic, records(next(later)))) == [(None, "written", False)])
    landed = ids(read_all(own_kafka.bootstrap, topic))
    assert landed[0] == 0
    assert not {6, 7}.intersection(landed)
    assert len(set(landed)) == len(landed)


def test_a_record_that_kafka_refuses_for_good_is_told_beside_those_that_it_took(
    real_stack: Stack, server: Server, topic: str
) -> None:
    real_stack.create_topic(topic, max_message_bytes="1000")
    server.bind(topic, schema=SCHEMA)
    answer = server.produce(topic, {"records": [{"value": {"id": 1}}, {"value": {"id": 2, "text": "x" * 5000}}]})
    assert answer.status_code == 200
    assert told(answer) == [(None, "written", False), (50002, "not_written", False)]
    assert ids(real_stack.read_all(topic)) == [1]


def test_a_producer_that_failed_for_good_fails_no_request_after_it(
    real_stack: Stack, tmp_path: Path, topic: str
) -> None:
    real_stack.create_topic(topic, max_message_bytes="1000")
    config = configuration(tmp_path, real_stack.kafka_bootstrap, real_stack.registry_url)
    # With this guarantee a record that Kafka refuses is the end of a producer.
    with serving(config, environment=setting(enable_gapless_guarantee="true")) as server:
        server.bind(topic, schema=SCHEMA)
        fatal = server.produce(topic, {"records": [{"value": {"id": 1, "text": "x" * 5000}}]})
        assert fatal.status_code == 200
        assert fatal.json()["offsets"][0]["outcome"] != "written"
        assert told(server.produce(topic, records(2))) == [(None, "written", False)]
    assert ids(real_stack.read_all(topic)) == [2]
