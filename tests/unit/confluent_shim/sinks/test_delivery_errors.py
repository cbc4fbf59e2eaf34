"""What Kafka's errors mean for a record."""

import pytest
from confluent_kafka import KafkaError

from confluent_shim.sinks.delivery_errors import failed, shut_out_by, undelivered


@pytest.mark.parametrize(
    ("number", "code", "outcome", "retryable"),
    [
        (KafkaError._MSG_TIMED_OUT, 50003, "unknown", True),
        (KafkaError._PURGE_INFLIGHT, 50003, "unknown", True),
        (KafkaError._PURGE_QUEUE, 50003, "unknown", True),
        (KafkaError._TRANSPORT, 50003, "unknown", True),
        (KafkaError._QUEUE_FULL, 50003, "not_written", True),
        (KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, 50003, "unknown", True),
        (KafkaError.NOT_ENOUGH_REPLICAS, 50003, "not_written", True),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, 50003, "not_written", True),
        (KafkaError._UNKNOWN_PARTITION, 50003, "not_written", True),
        (KafkaError.MSG_SIZE_TOO_LARGE, 50002, "not_written", False),
        (KafkaError.TOPIC_EXCEPTION, 50002, "not_written", False),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, 40301, "not_written", False),
        (KafkaError._AUTHENTICATION, 40101, "not_written", False),
    ],
)
def test_an_error_has_confluents_code_and_an_honest_outcome(
    number: int, code: int, outcome: str, retryable: bool
) -> None:
    delivery = failed(KafkaError(number))
    assert (delivery.error_code, delivery.outcome, delivery.retryable) == (code, outcome, retryable)
    assert (delivery.partition, delivery.offset) == (None, None)
    assert delivery.error


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (KafkaError._UNKNOWN_TOPIC, 40401),
        (KafkaError._UNKNOWN_PARTITION, 40401),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, 40401),
        (KafkaError.MSG_SIZE_TOO_LARGE, 413),
        (KafkaError.TOPIC_EXCEPTION, 40002),
        (KafkaError.THROTTLING_QUOTA_EXCEEDED, 42901),
        (KafkaError.BROKER_NOT_AVAILABLE, 50302),
        (KafkaError._MSG_TIMED_OUT, None),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, None),
    ],
)
def test_some_errors_have_a_code_of_their_own_in_the_v3_api(number: int, code: int | None) -> None:
    assert failed(KafkaError(number)).error_code_v3 == code


@pytest.mark.parametrize(
    ("number", "was_in", "told"),
    [
        (KafkaError._AUTHENTICATION, False, (40101, "not_written", False)),
        (KafkaError._AUTHENTICATION, True, (40101, "unknown", False)),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, True, (40301, "not_written", False)),
        (KafkaError._GAPLESS_GUARANTEE, True, (50003, "unknown", True)),
    ],
)
def test_what_waited_for_a_producer_that_was_given_up_is_told_why(
    number: int, was_in: bool, told: tuple[int, str, bool]
) -> None:
    shut_out = shut_out_by(KafkaError(number), was_in=was_in)
    delivery = failed(KafkaError(KafkaError._PURGE_QUEUE), shut_out)
    assert (delivery.error_code, delivery.outcome, delivery.retryable) == told
    large = failed(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), shut_out)
    assert large.error_code == 50002  # what was answered for itself stands


def test_silence_is_unknown() -> None:
    assert (undelivered().outcome, undelivered().retryable) == ("unknown", True)
