"""One connection to an HTTP service: sending piece by piece, and seeing without waiting whether something came."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from confluent_shim.errors import BodyUnreadable

_SENT = 8192  # bytes at once: few, so that the answers to them find room until they are looked for
_RECEIVED = 65536
_LONGEST_HEAD = 262_144
_LEAST_MILLISECONDS = 1.0  # to poll 0 means that it is not to wait at all
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Body(NamedTuple):
    """The body of a request: `read(n)` gives up to n bytes, none at its end. Without `length` it is sent in chunks."""

    read: Callable[[int], bytes]
    length: int | None = None


class NoAnswer(Exception):
    """What came is no HTTP, or not all of it came."""


class Wire:
    """A connected socket; each sending and receiving waits `seconds` at most, and raises OSError.

    None waits beyond `end`, on the monotonic clock, where that is set.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.end: float | None = None
        connection.setblocking(False)

    def send(self, data: bytes) -> int:
        """Send as much of `data` as there is room for, and return how much; nothing when something came instead.

        To wait for room alone might take for ever: the other side may itself wait for room, for its answers.
        """
        try:
            return self._connection.send(data)
        except _NOT_NOW:
            self._wait_for(select.POLLOUT | select.POLLIN)
            return 0

    def poll(self) -> bytes | None:
        """Receive what is there, without waiting: nothing is None, and no bytes are the end."""
        try:
            return self._connection.recv(_RECEIVED)
        except _NOT_NOW:
            return None
        except OSError:
            return b""

    def wait(self) -> bytes:
        """Receive something; no bytes are the end."""
        while (data := self.poll()) is None:
            self._wait_for(select.POLLIN)
        return data

    def _wait_for(self, event: int) -> None:
        seconds = self._seconds
        if self.end is not None:
            seconds = min(seconds, self.end - time.monotonic())
        poll = select.poll()
        poll.register(self._connection, event)
        if seconds <= 0 or not poll.poll(max(seconds * 1000, _LEAST_MILLISECONDS)):
            raise TimeoutError

    def close(self) -> None:
        """Close the connection; closed already is fine."""
        self._connection.close()


class Response:
    """An answer, as far as it has come; what is fed to it is what a wire receives, in order.

    `has_begun` says that its head is there, `is_over` that it is whole, `is_last` that its connection is of no use
    after it. Methods that begin with `on_` are the parser's.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self.has_begun = False
        self.is_over = False
        self.is_last = True
        self._has_no_body = method == "HEAD"
        self._ends_with_connection = True
        self._pieces: list[bytes] = []
        self._size = 0
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take in what came; no bytes are the end of the connection. Raises NoAnswer."""
        if not data:
            self._end()
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.is_over:
                raise NoAnswer(str(error)) from error
            self.is_last = True  # what is behind an answer was not asked for
        if not self.has_begun and self._size > _LONGEST_HEAD:
            raise NoAnswer("the head of the answer does not end")

    def _end(self) -> None:
        if not self.has_begun:
            raise NoAnswer("no whole answer came")
        if not self._ends_with_connection and not self.is_over:
            raise NoAnswer("the answer ended before its end")
        self.is_over = self.is_last = True

    def take(self) -> bytes:
        """Return what came of the body and was not taken yet."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken

    def on_message_begin(self) -> None:
        self.is_last = True
        self.reason = ""

    def on_status(self, reason: bytes) -> None:
        if not self.is_over:
            self.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_begun:  # else it trails behind the body
            self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self.is_over:
            return
        status = self._parser.get_status_code()
        if status < HTTPStatus.OK:  # an answer before the answer
            self.headers.clear()
            return
        self.status, self.has_begun, self.is_over = status, True, self._has_no_body
        framing = {name.lower() for name, _ in self.headers}
        self._ends_with_connection = not framing & {"content-length", "transfer-encoding"}
        if self._has_no_body:
            self.is_last = not self._parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        if not self.is_over:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self.has_begun and not self.is_over:
            self.is_over, self.is_last = True, not self._parser.should_keep_alive()


class Sending:
    """A request on its way: its head, then its body piece by piece."""

    def __init__(self, wire: Wire, head: bytes, body: Body | None) -> None:
        self.wire = wire
        self._head = head
        self._pending = b""
        self._body = body
        self._left = 0 if body is None else body.length
        self._given_up = False

    @property
    def is_over(self) -> bool:
        """Whether all of the request was sent."""
        return self._left == 0 and not self._pending and not self._head

    def go_on(self) -> bool:
        """Send some more; False when there is none, or when nobody reads it any more.

        Raises BodyUnreadable when the client breaks off, TimeoutError when the other side takes nothing.
        """
        if self.is_over or self._given_up:
            return False
        if not self._pending:
            self._pending, self._head = self._head + self._next(), b""
        try:
            self._pending = self._pending[self.wire.send(self._pending) :]
        except TimeoutError:
            raise
        except OSError:
            # The other side has hung up; before that it may have said why.
            self._given_up = True
            return False
        return True

    def _next(self) -> bytes:
        if self._body is None or self._left == 0:
            return b""
        try:
            block = self._body.read(_SENT if self._left is None else min(_SENT, self._left))
        except OSError as error:
            raise BodyUnreadable("The body did not arrive whole") from error
        if self._left is None:
            if not block:
                self._left = 0
            return b"%x\r\n%b\r\n" % (len(block), block)
        if not block:
            raise BodyUnreadable("The body did not arrive whole")
        self._left -= len(block)
        return block
