"""Confluent's wire format, version 0: magic byte 0, the schema id as 4 bytes big-endian, the payload."""

import struct

from jsonschema_bridge.errors import NotFramed

_PREFIX = struct.Struct(">bI")
PREFIX_BYTES = _PREFIX.size
MAX_SCHEMA_ID = 2**31 - 1


def prefix(schema_id: int) -> bytes:
    """Return the five bytes that stand before every payload of `schema_id` (0 to 2**31 - 1)."""
    if not 0 <= schema_id <= MAX_SCHEMA_ID:
        raise ValueError(f"a schema id is an int32 of 0 or more, not {schema_id}")
    return _PREFIX.pack(0, schema_id)


def frame(schema_id: int, payload: bytes) -> bytes:
    """Put the prefix of `schema_id` before `payload`."""
    return prefix(schema_id) + payload


def unframe(framed: bytes) -> tuple[int, bytes]:
    """Take a framed value apart: (schema id, payload). Raises NotFramed, which says what is wrong."""
    if len(framed) < PREFIX_BYTES:
        raise NotFramed(f"{len(framed)} bytes are too few for magic byte and schema id")
    magic, schema_id = _PREFIX.unpack_from(framed)
    if magic != 0:
        raise NotFramed(f"the first byte is {framed[0]}, not the magic byte 0")
    if schema_id > MAX_SCHEMA_ID:
        raise NotFramed(f"schema id {schema_id} is not an int32")
    return schema_id, framed[PREFIX_BYTES:]
