"""One reason why a record is refused, as data; rendering is the caller's."""

import msgspec

from jsonschema_bridge.json_text import escape

ACTUAL_BYTES = 200
"""A violation repeats at most this many bytes of the record."""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a record that does not conform, and why.

    `pointer` leads into the record's value, `schema_pointer` into its schema (RFC 6901; empty is the whole).
    `expected` is what the keyword demands; `actual` what stood there, cut to ACTUAL_BYTES. `message` is for people
    and never repeats the record's content.
    """

    pointer: str
    keyword: str
    schema_pointer: str
    expected: object
    actual: object
    message: str


def pointer(path: list[str | int]) -> str:
    """Join reference tokens to a JSON Pointer."""
    return "".join(f"/{escape(token)}" for token in path)


def bounded(value: object) -> object:
    """Return `value` as it is when it is small, else the beginning of its JSON text and an ellipsis."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= ACTUAL_BYTES else value[:ACTUAL_BYTES] + "…"
    text = _json(value)
    return value if len(text) <= ACTUAL_BYTES else text[:ACTUAL_BYTES] + "…"


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except OverflowError:  # integers beyond 64 bits
        return str(value)
