"""What the sink answers when Kafka does not take a record, held against what is in the log afterwards."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery
from tests.integration.sinks import (
    SECONDS,
    SOON_MISSED,
    Claims,
    batch,
    eventually_written,
    open_sink,
    queued,
    told,
    values,
)
from tests.stack import Kafka, Stack
from tests.stack.fixtures import RunKafka
from tests.stack.topics import create_on_kafka, end_offsets, in_sync
from tests.waiting import eventually

PATIENCE = 1.5
"""The time of a record, in seconds, where a test waits until it is over."""
IMPATIENT = {"message_timeout_ms": str(int(PATIENCE * 1000))}
UNKNOWN = (50003, "unknown", True)


@pytest.fixture
def topic() -> str:
    return f"outcome-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def frail(run_kafka: RunKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Give a broker that each test of this module may freeze and kill, and leaves running."""
    with run_kafka(tmp_path_factory.mktemp("frail"), properties=SOON_MISSED) as kafka:
        yield kafka


def test_a_frozen_broker_leaves_the_outcome_unknown_and_may_have_the_records_when_it_goes_on(
    frail: Kafka, topic: str
) -> None:
    create_on_kafka(frail.bootstrap, topic, 1, {})
    claims = Claims(frail.bootstrap, topic)
    with open_sink(frail.bootstrap, **IMPATIENT) as sink:
        assert eventually_written(sink, topic, b"before", SECONDS).offset is not None
        frail.pause()
        began = time.monotonic()
        try:
            during = claims.send(sink, batch("during"))
            took = time.monotonic() - began
            with pytest.raises(SinkUnavailable):
                sink.ping()
        finally:
            frail.resume()
        assert took < PATIENCE + 2.0
        assert [told(delivery) for delivery in during] == [UNKNOWN] * 3
        assert eventually_written(sink, topic, b"after", SECONDS).offset is not None
        # They were on their way when the broker froze. Here is why their outcome must not be called `not_written`.
        eventually(lambda: claims.landed("unknown") == batch("during"))


def test_a_killed_broker_loses_and_repeats_nothing_that_was_answered(frail: Kafka, topic: str) -> None:
    create_on_kafka(frail.bootstrap, topic, 1, {})
    claims = Claims(frail.bootstrap, topic)
    with open_sink(frail.bootstrap, **IMPATIENT) as sink, ThreadPoolExecutor(1) as client:

        def send_until_refused() -> list[Delivery]:
            for number in count():
                answer = claims.send(sink, batch(f"load {number}", 50))
                if answer[-1].outcome != "written":
                    break
            return answer

        refused = client.submit(send_until_refused)
        eventually(lambda: end_offsets(frail.bootstrap, topic) > 500)
        frail.kill()
        assert {told(delivery) for delivery in refused.result()} <= {(None, "written", False), UNKNOWN}
        frail.restart()
        assert eventually_written(sink, topic, b"after", SECONDS).offset is not None
    assert len(claims.landed("written")) >= 500


def test_what_is_sent_before_a_restart_lands_once_when_there_is_time_for_it(frail: Kafka, topic: str) -> None:
    create_on_kafka(frail.bootstrap, topic, 1, {})
    claims = Claims(frail.bootstrap, topic)
    with open_sink(frail.bootstrap, message_timeout_ms="20000") as sink, ThreadPoolExecutor(1) as client:
        claims.send(sink, batch("before"))
        frail.kill()
        during = client.submit(claims.send, sink, batch("during", 50))
        frail.restart()
        assert {delivery.outcome for delivery in during.result()} == {"written"}
    assert values(frail.bootstrap, topic) == [*batch("before"), *batch("during", 50)]


@pytest.fixture(scope="module")
def follower(run_kafka: RunKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, Kafka]]:
    """Give a broker and another one that follows it, and is missed later than a record waits in these tests."""
    folder = tmp_path_factory.mktemp("pair")
    missed = {"broker.session.timeout.ms": "4000"}
    with (
        run_kafka(folder / "1", properties=missed) as leader,
        run_kafka(folder / "2", properties=missed, join=leader, node=2) as follower,
    ):
        yield leader, follower
        follower.kill()  # in order they would take their time
        leader.kill()


@pytest.mark.parametrize("known", [True, False], ids=["known to be missing", "not yet missed"])
def test_too_few_replicas_leave_the_outcome_unknown_and_the_answer_in_time(
    follower: tuple[Kafka, Kafka], topic: str, known: bool
) -> None:
    leading, following = follower
    create_on_kafka(leading.bootstrap, topic, 1, {"min.insync.replicas": "2"}, brokers=(1, 2))
    claims = Claims(leading.bootstrap, topic)
    with open_sink(leading.bootstrap, message_timeout_ms="3000") as sink:
        assert eventually_written(sink, topic, b"before", SECONDS).offset is not None
        following.pause()
        try:
            if known:
                eventually(lambda: in_sync(leading.bootstrap, topic) == {1})
            began = time.monotonic()
            during = claims.send(sink, batch("during"))
            assert time.monotonic() - began < 3.0 + 2.0
        finally:
            following.resume()
        assert [told(delivery) for delivery in during] == [UNKNOWN] * 3
        assert eventually_written(sink, topic, b"after", SECONDS).offset is not None
        # A leader that knows of it refuses again and again; one that has yet to learn it appends, and the record stays.
        assert claims.landed("unknown") == ([] if known else batch("during"))


def test_a_producer_that_failed_for_good_is_replaced(
    real_stack: Stack, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    real_stack.create_topic(topic, max_message_bytes="1000")
    claims = Claims(real_stack.kafka_bootstrap, topic)
    # With this guarantee a record that Kafka refuses is the end of a producer.
    with open_sink(real_stack.kafka_bootstrap, enable_gapless_guarantee="true") as sink:
        (lost,) = claims.send(sink, [b"x" * 5000])
        assert lost.outcome != "written"
        (after,) = claims.send(sink, [b"after"])
        assert after.outcome == "written"
    assert claims.landed("written") == [b"after"]
    assert "failed for good and is replaced" in caplog.text


def test_what_does_not_fit_into_the_queue_is_not_written_and_nothing_is_taken_when_it_is_full(
    frail: Kafka, topic: str
) -> None:
    create_on_kafka(frail.bootstrap, topic, 1, {})
    claims = Claims(frail.bootstrap, topic)
    with (
        open_sink(frail.bootstrap, **IMPATIENT, queue_buffering_max_messages="10") as sink,
        ThreadPoolExecutor(2) as clients,
    ):
        assert eventually_written(sink, topic, b"before", SECONDS).offset is not None
        frail.pause()
        try:
            first = clients.submit(claims.send, sink, batch("first", 6))
            eventually(lambda: queued(sink) == 6)
            second = clients.submit(claims.send, sink, batch("second", 6))
            eventually(lambda: queued(sink) == 10)
            with pytest.raises(SinkUnavailable, match="queue"):
                sink.send(topic, [AdmittedRecord(None, b"third")])
            assert [told(delivery) for delivery in first.result()] == [UNKNOWN] * 6
            assert [told(delivery) for delivery in second.result()] == [UNKNOWN] * 4 + [
                (50003, "not_written", True)
            ] * 2
        finally:
            frail.resume()
        assert eventually_written(sink, topic, b"after", SECONDS).offset is not None
    assert claims.landed("written") == []
    assert b"third" not in values(frail.bootstrap, topic)
