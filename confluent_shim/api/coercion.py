"""How Confluent's JSON library reads fields that have another type than they should. Source: contract, section 1.3."""

import json
import re
from collections.abc import Collection, Mapping
from typing import cast

from confluent_shim.errors import NAME_CHARACTERS, BodyUnreadable, EnvelopeRefused

_INT32 = 2**31
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")


def integer(field: str, value: object) -> int | None:
    """Read an int32 as Jackson does: "0" is 0, 1.9 is 1, "" is null. Raises BodyUnreadable, which names `field`."""
    if value is None or value == "":
        return None
    readable = _INTEGER.fullmatch(value) if isinstance(value, str) else isinstance(value, int | float)
    if isinstance(value, bool) or not readable:
        raise BodyUnreadable(f"{field}: must be an integer, not {kind(value)}")
    number = float(cast("int | float | str", value)) if isinstance(value, str | float) else cast("int", value)
    # Neither an infinity nor what is not a number at all lies between two numbers.
    if not -_INT32 - 1 < number < _INT32:
        raise BodyUnreadable(f"{field}: {str(value)[:30]} is out of the range of an int32")
    return int(number)


def string(field: str, value: object, what: str = "a string") -> str | None:
    """Read a text as Jackson does: a number or a boolean is its own text. Raises BodyUnreadable."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise BodyUnreadable(f"{field}: must be {what}, not {kind(value)}")
    return json.dumps(value)


def refuse_unknown(fields: Mapping[str, object], known: Collection[str], where: str = "") -> None:
    """Refuse an object with a field that is not `known`; `where` stands before its name. Raises EnvelopeRefused."""
    for name in fields:
        if name not in known:
            raise EnvelopeRefused(f"Unrecognized field: {where}{name[:NAME_CHARACTERS]}")


def kind(value: object) -> str:
    """Say what a value is in JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"
