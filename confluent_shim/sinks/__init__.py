"""Where admitted records go."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.sinks.metadata import MetadataSource

_SEND_SECONDS = 15.0


class Handover(Protocol):
    """Records that a sink has taken on; what becomes of them is known later."""

    def wait(self, end: float) -> list[Delivery]:
        """Return one delivery per record, in order, when all are known or `end`, on the monotonic clock, is reached.

        A delivery with outcome `written` is in Kafka, acknowledged by all in-sync replicas. What is not known at `end`
        has the outcome `unknown`. Called once.
        """
        ...

    def ready(self) -> bool:
        """Tell whether something has been heard of every record, so that there is nothing to wait for."""
        ...

    def tell(self, when_ready: Callable[[], None]) -> None:
        """Call `when_ready` when something has been heard of every record: at once, or later from another thread.

        It may be called more than once, and where hearing of them needs somebody who waits, at once. Called once.
        """
        ...


class Sink(Protocol):
    """Takes the admitted records of one request and says what became of each.

    A sink opens its connections when it is first used or told to `warm_up`, in the process that uses it, so that it
    may be built before a fork. It is safe to share between threads.
    """

    metadata: MetadataSource
    """What tells of the cluster behind the sink; it is closed with the sink."""

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Handover:
        """Take on `records`, to be written in order, and return without waiting for any of them.

        `client` is who sent them, for a sink that acts on its behalf. Raises SinkUnavailable when nothing at all was
        taken on: then the same request may be sent again.
        """
        ...

    def send(self, topic: str, records: Sequence[AdmittedRecord], seconds: float = _SEND_SECONDS) -> list[Delivery]:
        """Hand `records` over and wait for them, `seconds` at most. Raises SinkUnavailable."""
        return self.hand_over(topic, records).wait(time.monotonic() + seconds)

    def has_topic(self, topic: str) -> bool:
        """Tell whether Kafka has the topic. Raises SinkUnavailable."""
        ...

    def create_topic(self, topic: str) -> None:
        """Create the topic with the broker's defaults. Raises SinkUnavailable, with Kafka's reason."""
        ...

    def warm_up(self, seconds: float) -> None:
        """Connect, waiting `seconds` at most; never raises."""
        ...

    def ping(self) -> None:
        """Raise SinkUnavailable when Kafka does not answer within a second."""
        ...

    def close(self) -> None:
        """Deliver what is still queued, within a bound, and let go of all connections."""
        ...
