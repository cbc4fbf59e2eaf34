"""Where admitted records go."""

from collections.abc import Sequence
from typing import Protocol

from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.metadata import MetadataSource


class Sink(Protocol):
    """Takes the admitted records of one request and says what became of each.

    A sink opens its connections when it is first used or told to `warm_up`, in the process that uses it, so that it
    may be built before a fork. It is safe to share between threads.
    """

    @property
    def metadata(self) -> MetadataSource:
        """What tells of the cluster behind the sink; it is closed with the sink."""
        ...

    def send(self, topic: str, records: Sequence[AdmittedRecord]) -> list[Delivery]:
        """Write `records` in order and wait until the fate of each is known or the sink's time is over.

        Returns one delivery per record, in order. A delivery with outcome `written` is in Kafka, acknowledged by all
        in-sync replicas. Raises SinkUnavailable when nothing at all was handed over.
        """
        ...

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
