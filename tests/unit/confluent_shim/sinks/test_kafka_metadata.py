"""What a refusal of Kafka means for one who asks for metadata."""

import pytest
from confluent_kafka import KafkaError

from confluent_shim.errors import MetadataForbidden, MetadataUnavailable, TopicNotHosted
from confluent_shim.sinks.kafka_metadata import unanswered


@pytest.mark.parametrize(
    ("number", "meaning"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, TopicNotHosted),
        (KafkaError.TOPIC_EXCEPTION, TopicNotHosted),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, MetadataForbidden),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, MetadataForbidden),
        (KafkaError._AUTHENTICATION, MetadataForbidden),
        (KafkaError._TRANSPORT, MetadataUnavailable),
        (KafkaError._TIMED_OUT, MetadataUnavailable),
        (KafkaError.LEADER_NOT_AVAILABLE, MetadataUnavailable),
    ],
)
def test_an_error_of_kafka_is_told_for_what_it_is(number: int, meaning: type[Exception]) -> None:
    assert type(unanswered(KafkaError(number))) is meaning
