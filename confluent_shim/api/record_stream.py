"""From the body of a v3 stream, as it arrives, to the texts of its records.

Source: rest-proxy contract, section 2.1: JSON objects one behind the other, with or without white space between them.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from jsonschema_bridge import JsonUnreadable, encoding_of

BLOCK = 65_536
"""Bytes that are read at once where the length of the body is known."""

_PIECE = 512  # characters that are read one by one before they are looked at, unless a brace closes
_MARK = 4  # bytes that tell an encoding

Read = Callable[[int], bytes]


def pieces(read: Read, length: int | None, read1: Read | None = None) -> Iterator[bytes]:
    """Yield a body as UTF-8, piece by piece.

    Where its length is known it is read by blocks. Else it is read as it arrives, by `read1`, which waits for the first
    byte only. A server that does not have it does not tell how much is there, and reading more would wait for it: then
    a piece ends where a closing brace arrives, with which a record may be whole. A body that breaks off just ends.
    Raises JsonUnreadable for what is no text.
    """
    try:
        yield from _decoded(read, length, read1)
    except JsonUnreadable:
        raise
    except Exception:  # noqa: BLE001 - what a server raises for a broken chunk or connection is its own affair
        return


def _decoded(read: Read, length: int | None, read1: Read | None) -> Iterator[bytes]:
    left = length
    head = read(2 if length is None else min(length, BLOCK))
    # No shorter record than {} is waited for: only what cannot be ASCII asks for more.
    if length is None and (not head.isascii() or b"\0" in head):
        head += read(2)
    encoding, mark = encoding_of(head[:_MARK])
    if left is not None:
        left -= len(head)
    rest: Iterator[bytes]
    if left is not None:
        rest = _blocks(read, left)
    elif read1 is not None:
        rest = iter(partial(read1, BLOCK), b"")
    else:
        rest = _arriving(read, "}".encode(encoding))
    if encoding == "utf-8":
        yield head[mark:]
        yield from rest
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        yield decoder.decode(head[mark:]).encode()
        for piece in rest:
            yield decoder.decode(piece).encode()
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise JsonUnreadable("encoding", f"invalid {encoding.upper()}: {error}") from error


def _blocks(read: Read, left: int) -> Iterator[bytes]:
    while left > 0 and (block := read(min(left, BLOCK))):
        left -= len(block)
        yield block


def _arriving(read: Read, closing: bytes) -> Iterator[bytes]:
    one, full = partial(read, len(closing)), _PIECE * len(closing)
    while True:
        # All of this loop is in C: a byte costs no more than its call to the server.
        characters = iter(one, closing)
        piece = b"".join(islice(characters, _PIECE))
        if len(piece) == full:
            yield piece
        elif next(characters, None) is None:  # the iterator has met the brace, and is over
            yield piece + closing
        else:
            yield piece
            return


_IN_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_LEVELS = 8
"""How deep the objects of a usual record lie in each other."""


def _flat(but: bytes) -> bytes:
    """Return the pattern of whole strings and of all characters but these."""
    return rb'[^"%b]*+(?:"%b"[^"%b]*+)*+' % (but, _IN_STRING, but)


def _nested(levels: int) -> bytes:
    """Return the pattern of an object in which others lie, so many levels deep."""
    flat = _flat(rb"{}")
    inner = rb"(?:%b%b)*+" % (_nested(levels - 1), flat) if levels else b""
    return rb"\{%b%b\}" % (flat, inner)


def _up_to(met: bytes) -> "re.Pattern[bytes]":
    """Return what skips whole strings and all else, up to one of the characters `met` or into a string without end."""
    return re.compile(rb'%b(["%b]?)' % (_flat(met), met), re.DOTALL)


_USUAL = re.compile(rb"[ \t\r\n]*+(%b)" % _nested(_LEVELS), re.DOTALL)
_OBJECT = _up_to(rb"{}")
_ARRAY = _up_to(rb"\[\]")
_STRING = re.compile(_IN_STRING + rb'("?)', re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n{}\[\],:"]*+()')
_SPACE = re.compile(rb"[ \t\r\n]*+")
_WITHIN = {b"{": _OBJECT, b"[": _ARRAY, b'"': _STRING}
_OPENING = (b"{", b"[")
_STRAY = (b"}", b"]", b",", b":")


class RecordSplitter:
    """Takes concatenated JSON values apart, whatever the pieces are in which their bytes arrive.

    It looks at brackets and strings only: a value that is whole may still be no JSON. However long a value is, none of
    its bytes is looked at more than twice.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._start = 0  # of the value that has begun, or is to begin
        self._position = 0  # up to where the buffer has been looked at
        self._first = b""  # the character with which the value has begun
        self._depth = 0
        self._in_string = False
        self._dropping = False  # the value is too large already, and its beginning is forgotten

    def feed(self, piece: bytes) -> list[bytes | None]:
        """Return the values that are whole with `piece`, None for each that has more bytes than `most`."""
        self._buffer += piece
        found: list[bytes | None] = []
        if self._first and self._ended():
            found.append(self._taken())
        if not self._first:
            usual, self._position = _whole_objects(self._buffer, self._position, self._most)
            found += usual
        while self._begun() and self._ended():
            found.append(self._taken())
        if self._dropping or self._position - self._start > self._most:
            self._dropping, self._start = True, self._position
        del self._buffer[: self._start]
        self._position -= self._start
        self._start = 0
        return found

    def finish(self) -> list[bytes | None]:
        """Return what has begun and not ended, as `feed` would: one value, or none."""
        self._position = len(self._buffer)
        return [self._taken()] if self._first else []

    def _begun(self) -> bool:
        """Tell whether a value has begun, after going to where it does."""
        if not self._first:
            self._start = self._position = _end(_SPACE.match(self._buffer, self._position))
            self._first = bytes(self._buffer[self._start : self._start + 1])
            self._depth = int(self._first in _OPENING)
            self._in_string = self._first == b'"'
            if self._first in _WITHIN or self._first in _STRAY:
                self._position += 1
        return bool(self._first)

    def _ended(self) -> bool:
        """Go to the end of the value, or of what is there of it, and tell whether it is the former."""
        if self._first in _STRAY:
            return True
        within = _WITHIN.get(self._first, _SCALAR)
        if within is _SCALAR:
            self._position = _end(_SCALAR.match(self._buffer, self._position))
            return self._position < len(self._buffer)
        buffer, position, depth, in_string = self._buffer, self._position, self._depth, self._in_string
        met: bytes | None = b"?"
        while met and (depth or in_string):
            skipped = (_STRING if in_string else within).match(buffer, position)
            position, met = (skipped.end(), skipped[1]) if skipped else (position, b"")
            if met == b'"':
                in_string = not in_string
            elif met in _OPENING:
                depth += 1
            elif met:
                depth -= 1
        self._position, self._depth, self._in_string = position, depth, in_string
        return bool(met)

    def _taken(self) -> bytes | None:
        """Return the value that ends here, and be ready for the next one."""
        too_large = self._dropping or self._position - self._start > self._most
        value = None if too_large else bytes(memoryview(self._buffer)[self._start : self._position])
        self._start, self._first, self._dropping = self._position, b"", False
        return value


def _whole_objects(buffer: bytearray, position: int, most: int) -> tuple[list[bytes | None], int]:
    """Take off the usual objects that begin and end in `buffer` from `position` on, up to anything else; say where.

    They are what RecordSplitter would find too, for half of its time.
    """
    text, found = bytes(buffer), list[bytes | None]()
    while usual := _USUAL.match(text, position):
        found.append(usual[1] if len(usual[1]) <= most else None)
        position = usual.end()
    return found, position


def _end(found: "re.Match[bytes] | None") -> int:
    """Return where a match ends; each of the patterns above matches anywhere, be it nothing."""
    return found.end() if found else 0
