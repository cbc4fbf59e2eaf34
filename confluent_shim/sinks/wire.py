"""One connection to an HTTP service: sending piece by piece, and seeing without waiting whether something came."""

import re
import socket
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Literal, NamedTuple

from confluent_shim.errors import BodyUnreadable

_SENT = 8192  # bytes at once: few, so that the answers to them find room until they are looked for
_RECEIVED = 65536
_LONGEST_LINE = 65536
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Body(NamedTuple):
    """The body of a request: `read(n)` gives up to n bytes, none at its end. Without `length` it is sent in chunks."""

    read: Callable[[int], bytes]
    length: int | None = None


class Wire:
    """A connected socket; each sending and receiving waits `seconds` at most, and raises OSError.

    None waits beyond `end`, on the monotonic clock, where that is set. `received` holds what came and was not taken
    yet, `ended` says that nothing more will come.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.received = bytearray()
        self.ended = False
        self.end: float | None = None
        connection.settimeout(seconds)

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._hurry()
        self._connection.sendall(data)

    def poll(self) -> bool:
        """Receive what is there, without waiting, and tell whether there was anything: bytes, or the end."""
        self._connection.settimeout(0)
        try:
            self._take(self._connection.recv(_RECEIVED))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            self.ended = True
        finally:
            self._connection.settimeout(self._seconds)
        return True

    def wait(self) -> None:
        """Receive something, bytes or the end."""
        self._hurry()
        self._take(self._connection.recv(_RECEIVED))

    def _hurry(self) -> None:
        if self.end is None:
            return
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(left, self._seconds))

    def _take(self, data: bytes) -> None:
        self.received += data
        self.ended = not data

    def makefile(self, _: str) -> "_Head":
        """Return what the head of an answer is read from; a socket would return a file."""
        return _Head(self)

    def close(self) -> None:
        """Close the connection; closed already is fine."""
        self._connection.close()


class _Head:
    """As much of a file as reading the head of an answer needs; what stands behind the head stays in the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readline(self, limit: int) -> bytes:
        received = self._wire.received
        while (end := received.find(b"\n", 0, limit) + 1) == 0 and len(received) < limit:
            if self._wire.ended:
                raise HTTPException("no whole answer came")
            self._wire.wait()
        line = bytes(received[: end or limit])
        del received[: len(line)]
        return line

    def flush(self) -> None:
        """Do nothing; only reading is asked for."""

    def close(self) -> None:
        """Do nothing: the wire stays open."""


class Incoming:
    """The body of an answer, taken out of what a wire received as far as it is there, without waiting for more."""

    def __init__(self, response: HTTPResponse) -> None:
        self.is_over = response.length == 0
        self._chunked = response.chunked
        self._left = response.length
        self._expected: Literal["size", "end", "trailer"] = "size"

    def take(self, wire: Wire) -> bytes:
        """Return what is there, nothing where nothing is. Raises HTTPException for what is no body, or breaks off."""
        taken = self._chunks(wire.received) if self._chunked else self._bytes(wire.received)
        if wire.ended and not taken and not self.is_over:
            if self._chunked or self._left is not None:
                raise HTTPException("the answer ended before its end")
            self.is_over = True
        return taken

    def _bytes(self, received: bytearray) -> bytes:
        taken = bytes(received[: self._left])
        del received[: len(taken)]
        if self._left is not None:
            self._left -= len(taken)
            self.is_over = not self._left
        return taken

    def _chunks(self, received: bytearray) -> bytes:
        taken = b""
        while not self.is_over:
            if self._left:
                piece = bytes(received[: self._left])
                del received[: len(piece)]
                self._left -= len(piece)
                taken += piece
                if self._left:
                    break
                self._expected = "end"
            line = _line(received)
            if line is None:
                break
            self._read(line)
        return taken

    def _read(self, line: bytes) -> None:
        """Read what stands between the pieces: their sizes, their ends, and what trails behind the last one."""
        if self._expected == "size":
            size = line.partition(b";")[0].strip()
            if not _SIZE.fullmatch(size):
                raise HTTPException("what should be the size of a chunk is none")
            self._left = int(size, 16)
            self._expected = "end" if self._left else "trailer"
        elif self._expected == "end":
            self._expected = "size"
        else:
            self.is_over = not line


def _line(received: bytearray) -> bytes | None:
    """Take a line, without its end, if there is one already."""
    end = received.find(b"\n")
    if end < 0:
        if len(received) > _LONGEST_LINE:
            raise HTTPException("a line between chunks does not end")
        return None
    line = bytes(received[:end])
    del received[: end + 1]
    return line.rstrip(b"\r")


class Sending:
    """A request on its way: its head, then its body piece by piece."""

    def __init__(self, wire: Wire, head: bytes, body: Body | None) -> None:
        self.wire = wire
        self._pending = head
        self._body = body
        self._left = 0 if body is None else body.length
        self._given_up = False

    @property
    def is_over(self) -> bool:
        """Whether all of the request was sent."""
        return not self._pending and self._left == 0

    def go_on(self) -> bool:
        """Send one more piece; False when there is none, or when nobody reads it any more.

        Raises BodyUnreadable when the client breaks off, TimeoutError when the other side takes nothing.
        """
        if self.is_over or self._given_up:
            return False
        piece = self._pending + self._next()
        self._pending = b""
        try:
            self.wire.send(piece)
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
