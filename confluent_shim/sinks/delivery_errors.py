"""What a Kafka error means for a record: Confluent's code, whether it was written, whether a retry may help.

Sources: rest-proxy contract, sections 1.8 and 2.4; design decision 8; measured outcomes on a real broker.
"""

from confluent_kafka import KafkaError

from confluent_shim.error_table import Code
from confluent_shim.records import Delivery, Outcome

AUTHENTICATION = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError.ILLEGAL_SASL_STATE}  # noqa: SLF001
)
AUTHORIZATION = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_UNKNOWN_OUTCOME = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - a stopped broker was seen to have such a record afterwards
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._PURGE_INFLIGHT,  # noqa: SLF001
        KafkaError._PURGE_QUEUE,  # noqa: SLF001 - a record that waits in the queue may have been sent before
        KafkaError._FATAL,  # noqa: SLF001 - said of records that were queued and of records that were on their way
        KafkaError._TRANSPORT,  # noqa: SLF001 - the connection may have broken on the way back
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    }
)
_RETRIABLE = _UNKNOWN_OUTCOME | frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._QUEUE_FULL,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
    }
)
_V3_CODES = {
    KafkaError._UNKNOWN_TOPIC: Code.TOPIC_NOT_FOUND,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION: Code.TOPIC_NOT_FOUND,  # noqa: SLF001 - Confluent's v3 does not tell the two apart
    # Which librdkafka says of a topic that is in no metadata, and Confluent's client says in other words.
    KafkaError.UNKNOWN_TOPIC_OR_PART: Code.TOPIC_NOT_FOUND,
    KafkaError.MSG_SIZE_TOO_LARGE: Code.TOO_LARGE,
    KafkaError.TOPIC_EXCEPTION: Code.KAFKA_INVALID,
    KafkaError.INVALID_REQUEST: Code.KAFKA_INVALID,
    KafkaError.POLICY_VIOLATION: Code.KAFKA_INVALID,
    KafkaError.THROTTLING_QUOTA_EXCEEDED: Code.KAFKA_QUOTA,
    KafkaError.BROKER_NOT_AVAILABLE: Code.KAFKA_UNAVAILABLE,
}
"""Where the v3 API has a code of its own; elsewhere it has that of v2."""


def failed(error: KafkaError, shut_out: Delivery | None = None) -> Delivery:
    """Turn a delivery error into what the client is told.

    `shut_out` is what `shut_out_by` said of the producer, when it was given up with this record in its queue.
    """
    number = error.code()
    if number == KafkaError._PURGE_QUEUE and shut_out is not None:  # noqa: SLF001
        return shut_out
    outcome: Outcome = "unknown" if number in _UNKNOWN_OUTCOME else "not_written"
    return Delivery(
        None,
        None,
        _code(number),
        error.str(),
        outcome,
        retryable=number in _RETRIABLE,
        error_code_v3=_V3_CODES.get(number),
    )


def shut_out_by(error: KafkaError, *, was_in: bool) -> Delivery | None:
    """Return what the records in a producer's queue are told when this error ended it: None if it was another fault.

    `was_in` says that the producer had been let in before. Then a record in the queue may have been sent and be waiting
    to be sent again. A producer that may not write at all has sent nothing, for it was not given its id.
    """
    number = error.code()
    if number not in AUTHENTICATION | AUTHORIZATION:
        return None
    outcome: Outcome = "unknown" if was_in and number in AUTHENTICATION else "not_written"
    return Delivery(None, None, _code(number), KafkaError(number).str(), outcome, retryable=False)


def undelivered() -> Delivery:
    """Return the delivery of a record of which nothing was heard in time."""
    return Delivery(None, None, Code.KAFKA_RETRIABLE, "Kafka did not answer in time", "unknown", retryable=True)


def _code(number: int) -> Code:
    if number in AUTHENTICATION:
        return Code.KAFKA_AUTHENTICATION
    if number in AUTHORIZATION:
        return Code.KAFKA_AUTHORIZATION
    return Code.KAFKA_RETRIABLE if number in _RETRIABLE else Code.KAFKA
