"""How much of a bare handler's speed is left for requests with one record?

Both sides run on granian with one worker and the same threads, read the request, produce the same bytes to the same
Kafka and answer after its acknowledgement. The bare one judges, counts and explains nothing. They take turns under 16
connections; the ratio is taken per turn and its median told.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from confluent_shim.settings import Server as ServerSettings
from tests.bench.load import Load
from tests.bench.scene import JSON_SCHEMA, SCHEMA, Side, body_of, compare, load, shim, stack, values
from tests.e2e.server import free_port

TURNS = 9
SECONDS = 2.0


@contextmanager
def bare(kafka: str) -> Iterator[Load]:
    """Serve the bare handler."""
    port, root = free_port(), Path(__file__).resolve().parents[2]
    threads = ServerSettings().threads
    target = ["--interface", "wsgi", "--factory", "tests.bench.bare_handler:application"]
    command = [sys.executable, "-m", "granian", *target, "--port", str(port), "--blocking-threads", str(threads)]
    command += ["--no-log"]
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "KAFKA": kafka, "PYTHONPATH": str(root)})
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
            sides = [
                Side("bare handler", lambda: handler.requests_per_second(SECONDS)),
                Side("shim", lambda: produce.requests_per_second(SECONDS)),
            ]
            compare(sides, TURNS, "req/s")


if __name__ == "__main__":
    main()
