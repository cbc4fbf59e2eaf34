"""What clients and operators meet when the parts behind the server fail, and when the server itself is ended."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from confluent_kafka.admin import AdminClient

from tests.e2e.server import Server, configuration, free_port, metric, serving
from tests.stack import AxonOpsRegistry, Kafka, Stack
from tests.stack.topics import create_on_kafka, read_all
from tests.waiting import eventually

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
}
GOOD = {"records": [{"value": {"id": 1}}]}
NOBODY = "127.0.0.1:1"
"""A Kafka that is not there."""
IMPATIENT = {**os.environ, "SHIM_CLUSTERS__DEFAULT__KAFKA__MESSAGE_TIMEOUT_MS": "1500"}


@pytest.fixture
def topic() -> str:
    return f"outage-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[AxonOpsRegistry]:
    """Give a registry for one test, to be frozen and ended."""
    registry = AxonOpsRegistry(tmp_path / "registry")
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()


def bound_before(config: Path, topic: str) -> None:
    """Bind `topic` through a server that has ended when this returns: the next one has never asked for anything."""
    with serving(config) as server:
        server.bind(topic, schema=SCHEMA)


def test_a_bound_topic_takes_records_while_the_registry_is_down_and_operators_are_told(
    real_stack: Stack, own_registry: AxonOpsRegistry, tmp_path: Path, topic: str
) -> None:
    real_stack.create_topic(topic)
    with serving(configuration(tmp_path, real_stack.kafka_bootstrap, own_registry.url)) as server:
        server.bind(topic, schema=SCHEMA)
        assert server.produce(topic, GOOD).status_code == 200
        assert metric(server, "confluent_shim_registry_staleness_seconds") == 0
        own_registry.stop()
        time.sleep(0.3)  # the version list is now older than its time to live
        answers = [server.produce(topic, GOOD) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        refused = server.produce(topic, {"records": [{"value": {"id": "one"}}]})
        assert refused.status_code == 400
        assert metric(server, "confluent_shim_registry_stale_answers_total") >= 20
        assert metric(server, "confluent_shim_registry_staleness_seconds") > 0
        told = [line for line in server.log.read_text().splitlines() if "answering from memory" in line]
        assert len(told) == 1
    assert len(real_stack.read_all(topic)) == 21


@pytest.fixture
def unasked(real_stack: Stack, own_registry: AxonOpsRegistry, tmp_path: Path, topic: str) -> Iterator[Server]:
    """Give a server that knows a binding, and has never heard of its schema from a registry that is now frozen."""
    real_stack.create_topic(topic)
    config = configuration(tmp_path, real_stack.kafka_bootstrap, own_registry.url)
    bound_before(config, topic)
    own_registry.pause()
    with serving(config) as server:
        yield server


def test_a_registry_that_hangs_from_the_start_costs_a_client_seconds_and_only_the_first(
    unasked: Server, topic: str
) -> None:
    began = time.monotonic()
    first = unasked.produce(topic, GOOD)
    middle = time.monotonic()
    second = unasked.produce(topic, GOOD)
    assert middle - began < 10.0
    assert time.monotonic() - middle < middle - began
    for answer in (first, second):
        assert (answer.status_code, answer.json()["error_code"]) == (503, 50391)
        assert answer.json()["retryable"] is True
        assert int(answer.headers["Retry-After"]) >= 1


def test_a_registry_that_goes_on_is_used_again_without_a_restart(
    unasked: Server, own_registry: AxonOpsRegistry, topic: str
) -> None:
    assert unasked.produce(topic, GOOD).status_code == 503
    own_registry.resume()
    eventually(lambda: unasked.produce(topic, GOOD).status_code == 200, 10.0)
    assert metric(unasked, "confluent_shim_registry_staleness_seconds") == 0


def test_a_server_starts_and_answers_without_kafka_and_produces_when_kafka_comes(
    own_kafka: Kafka, real_stack: Stack, tmp_path: Path, topic: str
) -> None:
    create_on_kafka(own_kafka.bootstrap, topic, 1, {})
    config = configuration(tmp_path, own_kafka.bootstrap, real_stack.registry_url)
    bound_before(config, topic)
    own_kafka.kill()
    began = time.monotonic()
    with serving(config, environment=IMPATIENT) as server:  # it is ready when it is given
        assert time.monotonic() - began < 10.0
        # Until Kafka was away for as long as a record may wait, records are taken on and answered one by one.
        eventually(lambda: server.produce(topic, GOOD).status_code == 503, 20.0)
        answer = server.produce(topic, GOOD)
        assert (answer.status_code, answer.json()["error_code"], answer.json()["retryable"]) == (503, 50392, True)
        assert int(answer.headers["Retry-After"]) >= 1
        own_kafka.restart()
        eventually(lambda: server.produce(topic, GOOD).status_code == 200, 20.0)
    assert read_all(own_kafka.bootstrap, topic)


def test_readiness_does_not_depend_on_kafka_and_tells_of_it_when_asked(real_stack: Stack, tmp_path: Path) -> None:
    with serving(configuration(tmp_path, NOBODY, real_stack.registry_url)) as server:
        ready = requests.get(f"{server.url}/-/ready?verbose", timeout=10)
    assert ready.status_code == 200
    assert ready.json()["parts"]["kafka default"] != "ok"


def test_records_for_a_bound_topic_that_is_gone_from_kafka_are_answered_within_seconds(
    real_stack: Stack, server: Server, topic: str
) -> None:
    real_stack.create_topic(topic)
    server.bind(topic, schema=SCHEMA)
    admin = AdminClient({"bootstrap.servers": real_stack.kafka_bootstrap})
    admin.delete_topics([topic])[topic].result(10)
    began = time.monotonic()
    answer = server.produce(topic, GOOD)
    assert time.monotonic() - began < 5.0
    assert answer.status_code == 200
    (offset,) = answer.json()["offsets"]
    assert (offset["error_code"], offset["outcome"], offset["retryable"]) == (50003, "not_written", True)


def descendants(pid: int) -> set[int]:
    """Return the processes below `pid`."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return set(children).union(*(descendants(child) for child in children))


