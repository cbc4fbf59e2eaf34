"""How much of the bare libraries' speed is left behind HTTP, for batches of 100 records?

Both sides parse, validate and produce the same 100 events of about 500 bytes to the same Kafka, acknowledged by all
replicas, with the same libraries and settings. The bare side is a loop in this process that waits for each batch; the
other side is a server with one worker under 8 connections. They take turns, so that a machine that drifts slows
both; the ratio is taken per turn and its median told.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import jiter
from confluent_kafka import KafkaError, Message, Producer

from confluent_shim.sinks.kafka import DEFAULTS, FIXED
from jsonschema_bridge import Schema, compile_json_schema, frame_prefix
from tests.bench.load import Load, requests_per_second
from tests.e2e.server import configuration, serving
from tests.stack import start_stack

TURNS = 5
SECONDS = 3.0
RECORDS = 100
CONTENT_TYPE = "application/vnd.kafka.jsonschema.v2+json"

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "dt": {"type": "string", "format": "date-time"},
        "user": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "comment": {"type": "string", "maxLength": 1000},
    },
    "required": ["id", "dt"],
}


def event(number: int) -> dict[str, object]:
    """Return an event of about 500 bytes."""
    return {
        "id": number,
        "dt": "2026-01-01T00:00:00.123Z",
        "user": {"id": 1_000_000 + number, "name": "somebody", "groups": ["editor", "patroller"]},
        "tags": ["mobile", "visual editor", "reverted"],
        "ratio": 0.75,
        "comment": "a comment of some length, " * 10,
    }


def bare_records_per_second(kafka: str, topic: str, values: list[bytes], seconds: float) -> float:
    """Parse, validate and produce `values` again and again in this process."""
    validator = compile_json_schema(Schema(json.dumps(SCHEMA), "JSON"), _no_references)
    producer = Producer({**DEFAULTS, **FIXED, "bootstrap.servers": kafka})
    ended = threading.Event()

    def poll() -> None:
        while not ended.is_set():
            producer.poll(0.1)

    poller = threading.Thread(target=poll)
    poller.start()
    prefix, sent, began = frame_prefix(1), 0, time.monotonic()
    while time.monotonic() - began < seconds:
        done, left = threading.Event(), [len(values)]

        def delivered(
            error: KafkaError | None, _: Message, left: list[int] = left, done: threading.Event = done
        ) -> None:
            if error is not None:
                raise RuntimeError(error)
            left[0] -= 1
            if not left[0]:
                done.set()

        for value in values:
            if not validator.is_valid(jiter.from_json(value, catch_duplicate_keys=True, allow_inf_nan=False)):
                raise RuntimeError(value)
            producer.produce(topic, prefix + value, on_delivery=delivered)
        done.wait()
        sent += len(values)
    rate = sent / (time.monotonic() - began)
    ended.set()
    poller.join()
    producer.flush()
    return rate


def _no_references(reference: object) -> Schema:
    raise LookupError(reference)


def main() -> None:
    """Print the table."""
    values = [json.dumps(event(number)).encode() for number in range(RECORDS)]
    body = b'{"records":[' + b",".join(b'{"value":' + value + b"}" for value in values) + b"]}"
    with start_stack("auto") as stack, tempfile.TemporaryDirectory() as folder:
        stack.create_topic("bench", partitions=4)
        config = configuration(Path(folder), stack.kafka_bootstrap, stack.registry_url)
        with serving(config) as server:
            server.bind("bench", schema=SCHEMA)
            load = Load(urlsplit(server.url).port or 0, "/topics/bench", CONTENT_TYPE, body)
            requests_per_second(load, 1.0)
            print(f"{stack.name} Kafka, {os.cpu_count()} cores, {RECORDS} records of {len(values[0])} bytes a request")
            print(f"{'turn':>4} {'bare rec/s':>12} {'HTTP rec/s':>12} {'ratio':>6}")
            ratios = []
            for turn in range(1, TURNS + 1):
                bare = bare_records_per_second(stack.kafka_bootstrap, "bench", values, SECONDS)
                http = requests_per_second(load, SECONDS) * RECORDS
                ratios.append(http / bare)
                print(f"{turn:>4} {bare:>12,.0f} {http:>12,.0f} {http / bare:>6.2f}")
            print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
