"""A client that speaks HTTP over a bare socket, so that it decides which bytes are on their way, and when."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 60.0
"""A hang is told as one."""

_STALLED_SECONDS = 3.0


class Stream:
    """A stream to the v3 API whose request may still be growing while its answer is read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self._body = b""
        self.is_over = False

    def send(self, data: bytes) -> None:
        """Send a chunk."""
        self._connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def send_and_read_nothing(self, data: bytes, times: int) -> None:
        """Send `data` so often, or until the server takes no more of it because nobody reads what it says."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.settimeout(_STALLED_SECONDS)
        with suppress(TimeoutError):
            for _ in range(times):
                self.send(data)

    def end(self) -> None:
        """Send the last chunk."""
        self._connection.sendall(b"0\r\n\r\n")

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, to a stream whose length was declared."""
        self._connection.sendall(data)

    def status(self) -> int:
        """Read the head of the answer."""
        head = self._until(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1])

    def line(self) -> dict[str, Any]:
        """Read the next line of the answer."""
        while b"\r\n" not in self._body:
            size = int(self._until(b"\r\n"), 16)
            chunk = self._exactly(size + 2)[:-2]
            if not size:
                self.is_over = True
                raise EOFError
            self._body += chunk
        line, _, self._body = self._body.partition(b"\r\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def lines(self) -> Iterator[dict[str, Any]]:
        """Read all lines that are left."""
        while not self.is_over:
            try:
                yield self.line()
            except EOFError:
                return

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        found, _, self._received = self._received.partition(end)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive()
        found, self._received = self._received[:size], self._received[size:]
        return found

    def _receive(self) -> None:
        data = self._connection.recv(1 << 16)
        if not data:
            raise ConnectionError(f"the server closed the connection after {self._received!r}")
        self._received += data


@contextmanager
def open_stream(url: str, topic: str, length: int | None = None) -> Iterator[Stream]:
    """Open a stream to `topic`, in chunks unless its length is declared, and close its connection in the end."""
    address = urlsplit(url)
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    with socket.create_connection((address.hostname, address.port), timeout=_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(
            f"POST /v3/clusters/c/topics/{topic}/records HTTP/1.1\r\nHost: shim\r\nContent-Type: application/json\r\n"
            f"{size}\r\n\r\n".encode()
        )
        yield Stream(connection)
