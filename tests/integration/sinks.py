"""What the tests of the Kafka sink share: a sink, what a client is told, and whether that is what the log holds."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.kafka import KafkaSink
from tests.stack.topics import read_all

SECONDS = 20.0
"""What a broker may take to be back."""
SOON_MISSED = {"broker.session.timeout.ms": "1000", "broker.heartbeat.interval.ms": "200"}
"""What makes a broker that is frozen or killed be out of the cluster, and back in it, within a second or two."""


@contextmanager
def open_sink(bootstrap: str, **config: str) -> Iterator[KafkaSink]:
    """Give a sink; `message_timeout_ms="1500"` stands for `message.timeout.ms`."""
    sink = KafkaSink(
        {"bootstrap.servers": bootstrap, **{key.replace("_", "."): value for key, value in config.items()}}
    )
    try:
        yield sink
    finally:
        sink.close()


def told(delivery: Delivery) -> tuple[int | None, str, bool]:
    """Return what a client decides by: code, outcome, whether to retry."""
    return delivery.error_code, delivery.outcome, delivery.retryable


def values(bootstrap: str, topic: str) -> list[bytes | None]:
    """Return the values that the topic holds, by partition and offset."""
    return [record.value for record in read_all(bootstrap, topic)]


def eventually_written(sink: KafkaSink, topic: str, value: bytes, seconds: float) -> Delivery:
    """Send until Kafka takes it, as a client does that is told to retry."""
    end = time.monotonic() + seconds
    while True:
        with suppress(SinkUnavailable):
            (delivery,) = sink.send(topic, [AdmittedRecord(None, value)])
            if delivery.outcome == "written":
                return delivery
            assert delivery.retryable
        assert time.monotonic() < end
        time.sleep(0.1)


def batch(name: str, size: int = 3) -> list[bytes]:
    """Return values that no other batch of a topic has."""
    return [f"{name} {number}".encode() for number in range(size)]


def queued(sink: KafkaSink) -> int:
    """Return how many records wait for Kafka."""
    return len(sink._batching.get())


class Claims:
    """What was answered for each value that was sent to a topic, to be held against its log."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._made: dict[bytes, Delivery] = {}

    def send(self, sink: KafkaSink, values: Sequence[bytes]) -> list[Delivery]:
        """Send values, no two of which are equal, and note what is answered."""
        deliveries = sink.send(self._topic, [AdmittedRecord(None, value) for value in values])
        self._made.update(zip(values, deliveries, strict=True))
        return deliveries

    def landed(self, outcome: str) -> list[bytes]:
        """Hold every claim against the log, and return the values of this outcome that are in it."""
        log = read_all(self._bootstrap, self._topic)
        places = {record.value: (record.partition, record.offset) for record in log}
        count = Counter(record.value for record in log)
        for value, delivery in self._made.items():
            if delivery.outcome == "written":
                assert places[value] == (delivery.partition, delivery.offset)
            assert count[value] in {"written": {1}, "not_written": {0}, "unknown": {0, 1}}[delivery.outcome], delivery
        return [value for value, delivery in self._made.items() if delivery.outcome == outcome and count[value]]
