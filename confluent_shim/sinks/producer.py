"""The one producer of a process: made where it is used, replaced when it has failed for good."""

import logging
import os
import threading
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, Producer

from confluent_shim.errors import SinkUnavailable
from confluent_shim.settings import CLOSE_SECONDS

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1


class ProcessProducer:
    """Holds one librdkafka producer: opened at first use, anew after a fork and after a fatal error."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._closed = False

    def get(self) -> Producer:
        """Return a producer that can be used now. Raises SinkUnavailable when the sink was closed."""
        connection = self._connection
        if connection is None or not connection.usable():
            connection = self._opened()
        return connection.producer

    def _opened(self) -> "_Connection":
        with self._lock:
            if self._closed:
                raise SinkUnavailable("the process is ending; nothing of this request was sent")
            if self._connection is None or not self._connection.usable():
                self._connection = _Connection(self._config)
            return self._connection

    def instead_of(self, failed: Producer) -> Producer:
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
        self.producer = Producer({**config, "error_cb": _log_error, "logger": log})
        self.broken = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-deliveries", daemon=True)
        self._thread.start()

    def usable(self) -> bool:
        return self._process == os.getpid() and not self.broken.is_set()

    def _poll(self) -> None:
        while not self._ended.is_set():
            try:
                self.producer.poll(_POLL_SECONDS)
            except KafkaException as error:  # librdkafka raises nothing but fatal errors here
                log.error("the producer failed for good and is replaced: %s", error.args[0].str())  # noqa: TRY400
                self.broken.set()
                # What was on its way is answered now, with what is known of it, and not when its time is over.
                self.producer.purge(in_queue=True, in_flight=True, blocking=False)
            if self.broken.is_set() and not len(self.producer):
                return

    def close(self) -> None:
        if self._process != os.getpid():
            return  # the thread is the parent's, and so are the records
        left = self.producer.flush(CLOSE_SECONDS)
        if left:
            log.error("%d records were not acknowledged before the end", left)
        self._ended.set()
        self._thread.join()


def _log_error(error: KafkaError) -> None:
    log.warning("kafka: %s", error.str())
