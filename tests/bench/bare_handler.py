"""The least that a produce request can cost on the same server: its bytes are produced as they come, nothing is judged.

Served by granian on the shim's own event loop; KAFKA names the brokers.
"""

import asyncio
import os
import threading
from collections import deque

from confluent_kafka import KafkaError, Message, Producer

from confluent_shim.asgi import Receive, Scope, Send
from confluent_shim.sinks.kafka import DEFAULTS, FIXED
from jsonschema_bridge import frame_prefix
from tests.bench.scene import values

_LANDING = frame_prefix(1) + values(1)[0]


class Handler:
    """The application of one worker."""

    def __init__(self) -> None:
        self._producer = Producer({**DEFAULTS, **FIXED, "bootstrap.servers": os.environ["KAFKA"]})
        self._told: deque[tuple[asyncio.Future[str], int | None, int | None]] = deque()
        self._wakes = False
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        while True:
            self._producer.poll(0.1)

    def _wake(self) -> None:
        self._wakes = False
        while self._told:
            future, partition, offset = self._told.popleft()
            future.set_result(f'{{"offsets":[{{"partition":{partition},"offset":{offset}}}]}}')

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._told.append((future, message.partition(), message.offset()))
            if not self._wakes:
                self._wakes = True
                loop.call_soon_threadsafe(self._wake)

        self._producer.produce("bench", _LANDING, on_delivery=delivered)
        body = (await future).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def serve() -> None:
    """Serve on $PORT."""
    from granian import Granian
    from granian.constants import Interfaces

    from confluent_shim.asgi import loop

    Granian(
        "tests.bench.bare_handler:Handler",
        factory=True,
        interface=Interfaces.ASGINL,
        websockets=False,
        port=int(os.environ["PORT"]),
        loop=loop.NAME,  # type: ignore[arg-type]
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    serve()