def threads(pid: int) -> set[str]:
    """Return the names of a process's threads, as their makers set them."""
    return {name.read_text().strip() for name in Path(f"/proc/{pid}/task").glob("*/comm")}


def runs(pid: int) -> bool:
    """Tell whether a process is there and is not a mere entry that its parent has to collect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_ends_every_process_of_a_server_within_seconds_and_in_order(real_stack: Stack, tmp_path: Path) -> None:
    config = configuration(tmp_path, real_stack.kafka_bootstrap, real_stack.registry_url)
    with serving(config, workers=2) as server:
        # The server may be ready while a worker still starts; one that serves polls for its loop and for connections.
        eventually(lambda: sum(polls(pid) > 1 for pid in descendants(server.process.pid)) == 2, 20.0)
        processes = descendants(server.process.pid)
        server.process.terminate()
        assert server.process.wait(10) == 0, server.log.read_text()
        eventually(lambda: not any(runs(pid) for pid in processes), 2.0)
    assert "Traceback" not in server.log.read_text()


def test_sigterm_ends_a_server_whose_worker_still_waits_for_kafka(real_stack: Stack, tmp_path: Path) -> None:
    config = configuration(tmp_path, NOBODY, real_stack.registry_url)
    command = [sys.executable, "-m", "confluent_shim", "serve", "--config", str(config), "--port", str(free_port())]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "SHIM_WARM_UP": "3"})
    processes: set[int] = set()
    try:
        eventually(lambda: count_with_thread(process.pid, "rdk:main") == 1, 20.0)
        processes = descendants(process.pid)
        process.terminate()
        assert process.wait(5) == 0
        eventually(lambda: not any(runs(pid) for pid in processes), 2.0)
    finally:
        process.kill()
        process.wait()
        for pid in filter(runs, processes):
            os.kill(pid, signal.SIGKILL)


def polls(pid: int) -> int:
    """Return for how many things a process has the kernel poll."""
    return sum("eventpoll" in str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir())


def count_with_thread(pid: int, name: str) -> int:
    """Return how many processes below `pid` have a thread of that name."""
    return sum(name in threads(child) for child in descendants(pid))
