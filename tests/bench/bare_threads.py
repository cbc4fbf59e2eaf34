"""The same handler for WSGI: a thread of the server waits for each request, as it would for the shim on gunicorn.

Served by granian with as many threads as the shim has; KAFKA names the brokers.
"""

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, Message, Producer

from confluent_shim.sinks.kafka import DEFAULTS, FIXED
from jsonschema_bridge import frame_prefix
from tests.bench.scene import values

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LANDING = frame_prefix(1) + values(1)[0]


def application() -> "WSGIApplication":
    """Build the application of one worker."""
    producer = Producer({**DEFAULTS, **FIXED, "bootstrap.servers": os.environ["KAFKA"]})

    def poll() -> None:
        while True:
            producer.poll(0.1)

    threading.Thread(target=poll, daemon=True).start()

    def handle(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["wsgi.input"].read()
        done, place = threading.Lock(), list[int | None]()
        done.acquire()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                place.extend((message.partition(), message.offset()))
            done.release()

        producer.produce("bench", _LANDING, on_delivery=delivered)
        done.acquire()
        body = f'{{"offsets":[{{"partition":{place[0]},"offset":{place[1]}}}]}}'.encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return handle
