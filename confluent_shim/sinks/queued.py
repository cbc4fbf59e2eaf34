"""Records that are with a producer, and what is heard of them."""

import threading
import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.delivery_errors import failed, undelivered
from confluent_shim.sinks.producer import ProcessProducer, Troubles

_Report = Callable[[KafkaError | None, Message], None]
_Produce = Callable[..., None]
_ANY_PARTITION = -1


class QueuedRecords:
    """The records of one request in the queue of a producer.

    Reports come from the thread that polls, refusals from the request's own. Neither takes a lock: a report is one
    append to a list, whose length says whether it was the last one that is waited for.
    """

    def __init__(self, size: int) -> None:
        self._deliveries: list[Delivery | None] = [None] * size
        self._reported: list[int] = []
        self._awaited = size
        self._too_large: list[int] = []
        self._all_reported = threading.Lock()
        self._all_reported.acquire()
        self._troubles = Troubles()
        self._when_ready: Callable[[], None] | None = None

    def fill(self, line: ProcessProducer, topic: str, records: Sequence[AdmittedRecord]) -> None:
        """Queue `records`; what cannot be queued is settled at once. Raises SinkUnavailable if nothing was queued."""
        producer = line.get()
        self._troubles = producer.troubles
        produce, report = producer.produce, self._report
        refused = 0
        for index, record in enumerate(records):
            try:
                _queue(produce, topic, record, report(index))
            except KafkaException as error:
                if error_of(error).code() != KafkaError._FATAL:  # noqa: SLF001
                    refused += self._refuse(index, error)
                    continue
                producer = line.instead_of(producer)
                self._troubles = producer.troubles
                produce = producer.produce
                try:
                    _queue(produce, topic, record, report(index))
                except (KafkaException, BufferError) as again:
                    refused += self._refuse(index, again)
            except BufferError as error:
                if index == 0:
                    raise SinkUnavailable("the queue to Kafka is full; nothing of this request was sent") from error
                refused += self._refuse(index, error)
        self._awaited -= refused

    def _refuse(self, index: int, error: KafkaException | BufferError) -> int:
        self._deliveries[index] = failed(error_of(error))
        return 1

    def _report(self, index: int) -> _Report:
        deliveries, reported = self._deliveries, self._reported

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                deliveries[index] = Delivery(message.partition(), message.offset(), timestamp=message.timestamp()[1])
            else:
                self._note(index, error)
            reported.append(index)
            if len(reported) == self._awaited:
                self._all_reported.release()
                if self._when_ready is not None:
                    self._when_ready()

        return report

    def _note(self, index: int, error: KafkaError) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._too_large.append(index)
        self._deliveries[index] = failed(error, self._troubles.shut_out)

    def wait(self, end: float) -> list[Delivery]:
        """Return the deliveries when all are known or `end`, on the monotonic clock, is reached."""
        # The last report may have come before the refusals were counted, and then it did not know that it was the last.
        if not self.ready():
            self._all_reported.acquire(timeout=max(0.0, end - time.monotonic()))
        return [delivery or undelivered() for delivery in self._deliveries]

    def ready(self) -> bool:
        """Tell whether `wait` would return at once."""
        return len(self._reported) >= self._awaited

    def tell(self, when_ready: Callable[[], None]) -> None:
        """Call `when_ready` when `wait` would return at once; it may be called twice."""
        self._when_ready = when_ready
        if self.ready():  # the last report may have come before it was known whom to tell
            when_ready()

    def any_refused_for_size(self) -> bool:
        """Tell whether `refused_for_size` lists any."""
        return bool(self._too_large)

    def refused_for_size(self) -> list[int]:
        """Return the indexes of the records whose batch the broker found too large, in order."""
        return sorted(self._too_large)


def _queue(produce: _Produce, topic: str, record: AdmittedRecord, report: _Report) -> None:
    partition = _ANY_PARTITION if record.partition is None else record.partition
    extras = record.extras
    if extras is None:
        produce(topic, record.value, record.key, partition, report)
    else:
        # To librdkafka 0 means that there is no timestamp.
        headers, timestamp = list(extras.headers), extras.timestamp or 0
        produce(topic, record.value, record.key, partition, report, timestamp=timestamp, headers=headers)


def error_of(error: KafkaException | BufferError) -> KafkaError:
    """Return what librdkafka said."""
    if isinstance(error, KafkaException):
        found: KafkaError = error.args[0]
        return found
    return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - librdkafka's local codes begin with an underscore
