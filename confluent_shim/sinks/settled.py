"""Records of which is known what became of them as soon as they are handed over."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError

from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.delivery_errors import failed


class Settled(NamedTuple):
    """A handover that nobody has to wait for."""

    deliveries: list[Delivery]

    def wait(self, end: float) -> list[Delivery]:
        del end
        return self.deliveries

    def ready(self) -> bool:
        return True

    def tell(self, when_ready: Callable[[], None]) -> None:
        when_ready()


def refused(error: int, records: Sequence[AdmittedRecord]) -> Settled:
    """Return the handover of records that Kafka takes none of, for one reason; `error` is its number."""
    return Settled([failed(KafkaError(error)) for _ in records])
