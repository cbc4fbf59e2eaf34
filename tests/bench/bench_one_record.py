"""How much of a bare handler's speed is left for requests with one record?

All sides run on granian with one worker, read the request, produce the same bytes to the same Kafka and answer after
its acknowledgement. The bare ones judge, count and explain nothing: one is an ASGI handler on the shim's own event
loop, one a WSGI handler on as many threads. They take turns, under 16 connections and under 64; the ratio is taken per
turn and its median told.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from confluent_shim.settings import Server as ServerSettings
from tests.bench.load import Load
from tests.bench.scene import JSON_SCHEMA, SCHEMA, Side, body_of, compare, load, shim, stack, values
from tests.e2e.server import free_port

TURNS = 7
SECONDS = 2.0
CONNECTIONS = (16, 64)


def on_threads(port: int) -> list[str]:
    """Return the command that serves the WSGI handler."""
    threads = ["--blocking-threads", str(ServerSettings().threads), "--no-log"]
    target = ["--interface", "wsgi", "--factory", "tests.bench.bare_threads:application", "--port", str(port)]
    return [sys.executable, "-m", "granian", *target, *threads]


@contextmanager
def bare(kafka: str, command_of: Callable[[int], list[str]]) -> Iterator[Load]:
    """Serve a bare handler by what `command_of` returns for a port."""
    port, root = free_port(), Path(__file__).resolve().parents[2]
    command = command_of(port)
    process = subprocess.Popen(
        command, cwd=root, env={**os.environ, "KAFKA": kafka, "PORT": str(port), "PYTHONPATH": str(root)}
    )
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
        kafka = parts.kafka_bootstrap
        on_loop = [sys.executable, "-m", "tests.bench.bare_handler"]
        with shim(parts) as server, bare(kafka, lambda _: on_loop) as handler, bare(kafka, on_threads) as threaded:
            server.bind("bench", schema=SCHEMA)
            produce = load(server, "bench", 1)
            for each in (handler, threaded, produce):
                each.requests_per_second(1.0)
            for connections in CONNECTIONS:
                print(f"{connections} connections")
                found = [
                    Side(name, partial(side._replace(connections=connections).requests_per_second, SECONDS))
                    for name, side in (("bare on loop", handler), ("bare on threads", threaded), ("shim", produce))
                ]
                compare(found[::2], TURNS, "req/s")
                compare(found[1:], TURNS, "req/s")


if __name__ == "__main__":
    main()
