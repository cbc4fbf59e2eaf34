"""What the sink answers where Kafka lets in only some, and lets them do only some things."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin._acl import AclOperation

from confluent_shim.sinks.kafka import KafkaSink
from tests.integration.sinks import (
    SECONDS,
    SOON_MISSED,
    Claims,
    batch,
    eventually_written,
    open_sink,
    queued,
    told,
)
from tests.stack import Kafka
from tests.stack.fixtures import RunKafka
from tests.stack.topics import allow, create_on_kafka
from tests.waiting import eventually

RIGHT, WRONG = "a-password", "another"
USERS = dict.fromkeys(("stranger", "reader", "neighbour", "shim"), RIGHT)
SOON = 5.0
"""Half of what a record has by default, in seconds: nobody waited for it to be over."""

UNAUTHENTICATED = (40101, "not_written", False)
UNAUTHORIZED = (40301, "not_written", False)


@pytest.fixture(scope="module")
def guarded(run_kafka: RunKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with run_kafka(tmp_path_factory.mktemp("guarded"), users=USERS, properties=SOON_MISSED) as kafka:
        yield kafka


@pytest.fixture
def topic(guarded: Kafka) -> str:
    name = f"guarded-{uuid.uuid4().hex}"
    create_on_kafka(guarded.bootstrap, name, 1, {})
    return name


def credentials(user: str, password: str = RIGHT) -> dict[str, str]:
    """Return what `open_sink` takes to be let in."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_username": user,
        "sasl_password": password,
    }


def writes(claims: Claims, sink: KafkaSink) -> bool:
    """Tell whether a new record is written now."""
    return claims.send(sink, [uuid.uuid4().bytes])[0].outcome == "written"


def test_wrong_credentials_are_told_at_once_and_right_ones_need_no_restart(guarded: Kafka, topic: str) -> None:
    allow(guarded.bootstrap, "shim", topic, AclOperation.WRITE)
    claims = Claims(guarded.bootstrap, topic)
    with open_sink(guarded.guarded, **credentials("shim", WRONG)) as sink:
        for name in ("first", "second"):
            began = time.monotonic()
            refused = claims.send(sink, batch(name))
            assert time.monotonic() - began < SOON
            assert [told(delivery) for delivery in refused] == [UNAUTHENTICATED] * 3
        guarded.let_in({**USERS, "shim": WRONG})
        try:
            eventually(lambda: writes(claims, sink))
        finally:
            guarded.let_in(USERS)
    assert len(claims.landed("written")) == 1


def test_credentials_that_were_right_before_leave_open_what_became_of_what_was_on_its_way(
    guarded: Kafka, topic: str
) -> None:
    allow(guarded.bootstrap, "shim", topic, AclOperation.WRITE)
    claims = Claims(guarded.bootstrap, topic)
    with open_sink(guarded.guarded, **credentials("shim")) as sink, ThreadPoolExecutor(1) as client:
        assert eventually_written(sink, topic, b"before", SECONDS).offset is not None
        guarded.pause()
        during = client.submit(claims.send, sink, batch("during"))
        eventually(lambda: queued(sink) == 3)
        guarded.kill()
        guarded.let_in({**USERS, "shim": WRONG})
        try:
            assert [told(delivery) for delivery in during.result()] == [(40101, "unknown", False)] * 3
            after = claims.send(sink, batch("after"))
            assert [told(delivery) for delivery in after] == [UNAUTHENTICATED] * 3
        finally:
            guarded.let_in(USERS)
    claims.landed("unknown")


@pytest.mark.parametrize(
    ("user", "here", "elsewhere"),
    [
        ("stranger", None, None),
        # A producer without a right to write anywhere is given no id, and that is the end of it.
        ("reader", AclOperation.DESCRIBE, None),
        ("neighbour", AclOperation.DESCRIBE, AclOperation.WRITE),
    ],
)
def test_who_may_not_write_is_told_so_until_the_right_is_given(
    guarded: Kafka, topic: str, user: str, here: AclOperation | None, elsewhere: AclOperation | None
) -> None:
    if here is not None:
        allow(guarded.bootstrap, user, topic, here)
    if elsewhere is not None:
        allow(guarded.bootstrap, user, f"{topic}-elsewhere", elsewhere)
    claims = Claims(guarded.bootstrap, topic)
    with open_sink(guarded.guarded, **credentials(user)) as sink:
        if here is not None:
            eventually(lambda: sink.has_topic(topic))  # the right is in force
        for name in ("first", "second"):
            began = time.monotonic()
            refused = claims.send(sink, batch(name))
            assert time.monotonic() - began < SOON
            assert [told(delivery) for delivery in refused] == [UNAUTHORIZED] * 3
        allow(guarded.bootstrap, user, topic, AclOperation.WRITE)
        eventually(lambda: writes(claims, sink))
    assert len(claims.landed("written")) == 1
