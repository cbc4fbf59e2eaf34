"""Avro's binary encoding of what has no parts. Source: Avro 1.12 specification, "Binary Encoding"."""

import struct

DOUBLE = struct.Struct("<d")
FLOAT = struct.Struct("<f")

_MORE = 0x80


def _zigzag(number: int) -> bytes:
    bits = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while bits >= _MORE:
        out.append(bits & 0x7F | _MORE)
        bits >>= 7
    out.append(bits)
    return bytes(out)


SMALL_BELOW = 4096
SMALL = [_zigzag(number) for number in (*range(SMALL_BELOW), *range(-SMALL_BELOW, 0))]
"""Small numbers encoded; a negative one counts from the end."""


def integer(number: int) -> bytes:
    """Encode an int or long: zigzag, then seven bits a byte, lowest first."""
    return SMALL[number] if -SMALL_BELOW <= number < SMALL_BELOW else _zigzag(number)


def sized(data: bytes) -> bytes:
    """Encode bytes, or the UTF-8 of a string: their number, then themselves."""
    return integer(len(data)) + data
