"""How fast is a stream of the v3 API, on one connection and on 16, against batches of 100 of the v2 API?

Both send the same events of about 500 bytes to the same topic through a server with one worker. A stream declares its
length, or comes in chunks of one record; its client sends without waiting and reads the lines as they come.
"""

import multiprocessing
import socket
import sys
import threading
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.scene import JSON_SCHEMA, SCHEMA, Side, compare, load, shim, stack, values

TURNS = 5
SECONDS = 3.0
RECORDS = 100
STREAM = 5_000
"""Records of one stream; a connection sends one stream after the other."""
_SUCCESS = b'{"error_code":200,'


def stream_of(topic: str, *, chunked: bool) -> bytes:
    """Return a whole request."""
    records = [b'{"value":{"type":"JSONSCHEMA","data":' + value + b"}}\n" for value in values(STREAM)]
    if chunked:
        body = b"".join(b"%x\r\n%b\r\n" % (len(record), record) for record in records) + b"0\r\n\r\n"
        length = "Transfer-Encoding: chunked"
    else:
        body = b"".join(records)
        length = f"Content-Length: {len(body)}"
    head = f"POST /v3/clusters/c/topics/{topic}/records HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}{length}\r\n\r\n".encode() + body


def records_per_second(url: str, request: bytes, connections: int) -> float:
    """Send streams for a while, from a process of its own, and return how many records were written per second."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_generate, args=(urlsplit(url).port, request, connections, theirs)
    )
    process.start()
    rate: float = ours.recv()
    process.join()
    return rate


def _generate(port: int, request: bytes, connections: int, report: Connection) -> None:
    began = time.monotonic()
    counts = [0] * connections

    def drive(number: int) -> None:
        while time.monotonic() - began < SECONDS:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                sender = threading.Thread(target=connection.sendall, args=(request,))
                sender.start()
                counts[number] += _written(connection)
                sender.join()

    drivers = [threading.Thread(target=drive, args=(number,)) for number in range(connections)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    report.send(sum(counts) / (time.monotonic() - began))


def _written(connection: socket.socket) -> int:
    """Read an answer whole and count its lines that tell of a success."""
    count, tail = 0, b""
    while not tail.endswith(b"0\r\n\r\n"):
        received = connection.recv(1 << 18)
        if not received:
            raise RuntimeError(tail)
        count += (tail[1 - len(_SUCCESS) :] + received).count(_SUCCESS)
        tail = (tail + received)[-len(_SUCCESS) :]
    if count != STREAM:
        raise RuntimeError(f"{count} of {STREAM} records were written")
    return count


def main() -> None:
    """Print a table for each number of connections."""
    with stack() as parts, shim(parts, extra="[limits]\nstreams = 16\nrequests = 20") as server:
        parts.create_topic("streams", partitions=4)
        server.bind("streams", schema=SCHEMA)
        batches = load(server, "streams", RECORDS, JSON_SCHEMA)
        batches.requests_per_second(1.0)
        declared, chunked = stream_of("streams", chunked=False), stream_of("streams", chunked=True)
        for connections in (1, 16):
            print(f"\n{connections} connections")
            sides = [
                Side("v2 x100", lambda: batches.requests_per_second(SECONDS) * RECORDS),
                Side("declared", partial(records_per_second, server.url, declared, connections)),
                Side("chunked", partial(records_per_second, server.url, chunked, connections)),
            ]
            compare(sides, TURNS, "rec/s")


if __name__ == "__main__":
    main()
