"""A REST Proxy for tests: a second shim, over a memory sink and with all topics unbound, behind a real socket.

Streams of the v3 type BINARY are answered here in its stead.
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from werkzeug.test import Client

from confluent_shim.records import AdmittedRecord, Extras
from confluent_shim.sinks.memory import MemorySink
from tests.parts import memory_shim
from tests.upstream import Handler, Proxy, Received, echoing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_V3 = re.compile(r"/v3/clusters/memory/topics/([^/]+)/records")


@contextmanager
def rest_proxy() -> Iterator[tuple[Proxy, MemorySink]]:
    """Serve a REST Proxy, and what its records land in, until the block ends."""
    with memory_shim(unbound="pass") as shim, echoing() as proxy:
        asked = Client(shim.client.application)

        def play(handler: Handler) -> None:
            received = handler.receive()
            if received.method == "POST" and (found := _V3.fullmatch(received.target)):
                assert received.header("Content-Type") == "application/json"
                handler.begin_chunks()
                for line in _by_v3(shim.sink, found[1], received):
                    handler.chunk(json.dumps(line).encode() + b"\r\n")
                handler.chunk(b"")
            else:
                answer = asked.open(
                    received.target, method=received.method, data=received.body, headers=received.headers
                )
                handler.answer(answer.status_code, answer.get_json())

        proxy.play = play
        yield proxy, shim.sink


def _by_v3(sink: MemorySink, topic: str, received: Received) -> Iterator[dict[str, Any]]:
    text, decoder = received.body.decode(), json.JSONDecoder()
    while text:
        record, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        assert record.keys() <= {"key", "value", "partition_id", "headers", "timestamp"}
        key, value = (_data(record.get(part)) for part in ("key", "value"))
        headers = [(each["name"], _bytes(each["value"])) for each in record.get("headers", [])]
        timestamp = record.get("timestamp")
        extras = Extras(headers, None if timestamp is None else _milliseconds(timestamp))
        (delivery,) = sink.send(topic, [AdmittedRecord(key, value, record.get("partition_id"), extras)])
        assert delivery.timestamp is not None
        yield {
            "error_code": 200,
            "cluster_id": "memory",
            "topic_name": topic,
            "partition_id": delivery.partition,
            "offset": delivery.offset,
            "timestamp": datetime.fromtimestamp(delivery.timestamp / 1000, UTC).isoformat(timespec="milliseconds"),
        }


def _data(part: dict[str, str] | None) -> bytes | None:
    if part is None:
        return None
    assert part["type"] == "BINARY"
    return _bytes(part["data"])


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _milliseconds(instant: str) -> int:
    return round((datetime.fromisoformat(instant) - _EPOCH).total_seconds() * 1000)
