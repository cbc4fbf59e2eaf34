"""What the benches share: the events, the parts, and taking turns."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.load import Load
from tests.e2e.server import Server, configuration, serving
from tests.stack import Stack, start_stack

JSON_SCHEMA = "application/vnd.kafka.jsonschema.v2+json"
AVRO = "application/vnd.kafka.avro.v2+json"

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "dt": {"type": "string", "format": "date-time"},
        "user": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "ratio": {"type": "number"},
        "comment": {"type": "string", "maxLength": 1000},
    },
    "required": ["id", "dt"],
}

AVRO_SCHEMA = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "dt", "type": "string"},
        {
            "name": "user",
            "type": {
                "type": "record",
                "name": "User",
                "fields": [
                    {"name": "id", "type": "long"},
                    {"name": "name", "type": "string"},
                    {"name": "groups", "type": {"type": "array", "items": "string"}},
                ],
            },
        },
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "ratio", "type": "double"},
        {"name": "comment", "type": "string"},
    ],
}


def event(number: int) -> dict[str, object]:
    """Return an event of about 500 bytes that both schemas take."""
    return {
        "id": number,
        "dt": "2026-01-01T00:00:00.123Z",
        "user": {"id": 1_000_000 + number, "name": "somebody", "groups": ["editor", "patroller"]},
        "tags": ["mobile", "visual editor", "reverted"],
        "ratio": 0.75,
        "comment": "a comment of some length, " * 10,
    }


def body_of(values: list[bytes]) -> bytes:
    """Return a produce request with these values."""
    return b'{"records":[' + b",".join(b'{"value":' + value + b"}" for value in values) + b"]}"


def values(count: int) -> list[bytes]:
    """Return `count` events as JSON."""
    return [json.dumps(event(number)).encode() for number in range(count)]


@contextmanager
def stack() -> Iterator[Stack]:
    """Start the parts, and say on what the figures were taken."""
    with start_stack("auto") as parts:
        print(f"{parts.name} Kafka, {os.cpu_count()} cores")
        yield parts


@contextmanager
def shim(parts: Stack, workers: int = 1, extra: str = "") -> Iterator[Server]:
    """Start a server over `parts`."""
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(Path(folder), parts.kafka_bootstrap, parts.registry_url, extra)
        with serving(config, workers=workers) as server:
            yield server


def load(server: Server, topic: str, records: int, content_type: str = JSON_SCHEMA) -> Load:
    """Return the load of produce requests with so many records."""
    return Load(f"{server.url}/topics/{topic}", content_type, body_of(values(records)))


def least_cpu_seconds(stage: Callable[[], object], calls: int, repeats: int = 7) -> float:
    """Return the CPU time of this thread for one call, the least of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        began = time.thread_time()
        for _ in range(calls):
            stage()
        best = min(best, (time.thread_time() - began) / calls)
    return best


class Side(NamedTuple):
    """One of the things that are compared: what it is called, and how to take its figure once."""

    name: str
    measure: Callable[[], float]


def compare(sides: list[Side], turns: int, unit: str) -> Mapping[str, float]:
    """Let the sides take turns; print each figure and its ratio to the first side's; return the median ratios.

    Sides that take turns are slowed down alike by a machine that drifts.
    """
    first, *others = sides
    print(f"{'turn':>4} " + " ".join(f"{side.name + ' ' + unit:>26}" for side in sides))
    ratios: dict[str, list[float]] = {side.name: [] for side in others}
    for turn in range(1, turns + 1):
        base = first.measure()
        figures = [base]
        for side in others:
            figures.append(side.measure())
            ratios[side.name].append(figures[-1] / base)
        print(f"{turn:>4} " + " ".join(f"{figure:>26,.0f}" for figure in figures))
    medians = {name: statistics.median(found) for name, found in ratios.items()}
    for name, found in ratios.items():
        print(f"{name} / {first.name}: median {medians[name]:.2f} ({min(found):.2f} to {max(found):.2f})")
    return medians
