"""HTTP byte by byte, as no client library would send it."""

import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

JSON = "application/vnd.kafka.json.v2+json"
LIVE = b"GET /-/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"

_SECONDS = 20.0
_PATIENCE_SECONDS = 0.1
_NO_BODY = (100, 204, 304)


class Answer(NamedTuple):
    """An answer as it came; the names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Conversation:
    """One connection to a server. What does not come within seconds raises TimeoutError."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=_SECONDS)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()

    def send(self, *parts: bytes, pause: float = 0.0) -> None:
        """Send each part on its own."""
        for part in parts:
            self._socket.sendall(part)
            time.sleep(pause)

    def send_no_more(self) -> None:
        """Close this side's direction of the connection."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, to_head: bool = False) -> Answer:
        """Return the next answer. Raises ConnectionError when the connection ends before it is whole."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, self._read = self._read.split(b"\r\n\r\n", 1)
        line, *fields = head.decode("latin-1").split("\r\n")
        status = int(line.split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        length = 0 if to_head or status in _NO_BODY else int(headers["content-length"])
        while len(self._read) < length:
            self._receive()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(status, headers, body)

    def ends(self) -> bool:
        """Tell whether the server ends the connection with nothing more said."""
        try:
            self._receive()
        except ConnectionError:
            return True
        return False

    def everything(self) -> bytes:
        """Return what the server says until it ends the connection, asked to do so when it says nothing more."""
        self._socket.settimeout(_PATIENCE_SECONDS)
        with suppress(ConnectionError):
            try:
                while True:
                    self._receive()
            except TimeoutError:
                self._socket.settimeout(_SECONDS)
                self.send_no_more()
                while True:
                    self._receive()
        return self._read

    def _receive(self) -> None:
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionError("the server ended the connection")
        self._read += received


def post(path: str, body: bytes | None, *fields: str, content_type: str = JSON) -> bytes:
    """Return the head of a POST; `body` decides its length, and without one `fields` have to say it."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """Return `data` as one chunk; an empty one is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)
