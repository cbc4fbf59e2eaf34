"""What do the stages of the bridge cost for real records, and what do the usual libraries cost?

Five real events with their schemas, one thread, no HTTP and no Kafka: records per second of one core, the best of 7
repeats. Records are parsed a hundred at a time, as batches bring them, and everything else is done one by one; the
lines below the table tell what becomes of that where each record is parsed by itself. `encode JSON` is what keys go
through; values that land as JSON land as they came. The prefix of a frame is made once for a schema. `encode Avro`
writes the Avro that is derived from the JSON Schema. The last columns are whole records: parsed, validated, encoded and
framed by our parts, and by json, jsonschema and fastavro as each of them is used; fastavro is given a datum that is
ready made, with names as in Avro and absent members filled in.
"""

import io
import json
import statistics
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import fastavro
import jsonschema

from jsonschema_bridge import (
    DerivationOptions,
    Schema,
    SchemaInvalid,
    SchemaNotDerivable,
    compile_json_schema,
    confluent_text,
    derive,
    frame_prefix,
    read_json,
)
from tests.bench.scene import least_cpu_seconds
from tests.shared_data import EVENTS, SCHEMAS

CHOSEN = (
    "/mediawiki/recentchange/1.0.1",
    "/mediawiki/page/change/1.2.0",
    "/mediawiki/revision/create/2.0.0",
    "/mediawiki/api/request/1.0.0",
    "/webrequest/1.0.0",
)
CALLS = 300
BATCH = 100
OPTIONS = DerivationOptions(extra="map", untyped="json")
COLUMNS = (
    "parse",
    "validate",
    "encode JSON",
    "encode Avro",
    "frame",
    "JSON",
    "naive",
    "times",
    "Avro",
    "naive",
    "times",
)


def seconds(stage: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    return least_cpu_seconds(stage, CALLS)


def read_records(batch: bytes) -> list[Any]:
    """Return the records of a batch."""
    return read_json(batch)  # type: ignore[return-value]


def stages(document: Any, event: Any, records: int = BATCH) -> tuple[int, list[float]]:
    """Return the bytes of one event and the seconds of each column, ratios in their places.

    So many `records` are parsed at a time.
    """

    def seconds_of_each(stage: Callable[[], object]) -> float:
        return least_cpu_seconds(stage, max(1, CALLS // records)) / records

    schema = Schema(json.dumps(document), "JSON")
    form = derive(schema, lambda _: schema, OPTIONS)
    is_valid = compile_json_schema(schema, lambda _: schema).is_valid
    naive = jsonschema.Draft7Validator({**document, "$schema": "http://json-schema.org/draft-07/schema#"})
    avro = fastavro.parse_schema(json.loads(form.schema.text))
    encoded = form.encode(event)
    assert isinstance(encoded, bytes), encoded
    datum: Any = fastavro.schemaless_reader(io.BytesIO(encoded), avro, None, return_record_name=True)
    text = json.dumps(event, separators=(",", ":")).encode()
    batch = b"[" + b",".join([text] * records) + b"]"
    prefix = frame_prefix(7)

    def as_json() -> object:
        return [prefix + text for value in read_records(batch) if is_valid(value)]

    def as_avro() -> object:
        return [prefix + form.encode(value) for value in read_records(batch) if is_valid(value)]  # type: ignore[operator]

    def naive_json() -> None:
        for value in json.loads(batch):
            naive.validate(value)
            struct.pack(">bI", 0, 7) + json.dumps(value).encode()

    def naive_avro() -> None:
        for value in json.loads(batch):
            naive.validate(value)
            out = io.BytesIO()
            out.write(struct.pack(">bI", 0, 7))
            fastavro.schemaless_writer(out, avro, datum)
            out.getvalue()

    own = [
        seconds_of_each(lambda: read_json(batch)),
        seconds(lambda: is_valid(event)),
        seconds(lambda: confluent_text(event)),
        seconds(lambda: form.encode(event)),
        seconds(lambda: prefix + text),
    ]
    for ours, theirs in ((as_json, naive_json), (as_avro, naive_avro)):
        took, naively = seconds_of_each(ours), seconds_of_each(theirs)
        own += [took, naively, naively / took]
    return len(text), own


def milliseconds_of_compiling(schemas: list[Any]) -> tuple[int, float, float, float]:
    """Return how many schemas compile, the sum and the most of their milliseconds, and the sum for derived Avro."""
    took, derived = [], 0.0
    for document in schemas:
        schema = Schema(json.dumps(document), "JSON")
        began = time.thread_time()
        try:
            compile_json_schema(schema, lambda _, schema=schema: schema)  # type: ignore[misc]
            took.append(time.thread_time() - began)
            began = time.thread_time()
            derive(schema, lambda _, schema=schema: schema, OPTIONS)  # type: ignore[misc]
            derived += time.thread_time() - began
        except (SchemaInvalid, SchemaNotDerivable):
            continue
    return len(took), sum(took) * 1e3, max(took) * 1e3, derived * 1e3


def main() -> None:
    """Print the tables."""
    schemas = {line["id"]: line["schema"] for line in map(json.loads, SCHEMAS.read_text().splitlines())}
    lines = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    print(f"{'records per second':<34} {'bytes':>6}" + "".join(f"{name:>12}" for name in COLUMNS))
    for chosen in CHOSEN:
        event = next(line["event"] for line in lines if line["schema"] == chosen and line["valid"])
        size, took = stages(schemas[chosen], event)
        shown = [
            f"{figure:>12.1f}" if name == "times" else f"{1 / figure:>12,.0f}"
            for name, figure in zip(COLUMNS, took, strict=True)
        ]
        print(f"{chosen:<34} {size:>6}" + "".join(shown))
    told = {line["schema"]: line["event"] for line in lines if line["valid"]}
    for records in (BATCH, 1):
        every = [stages(schemas[name], event, records)[1] for name, event in told.items()]
        for landing, column in (("JSON", COLUMNS.index("times")), ("Avro", -1)):
            times = sorted(took[column] for took in every)
            figures = f"{times[0]:.1f} to {times[-1]:.1f} times, median {statistics.median(times):.1f}"
            print(f"{landing}, an event of each of {len(times)} schemas, parsed {records} at a time: {figures}")
    count, total, most, derived = milliseconds_of_compiling(list(schemas.values()))
    print(f"{count} schemas: compiled in {total:.0f} ms, {most:.1f} ms at most; their Avro derived in {derived:.0f} ms")


if __name__ == "__main__":
    main()
