"""Logical types: what a value must be besides a value of the type below it.

Source: Avro 1.12, Logical Types. What a schema says of one that does not fit its type means nothing there, and so here.
Dates and timestamps are any number of days and of time units; a duration is any twelve bytes.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_LOGICAL = "shim-logical"
_ATTRIBUTES = ("logicalType", "precision", "scale")

_MOST_DIGITS = 10_000
"""A decimal may be given more, and then only has to be a number: to count so many would take long."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNITS_OF_A_DAY = {("int", "time-millis"): 86_400_000, ("long", "time-micros"): 86_400_000_000}


class Logical(NamedTuple):
    """A logical type by its name, what it asks of values, and how it is asked.

    `admits` takes a value as JSON has it, of the type below: bytes are strings of characters up to U+00FF.
    """

    name: str
    expected: str
    admits: Callable[[Any], bool]


def logical_attributes(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a schema's text says of its logical type, under a name at which fastavro does not look.

    fastavro shall neither judge nor apply it.
    """
    if "logicalType" not in schema:
        return {}
    return {_LOGICAL: {key: schema[key] for key in _ATTRIBUTES if key in schema}}


def logical_of(schema: Mapping[str, Any]) -> Logical | None:
    """Return what the logical type of a parsed schema asks of values; None where it asks nothing."""
    said = schema.get(_LOGICAL)
    if said is None:
        return None
    kind, name = schema["type"], said.get("logicalType")
    if name == "decimal" and kind in ("bytes", "fixed"):
        return _decimal(said.get("precision"), said.get("scale", 0), schema.get("size"))
    if name == "uuid" and kind == "string":
        return Logical(name, "8-4-4-4-12 hexadecimal digits", lambda value: _UUID.fullmatch(value) is not None)
    units = _UNITS_OF_A_DAY.get((kind, str(name)))
    if units is None:
        return None
    # Not `in range`: that counts up to a number like 5.0.
    return Logical(str(name), f"0 to {units - 1}", lambda value: 0 <= value < units)


def _decimal(precision: object, scale: object, size: int | None) -> Logical | None:
    if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision or precision == 0:
        return None
    if size is not None and precision > _digits(size):
        return None
    beyond: int | None = 10**precision if precision <= _MOST_DIGITS else None

    def admits(value: str) -> bool:
        if not value or beyond is None:
            return value != ""
        return -beyond < int.from_bytes(value.encode("latin-1"), "big", signed=True) < beyond

    return Logical("decimal", f"a two's complement number of at most {precision} digits", admits)


def _digits(size: int) -> int:
    """Return how many digits any two's complement number of `size` bytes may have."""
    return math.floor((8 * size - 1) * math.log10(2)) if size else 0
