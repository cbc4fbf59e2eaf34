"""What does a second worker bring, for one-record requests and for batches of 100?

Two servers, one with one worker and one with two, take turns under 16 connections to the same Kafka. On two cores,
which Kafka and the load share, a second worker has little room; the ratio is taken per turn and its median told.
"""

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.scene import SCHEMA, Side, compare, load, shim, stack

TURNS = 5
SECONDS = 3.0


def main() -> None:
    """Print a table for each size of request."""
    with stack() as parts, shim(parts) as one, shim(parts, workers=2) as two:
        parts.create_topic("bench", partitions=4)
        for server in (one, two):
            server.bind("bench", schema=SCHEMA)
        for records in (1, 100):
            loads = [load(server, "bench", records) for server in (one, two)]
            for each in loads:
                each.requests_per_second(2.0)
            print(f"\n{records} records a request")
            names = ("1 worker", "2 workers")
            sides = [
                Side(name, partial(each.requests_per_second, SECONDS)) for name, each in zip(names, loads, strict=True)
            ]
            compare(sides, TURNS, "req/s")


if __name__ == "__main__":
    main()
