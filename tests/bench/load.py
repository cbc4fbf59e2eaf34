"""A load generator that costs little: prebuilt requests over keep-alive sockets, in a process of its own."""

import multiprocessing
import socket
import threading
import time
from multiprocessing.connection import Connection
from typing import NamedTuple


class Load(NamedTuple):
    """One request, to be sent again and again to 127.0.0.1."""

    port: int
    path: str
    content_type: str
    body: bytes
    connections: int = 8

    def request(self) -> bytes:
        """Return the bytes of the request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def requests_per_second(load: Load, seconds: float) -> float:
    """Send `load` over all its connections for `seconds` and return how many were answered with 200 per second.

    Raises RuntimeError when an answer has another status.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_generate, args=(load, seconds, theirs))
    process.start()
    rate: float
    failure: str
    rate, failure = ours.recv()
    process.join()
    if failure:
        raise RuntimeError(failure)
    return rate


def _generate(load: Load, seconds: float, report: Connection) -> None:
    counts, failures = [0] * load.connections, list[str]()
    end = time.monotonic() + seconds

    def drive(number: int) -> None:
        request = load.request()
        with socket.create_connection(("127.0.0.1", load.port)) as connection:
            while time.monotonic() < end and not failures:
                connection.sendall(request)
                head = _answer(connection)
                if not head.startswith(b"HTTP/1.1 200"):
                    failures.append(head.decode(errors="replace"))
                    return
                counts[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=drive, args=(number,)) for number in range(load.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.send((sum(counts) / (time.monotonic() - began), "".join(failures[:1])))


def _answer(connection: socket.socket) -> bytes:
    """Read one answer whole and return its head and the beginning of its body."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(min(missing, 65536)))
    return data[:1000]
