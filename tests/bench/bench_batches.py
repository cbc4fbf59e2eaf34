"""How much of the bare libraries' speed is left behind HTTP, for batches of 100 records, JSON Schema and Avro?

Both sides parse, validate, encode and produce the same 100 events of about 500 bytes to the same Kafka, acknowledged
by all replicas, with the same libraries and settings. The bare side is a loop in this process that waits for each
batch; the other side is a server with one worker under 16 connections. The ratio is taken per turn and its median told.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from confluent_kafka import KafkaError, Message, Producer

from confluent_shim.sinks.kafka import DEFAULTS, FIXED
from jsonschema_bridge import Schema, compile_avro, compile_json_schema, frame_prefix, read_json
from tests.bench.load import Load
from tests.bench.scene import AVRO, AVRO_SCHEMA, JSON_SCHEMA, SCHEMA, Side, compare, load, shim, stack, values

TURNS = 5
SECONDS = 3.0
RECORDS = 100
_PREFIX = frame_prefix(1)


def bare_json() -> Callable[[bytes], bytes]:
    """Return how the bare side turns a value into what lands, for JSON Schema."""
    validator = compile_json_schema(Schema(json.dumps(SCHEMA), "JSON"), _no_references)

    def landing(value: bytes) -> bytes:
        if not validator.is_valid(read_json(value)):
            raise RuntimeError(value)
        return _PREFIX + value

    return landing


def bare_avro() -> Callable[[bytes], bytes]:
    """Return how the bare side turns a value into what lands, for Avro."""
    codec = compile_avro(Schema(json.dumps(AVRO_SCHEMA), "AVRO"), _no_references)

    def landing(value: bytes) -> bytes:
        encoded = codec.encode_json(read_json(value))
        if not isinstance(encoded, bytes):
            raise TypeError(value)
        return _PREFIX + encoded

    return landing


def _no_references(reference: object) -> Schema:
    raise LookupError(reference)


def bare_records_per_second(kafka: str, topic: str, landing: Callable[[bytes], bytes]) -> float:
    """Parse, validate, encode and produce again and again in this process."""
    producer = Producer({**DEFAULTS, **FIXED, "bootstrap.servers": kafka})
    ended = threading.Event()

    def poll() -> None:
        while not ended.is_set():
            producer.poll(0.1)

    poller = threading.Thread(target=poll)
    poller.start()
    sent, batch, began = 0, values(RECORDS), time.monotonic()
    while time.monotonic() - began < SECONDS:
        done, left = threading.Event(), [RECORDS]

        def delivered(
            error: KafkaError | None, _: Message, left: list[int] = left, done: threading.Event = done
        ) -> None:
            if error is not None:
                raise RuntimeError(error)
            left[0] -= 1
            if not left[0]:
                done.set()

        for value in batch:
            producer.produce(topic, landing(value), on_delivery=delivered)
        done.wait()
        sent += RECORDS
    rate = sent / (time.monotonic() - began)
    ended.set()
    poller.join()
    producer.flush()
    return rate


def records_per_second(requests: Load) -> float:
    """Post the batch again and again."""
    return requests.requests_per_second(SECONDS) * RECORDS


def main() -> None:
    """Print a table for each encoding."""
    kinds = [
        ("json-schema", SCHEMA, JSON_SCHEMA, bare_json()),
        ("avro", AVRO_SCHEMA, AVRO, bare_avro()),
    ]
    with stack() as parts, shim(parts) as server:
        for encoding, schema, content_type, landing in kinds:
            parts.create_topic(encoding, partitions=4)
            server.bind(encoding, schema=schema, encoding=encoding)
            requests = load(server, encoding, RECORDS, content_type)
            requests.requests_per_second(1.0)
            print(f"\n{encoding}, {RECORDS} records of {len(values(1)[0])} bytes a request")
            sides = [
                Side("bare", partial(bare_records_per_second, parts.kafka_bootstrap, encoding, landing)),
                Side("HTTP", partial(records_per_second, requests)),
            ]
            compare(sides, TURNS, "rec/s")


if __name__ == "__main__":
    main()
