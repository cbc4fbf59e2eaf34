"""The one table from an error to an HTTP answer: total, and true to its rules."""

import pytest
from confluent_kafka import KafkaError

from confluent_shim.error_table import ANSWERS, Code, answer_of, leaves
from confluent_shim.errors import (
    DeadlinePassed,
    MetadataUnavailable,
    Overloaded,
    ShimError,
    SinkUnavailable,
    StartError,
    TooManyStreams,
    Unexpected,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnavailable,
)
from confluent_shim.sinks.delivery_errors import failed
from jsonschema_bridge import BridgeError, RegistryUnauthorized, RegistryUnavailable
from topic_map import StoreTooNew, StoreUnavailable, TopicMapError

TREES: tuple[type[Exception], ...] = (ShimError, TopicMapError, BridgeError)
OURS = ("confluent_shim", "topic_map", "jsonschema_bridge")
FAULTS_BEHIND_THE_CLIENT = {
    SinkUnavailable,
    Overloaded,
    DeadlinePassed,
    TooManyStreams,
    Unexpected,
    MetadataUnavailable,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnavailable,
    StoreUnavailable,
    StoreTooNew,
    RegistryUnavailable,
    RegistryUnauthorized,
}
CONFLUENT = {
    400,
    404,
    405,
    406,
    408,
    413,
    415,
    422,
    500,
    40002,
    40101,
    40301,
    40401,
    40402,
    40403,
    42201,
    42202,
    42205,
    42207,
    42208,
    42901,
    50002,
    50003,
    50302,
}
"""Numbers of kafka-rest and rest-utils, used with their meaning."""


def all_leaves() -> set[type[Exception]]:
    """Return the leaves of the three trees, without those that a test may have made."""
    return {leaf for tree in TREES for leaf in leaves(tree) if leaf.__module__.startswith(OURS)}


def test_every_error_that_a_client_can_meet_has_an_answer() -> None:
    """No leaf is missing from the table."""
    assert all_leaves() - set(ANSWERS) == set()


def test_the_table_has_no_row_that_is_never_raised() -> None:
    """A row is a leaf: what has subclasses is not raised itself."""
    assert set(ANSWERS) - all_leaves() == set()


def test_what_stops_the_start_is_answered_to_nobody() -> None:
    """Errors of the start end the process and have no row."""
    assert {error for error in ANSWERS if issubclass(error, StartError)} == set()


@pytest.mark.parametrize("error", ANSWERS, ids=lambda error: str(error.__name__))
class TestRow:
    def test_client_faults_are_4xx_and_all_others_5xx(self, error: type[Exception]) -> None:
        """Clients decide by the status whether to send again."""
        status, _ = ANSWERS[error]
        assert status // 100 == (5 if error in FAULTS_BEHIND_THE_CLIENT else 4)

    def test_the_code_begins_with_the_status(self, error: type[Exception]) -> None:
        """A code is its status, or its status and two more digits."""
        status, code = ANSWERS[error]
        assert status in (code, code // 100)


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_a_code_is_confluent_s_or_lies_in_the_private_band(code: Code) -> None:
    """Our own conditions end in 90 to 99 behind their status, and nothing of Confluent's does."""
    private = code > 999 and code % 100 >= 90
    assert private != (int(code) in CONFLUENT)


def test_every_code_is_used() -> None:
    """A code is answered for a request, or for a record that Kafka did not take."""
    numbers = [number for number in vars(KafkaError).values() if isinstance(number, int)]
    deliveries = [failed(KafkaError(number)) for number in numbers]
    of_records = {code for each in deliveries for code in (each.error_code, each.error_code_v3) if code}
    assert {code for _, code in ANSWERS.values()} | of_records == set(Code)


def test_what_nobody_foresaw_is_a_defect_that_tells_nothing() -> None:
    """An error without a row is answered with 500, and its text stays inside."""
    assert answer_of(KeyError("hunter2")) == (500, 500, "Internal Server Error")
