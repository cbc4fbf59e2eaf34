"""For how long do others wait while one client sends what is hard to judge?

A server with one worker. One client sends requests with one ordinary record, one after the other, and its slowest
answer is told; beside it another sends a hostile one again and again, each as hard as the limits let it be. The first
row is without the other.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import requests

from tests.bench.scene import JSON_SCHEMA, SCHEMA, body_of, shim, stack, values
from tests.e2e.server import Server

SECONDS = 6.0
PLAIN = "application/vnd.kafka.json.v2+json"


class Hostile(NamedTuple):
    """What a topic is bound to, and the value that is sent."""

    name: str
    fields: dict[str, Any]
    value: Any
    content_type: str = JSON_SCHEMA


def _json(name: str, schema: object, value: object) -> Hostile:
    return Hostile(name, {"schema": schema}, value)


def _absent_fields() -> Hostile:
    fields = [{"name": f"f{number}", "type": "int", "default": 0} for number in range(1000)]
    schema = {"type": "array", "items": {"type": "record", "name": "R", "fields": fields}}
    return Hostile("fields left to defaults", {"schema": schema, "encoding": "avro"}, [{}] * 990, PLAIN)


_NAMES = [f"{number}y" for number in range(900)]
_MIXED = format(3**52_000, "b").replace("0", "a").replace("1", "b")
HOSTILE = (
    _json("many parts", {"items": {"type": "integer"}}, [7] * 330_000),
    _json("many parts, the last one wrong", {"items": {"type": "integer"}}, [*[7] * 330_000, "x"]),
    _json("many branches", {"items": {"oneOf": [{"const": n} for n in range(1000)]}}, [999] * 990),
    _json("fractions and constants", {"items": {"oneOf": [{"const": n + 0.5} for n in range(800)]}}, [799.5] * 59),
    _json("long integers and bounds", {"items": {"allOf": [{"minimum": -n} for n in range(300)]}}, [10**900] * 4),
    _json("fractions between fractions", {"items": {"minimum": -180.5, "maximum": 180.5}}, [13.4] * 47_000),
    _json("many containers in an enum", {"items": {"enum": [[n] for n in range(9_000)]}}, [[8_999]] * 50),
    _json("many patterns", {"patternProperties": {f"^{n}x*$": {} for n in range(500)}}, dict.fromkeys(_NAMES, 1)),
    _json("unique arrays", {"uniqueItems": True}, [[n] for n in range(90_000)]),
    _json("a long text", {"pattern": "^(a+)+$"}, "a" * 900_000 + "b"),
    _json("a pattern of optional parts", {"pattern": "^(a?){1000}b"}, "a" * 2_900),
    _json("a pattern of many ways", {"pattern": "[ab]*a[ab]{50}[c-z]"}, _MIXED),
    _absent_fields(),
)


@contextmanager
def sending(server: Server, hostile: Hostile | None) -> Iterator[list[int]]:
    """Send a hostile request again and again, from a thread; give the statuses of its answers."""
    told: list[int] = []
    over = threading.Event()
    body = json.dumps({"records": [{"value": hostile.value}]}) if hostile else ""
    headers = {"Content-Type": hostile.content_type if hostile else JSON_SCHEMA}

    def send() -> None:
        while hostile and not over.is_set():
            with suppress(requests.Timeout):
                answer = requests.post(f"{server.url}/topics/hostile", body, headers=headers, timeout=60)
                told.append(answer.status_code)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


def slowest(ask: Callable[[], requests.Response]) -> tuple[float, float]:
    """Return the median and the most milliseconds of answers within SECONDS."""
    took: list[float] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        began = time.monotonic()
        ask().raise_for_status()
        took.append((time.monotonic() - began) * 1000)
    return sorted(took)[len(took) // 2], max(took)


def main() -> None:
    """Print the table."""
    with stack() as parts:
        for topic in ("bench", "hostile"):
            parts.create_topic(topic, partitions=1)
        with shim(parts) as server, requests.Session() as session:
            server.bind("bench", schema=SCHEMA)
            session.headers["Content-Type"] = JSON_SCHEMA
            body = body_of(values(1))

            def ask() -> requests.Response:
                return session.post(f"{server.url}/topics/bench", body, timeout=60)

            slowest(ask)
            print(f"{'beside':<34} {'median ms':>10} {'slowest ms':>11}   answers")
            for hostile in (None, *HOSTILE):
                if hostile:
                    server.unbind("hostile")
                    server.bind("hostile", subject=hostile.name.replace(" ", "-"), **hostile.fields)
                with sending(server, hostile) as told:
                    median, most = slowest(ask)
                name = hostile.name if hostile else "nobody"
                counts = ", ".join(f"{told.count(status)} of {status}" for status in sorted(set(told)))
                print(f"{name:<34} {median:>10.1f} {most:>11.1f}   {counts}")


if __name__ == "__main__":
    main()
