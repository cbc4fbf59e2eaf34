"""What does a record cost that is validated by JSON Schema and lands as derived Avro?

Five real events, one thread, no HTTP and no Kafka, the least of 7 repeats. Beside the derived encoder stands fastavro's
writer, which is given the datum ready made: names as in Avro, absent members filled in. It checks and maps nothing.
The last columns are whole records, parsed, validated, encoded: with our parts, and with json, jsonschema, fastavro.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import fastavro
import jsonschema

from jsonschema_bridge import DerivationOptions, Schema, compile_json_schema, derive, read_json
from tests.shared_data import EVENTS, SCHEMAS

CHOSEN = (
    "/mediawiki/recentchange/1.0.1",
    "/mediawiki/page/change/1.2.0",
    "/mediawiki/revision/create/2.0.0",
    "/mediawiki/api/request/1.0.0",
    "/webrequest/1.0.0",
)
REPEATS, CALLS = 7, 300
OPTIONS = DerivationOptions(extra="map", untyped="json")


def microseconds(stage: Callable[[], object]) -> float:
    """Return the CPU time of this thread for one call."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.thread_time()
        for _ in range(CALLS):
            stage()
        best = min(best, (time.thread_time() - began) / CALLS)
    return best * 1e6


def stages(document: Any, event: Any) -> dict[str, float]:
    """Return the microseconds of each stage for one event."""
    schema = Schema(json.dumps(document), "JSON")
    form = derive(schema, lambda _: schema, OPTIONS)
    is_valid = compile_json_schema(schema, lambda _: schema).is_valid
    naive = jsonschema.Draft7Validator({**document, "$schema": "http://json-schema.org/draft-07/schema#"})
    avro = fastavro.parse_schema(json.loads(form.schema.text))
    encoded = form.encode(event)
    assert isinstance(encoded, bytes), encoded
    datum: Any = fastavro.schemaless_reader(io.BytesIO(encoded), avro, None, return_record_name=True)
    text = json.dumps(event).encode()

    def write() -> None:
        fastavro.schemaless_writer(io.BytesIO(), avro, datum)

    def ours() -> object:
        value = read_json(text)
        return is_valid(value) and form.encode(value)

    def by_hand() -> None:
        naive.validate(json.loads(text))
        write()

    return {
        "validate": microseconds(lambda: is_valid(event)),
        "encode": microseconds(lambda: form.encode(event)),
        "fastavro": microseconds(write),
        "whole": microseconds(ours),
        "naive": microseconds(by_hand),
    }


def main() -> None:
    """Print the table."""
    schemas = {line["id"]: line["schema"] for line in map(json.loads, SCHEMAS.read_text().splitlines())}
    lines = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    print(f"{'microseconds per record':<36} {'bytes':>6} {'validate':>9} {'encode':>9} {'fastavro':>9}", end="")
    print(f" {'whole':>9} {'naive':>9} {'ratio':>6}")
    for chosen in CHOSEN:
        event = next(line["event"] for line in lines if line["schema"] == chosen and line["valid"])
        took = stages(schemas[chosen], event)
        size = len(json.dumps(event, separators=(",", ":")))
        print(
            f"{chosen:<36} {size:>6} {took['validate']:>9.2f} {took['encode']:>9.2f} {took['fastavro']:>9.2f}", end=""
        )
        print(f" {took['whole']:>9.2f} {took['naive']:>9.2f} {took['naive'] / took['whole']:>6.1f}")


if __name__ == "__main__":
    main()
