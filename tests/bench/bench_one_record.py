"""How much of a bare handler's speed is left for requests with one record?

Both sides run on granian with one worker and the same event loop, read the request, produce the same bytes to the same
Kafka and answer after its acknowledgement. The bare one judges, counts and explains nothing. They take turns, under 16
connections and under 64; the ratio is taken per turn and its median told.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.load import Load
from tests.bench.scene import JSON_SCHEMA, SCHEMA, Side, body_of, compare, load, shim, stack, values
from tests.e2e.server import free_port

TURNS = 9
SECONDS = 2.0
CONNECTIONS = (16, 64)


@contextmanager
def bare(kafka: str) -> Iterator[Load]:
    """Serve the bare handler."""
    port, root = free_port(), Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.bench.bare_handler"]
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "KAFKA": kafka, "PORT": str(port)})
    try:
        for _ in range(100):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", b"{}", timeout=2):
                break
            time.sleep(0.1)
        yield Load(f"http://127.0.0.1:{port}/", JSON_SCHEMA, body_of(values(1)))
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    """Print the table."""
    with stack() as parts:
        parts.create_topic("bench", partitions=4)
        with shim(parts) as server, bare(parts.kafka_bootstrap) as handler:
            server.bind("bench", schema=SCHEMA)
            produce = load(server, "bench", 1)
            for each in (handler, produce):
                each.requests_per_second(1.0)
            for connections in CONNECTIONS:
                print(f"{connections} connections")
                sides = [
                    Side(name, partial(side._replace(connections=connections).requests_per_second, SECONDS))
                    for name, side in (("bare handler", handler), ("shim", produce))
                ]
                compare(sides, TURNS, "req/s")


if __name__ == "__main__":
    main()
