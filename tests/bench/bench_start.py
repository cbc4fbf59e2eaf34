"""How long from the start of `serve` to the first request, and what does the first request cost?

A server is started five times on a store that knows the binding, with Kafka and registry up. Told are the seconds from
the start of the command until `/-/ready` answers, the milliseconds of the first produce request, and those of the
thousandth on the same connection (median of the last hundred).
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import requests

from tests.bench.scene import JSON_SCHEMA, SCHEMA, body_of, stack, values
from tests.e2e.server import configuration, serving

STARTS = 5
REQUESTS = 1000


def main() -> None:
    """Print the table."""
    with stack() as parts, tempfile.TemporaryDirectory() as folder:
        parts.create_topic("bench", partitions=4)
        config = configuration(Path(folder), parts.kafka_bootstrap, parts.registry_url)
        with serving(config) as server:
            server.bind("bench", schema=SCHEMA)
        print(f"{'start':>5} {'ready s':>8} {'first ms':>9} {'1000th ms':>9} {'ratio':>6}")
        for start in range(1, STARTS + 1):
            began = time.perf_counter()
            with serving(config) as server, requests.Session() as session:
                ready = time.perf_counter() - began
                session.get(f"{server.url}/-/live", timeout=5)
                times = []
                for _ in range(REQUESTS):
                    sent = time.perf_counter()
                    answer = session.post(
                        f"{server.url}/topics/bench",
                        body_of(values(1)),
                        headers={"Content-Type": JSON_SCHEMA},
                        timeout=15,
                    )
                    times.append((time.perf_counter() - sent) * 1000)
                    if answer.status_code != 200:
                        raise RuntimeError(answer.text)
                late = statistics.median(times[-100:])
                print(f"{start:>5} {ready:>8.2f} {times[0]:>9.1f} {late:>9.1f} {times[0] / late:>6.1f}")


if __name__ == "__main__":
    main()
