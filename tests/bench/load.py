"""Load: as much as is taken, by wrk (Debian package `wrk`), or so much and no more.

wrk has one thread, so that it takes little of what is measured; it knows no rate.
"""

import json
import multiprocessing
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit


class Load(NamedTuple):
    """One POST request, to be sent again and again over so many keep-alive connections."""

    url: str
    content_type: str
    body: bytes
    connections: int = 16

    def requests_per_second(self, seconds: float) -> float:
        """Send for `seconds` and return how many requests were answered per second.

        Raises RuntimeError when an answer has an error's status, or wrk is not there.
        """
        if shutil.which("wrk") is None:
            raise RuntimeError("wrk is not installed: apt-get install wrk")
        with tempfile.TemporaryDirectory() as folder:
            body, script = Path(folder) / "body", Path(folder) / "post.lua"
            body.write_bytes(self.body)
            script.write_text(
                f'wrk.method = "POST"\n'
                f'wrk.headers["Content-Type"] = {json.dumps(self.content_type)}\n'
                f'wrk.body = io.open({json.dumps(str(body))}, "rb"):read("*a")\n'
            )
            command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds:g}s", "-s", str(script), self.url]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in told or "Socket errors" in told:
            raise RuntimeError(told)
        found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
        if found is None:
            raise RuntimeError(told)
        return float(found[1])

    def at_rate(self, rate: float, seconds: float) -> "Paced":
        """Send `rate` requests per second, whatever the answers take, from a process of its own.

        Each connection has a time for each of its requests, and what is late for it counts: an answer that is slow
        does not put the next requests off. Raises RuntimeError when an answer has an error's status.
        """
        with multiprocessing.get_context("spawn").Pool(1) as apart:
            return apart.apply(_send_paced, (self, rate, seconds))


class Paced(NamedTuple):
    """What came of requests that were sent at a rate: how many were answered per second, and the median in seconds."""

    requests_per_second: float
    median: float


_PACED_CONNECTIONS = 32


def _send_paced(load: Load, rate: float, seconds: float) -> Paced:
    began = time.monotonic() + 0.1
    every = _PACED_CONNECTIONS / rate
    with ThreadPoolExecutor(_PACED_CONNECTIONS) as pool:
        sending = [
            pool.submit(_drive, load, began + every * number / _PACED_CONNECTIONS, every, began + seconds)
            for number in range(_PACED_CONNECTIONS)
        ]
        latencies = [latency for each in sending for latency in each.result()]
    return Paced(len(latencies) / (time.monotonic() - began), statistics.median(latencies))


def _drive(load: Load, due: float, every: float, end: float) -> list[float]:
    """Send a request each `every` seconds until `end`, and return how long after its time each was answered."""
    where = urlsplit(load.url)
    head = f"POST {where.path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {load.content_type}\r\n"
    request = f"{head}Content-Length: {len(load.body)}\r\n\r\n".encode() + load.body
    latencies = []
    with socket.create_connection((where.hostname or "", where.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            connection.sendall(request)
            _receive(connection)
            latencies.append(time.monotonic() - due)
            due += every
    return latencies


def _receive(connection: socket.socket) -> None:
    """Receive an answer with a success's status whole."""
    received = connection.recv(1 << 16)
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 16)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: ([0-9]+)", head)
    if not head.startswith(b"HTTP/1.1 2") or length is None:
        raise RuntimeError(received)
    missing = int(length[1]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(1 << 16))
