"""One reason why a record is refused, as data; rendering is the caller's."""

import json
import math
from typing import Literal

import msgspec

from jsonschema_bridge.json_text import escape

ACTUAL_BYTES = 200
"""A violation repeats at most this many bytes of the record."""

_SHORTENED = 500


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a record that does not conform, and why.

    `pointer` leads into the record's value, or into its key where `part` says so; `schema_pointer` into the schema
    (RFC 6901; empty is the whole). `expected` is what the keyword demands; `actual` what stood there, cut to
    ACTUAL_BYTES. `message` is for people and never repeats the record's content.
    """

    part: Literal["key", "value"] = "value"
    pointer: str = ""
    keyword: str
    schema_pointer: str = ""
    expected: object
    actual: object = None
    message: str


def pointer(path: list[str | int]) -> str:
    """Join reference tokens to a JSON Pointer."""
    return "".join(f"/{escape(token)}" for token in path)


def shortened(text: str) -> str:
    """Return a message with its end cut off where it is long: what a schema says may be."""
    return text if len(text) <= _SHORTENED else text[:_SHORTENED] + "…"


def bounded(value: object) -> object:
    """Return `value` as it is when it is small, else the beginning of its JSON text and an ellipsis.

    What JSON has no number for, and integers beyond 64 bits, become text: every result can be encoded.
    """
    if isinstance(value, str):
        return _cut(value)
    text = ""
    for piece in _ENCODER.iterencode(value):  # lazily: a value of megabytes costs no more than its beginning
        text += piece
        if len(text) > ACTUAL_BYTES:
            return _cut(text)
    return value if len(text.encode()) <= ACTUAL_BYTES and _fits(value) else _cut(text)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _cut(text: str) -> str:
    beginning = text[:ACTUAL_BYTES].encode(errors="replace")[:ACTUAL_BYTES].decode(errors="ignore")
    return beginning if beginning == text else beginning + "…"


def _fits(value: object) -> bool:
    match value:
        case dict():
            return all(map(_fits, value.values()))
        case list():
            return all(map(_fits, value))
        case int():
            return -(2**63) <= value < 2**64
        case float():
            return math.isfinite(value)
    return True
