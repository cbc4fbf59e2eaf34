"""The one producer of a process: made where it is used, replaced when it has failed for good."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Producer

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import Delivery
from confluent_shim.settings import CLOSE_SECONDS
from confluent_shim.sinks.delivery_errors import shut_out_by

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_LOOK_SECONDS = 0.5  # for an answer of a cluster that was down
_PAUSE_SECONDS = 0.5  # between two such looks


class Troubles:
    """What librdkafka tells of a producer's connections, and what came of it."""

    refused: KafkaError | None = None
    down_since: float | None = None
    """When the last broker was lost, on the monotonic clock; None while there is one."""
    shut_out: Delivery | None = None
    """What the records in the queue are told when the producer was given up because Kafka shut it out."""

    def note(self, error: KafkaError) -> None:
        """Note what `poll` was told; within it the producer itself cannot be asked anything."""
        log.warning("kafka: %s", error.str())
        if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001
            self.refused = error
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self.down_since = self.down_since or time.monotonic()


class QueueingProducer(Producer):
    """A producer with its troubles, which outlive it: who waits for a record does not have to hold the producer."""

    troubles: Troubles


class ProcessProducer:
    """Holds one librdkafka producer: opened at first use, anew after a fork and after a fatal error."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._patience = int(config["message.timeout.ms"]) / 1000
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._closed = False

    def get(self) -> QueueingProducer:
        """Return a producer that can be used now.

        Raises SinkUnavailable when the sink was closed, and when no broker was there for as long as a record may wait:
        those that are handed over now would fare no better.
        """
        connection = self._connection
        if connection is None or not connection.usable():
            connection = self._opened()
        connection.check_up(self._patience)
        return connection.producer

    def _opened(self) -> "_Connection":
        with self._lock:
            if self._closed:
                raise SinkUnavailable("the process is ending; nothing of this request was sent")
            if self._connection is None or not self._connection.usable():
                self._connection = _Connection(self._config)
            return self._connection

    def instead_of(self, failed: Producer) -> QueueingProducer:
        """Return another producer than `failed`, which refused a record because it has failed for good."""
        connection = self._connection
        if connection is not None and connection.producer is failed:
            connection.broken.set()
        return self.get()

    def close(self) -> None:
        """Deliver what is queued, within a bound; closed already is fine."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection:
    """A producer and the thread that serves its callbacks, in the process that made them."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._process = os.getpid()
        self._troubles = Troubles()
        self.producer = QueueingProducer({**config, "error_cb": self._troubles.note, "logger": log})
        self.producer.troubles = self._troubles
        self.broken = threading.Event()
        self._ended = threading.Event()
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._poll, name="kafka-deliveries", daemon=True)
        self._thread.start()

    def usable(self) -> bool:
        return self._process == os.getpid() and not self.broken.is_set()

    def check_up(self, patience: float) -> None:
        """Raise SinkUnavailable when no broker was there for more than `patience` seconds."""
        since = self._troubles.down_since
        if since is not None and time.monotonic() - since > patience:
            gone = time.monotonic() - since
            raise SinkUnavailable(f"Kafka has not answered for {gone:.0f} s; nothing of this request was sent")

    def _look_again(self) -> None:
        """Ask whether a cluster that was lost is back; nothing but an answer says so."""
        if self._troubles.down_since is None or time.monotonic() < self._next_look:
            return
        with suppress(KafkaException):
            self.producer.list_topics(timeout=_LOOK_SECONDS)
            self._troubles.down_since = None
        self._next_look = time.monotonic() + _PAUSE_SECONDS

    def _poll(self) -> None:
        while not self._ended.is_set():
            self._look_again()
            over = self.broken.is_set()
            try:
                self.producer.poll(_POLL_SECONDS)
            except KafkaException as error:  # librdkafka raises nothing but fatal errors here
                self._give_up(error.args[0])
            if self._troubles.refused is not None and self._troubles.down_since is not None and not over:
                # librdkafka would go on trying with the same credentials, and records would wait for their time to end.
                # As long as another broker lets the producer in, it is let go on.
                self._give_up(self._troubles.refused)
            if over:
                # What was on its way is answered now, with what is known of it, and not when its time is over.
                self.producer.purge(in_queue=True, in_flight=True, blocking=False)
                if not len(self.producer):
                    return

    def _give_up(self, error: KafkaError) -> None:
        log.error("the producer failed for good and is replaced: %s", error.str())
        self._troubles.shut_out = shut_out_by(error, was_in=self._was_in())
        self.broken.set()

    def _was_in(self) -> bool:
        """Tell whether any broker has ever let the producer in: then it knows the cluster."""
        try:
            self.producer.cluster_id(timeout=0)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        if self._process != os.getpid():
            return  # the thread is the parent's, and so are the records
        left = self.producer.flush(CLOSE_SECONDS)
        if left:
            log.error("%d records were not acknowledged before the end", left)
        self._ended.set()
        self._thread.join()
