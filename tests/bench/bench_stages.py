"""Where does the time of a record go, stage by stage?

One process, no HTTP server, one thread besides the one that polls: each stage of a produce request is timed by itself,
in a request with one record and in one with 100, as the least of 7 repeats. The sink is Kafka's, so its stages cost
what librdkafka costs; the wait for Kafka itself is not counted (CPU time of the thread).
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from confluent_shim.api.wire_v2 import read_request, render_receipt
from confluent_shim.sinks.kafka import KafkaSink
from jsonschema_bridge import read_json
from tests.bench.scene import SCHEMA, body_of, least_cpu_seconds, stack, values
from tests.parts import memory_shim


def microseconds(stage: Callable[[], object], records: int) -> float:
    """Return the CPU time of this thread for one call."""
    return least_cpu_seconds(stage, 2000 // records) * 1e6


def main() -> None:
    """Print the table."""
    with stack() as parts, memory_shim() as shim:
        parts.create_topic("bench", partitions=4)
        shim.bind("bench", schema=SCHEMA)
        sink = KafkaSink({"bootstrap.servers": parts.kafka_bootstrap})
        sink.warm_up(5.0)
        publisher = shim.services.publisher
        enforcer = publisher._enforcer
        table: dict[str, list[float]] = {}
        for records in (1, 100):
            body = body_of(values(records))
            binding = enforcer.binding("bench")
            request = read_request(body, "bench", "jsonschema")
            verdict = enforcer.judge(binding, request)
            receipt = publisher.begin(binding, request).receipt(time.monotonic() + 5)
            stages: dict[str, Callable[[], object]] = {
                "parse, duplicates refused": partial(read_json, body),
                "read the request (parse included)": partial(read_request, body, "bench", "jsonschema"),
                "look at the topic map": partial(enforcer.binding, "bench"),
                "judge": partial(enforcer.judge, binding, request),
                "hand over to librdkafka, and wait": partial(sink.send, "bench", verdict.admitted),
                "write the answer": partial(render_receipt, receipt),
            }
            for name, stage in stages.items():
                table.setdefault(name, []).append(microseconds(stage, records) / records)
        sink.close()
    print(f"{'microseconds per record':<36} {'x1':>8} {'x100':>8}")
    for name, (one, hundred) in table.items():
        print(f"{name:<36} {one:>8.2f} {hundred:>8.2f}")


if __name__ == "__main__":
    main()
