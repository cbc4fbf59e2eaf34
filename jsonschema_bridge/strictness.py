"""How strictly JSON Schemas are read: what a schema's owner may choose, and what Confluent chooses."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import jsonschema_rs

from jsonschema_bridge.json_text import parts_of
from jsonschema_bridge.violation import Violation, bounded

UnknownFields = Literal["schema", "refuse"]
WholeFloats = Literal["confluent", "accept", "refuse"]
LargeIntegers = Literal["accept", "refuse"]
Formats = Literal["confluent", "assert", "ignore"]

LARGEST_INTEGER = 2**53 - 1
"""Up to here every integer is a double too. Source: RFC 7493, section 2.2."""


class Strictness(NamedTuple):
    """What is chosen for one schema; without a choice the verdicts are those of Confluent 7.9.

    `unknown_fields`: `schema` takes those that the schema leaves open, `refuse` takes none that it does not declare.
    `whole_floats` is whether 1.0 is an integer: for `confluent` up to draft 7 it is none, since 2019-09 it is one.
    `large_integers`: whether integers beyond LARGEST_INTEGER, either side of zero, are taken. `formats`: `confluent`
    asserts those that Confluent does, `assert` all that the draft knows, `ignore` none.
    """

    unknown_fields: UnknownFields = "schema"
    whole_floats: WholeFloats = "confluent"
    large_integers: LargeIntegers = "accept"
    formats: Formats = "confluent"


CONFLUENT = Strictness()
STANDARD = Strictness(whole_floats="accept", formats="ignore")
"""The verdicts of the standard itself, in which a format says nothing of validity."""

_EXACT = jsonschema_rs.Draft4Validator(  # in draft 4 what is written with a fraction or an exponent is no integer
    {
        "anyOf": [{"not": {"type": "integer"}}, {"minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}],
        "additionalProperties": {"$ref": "#"},
        "items": {"$ref": "#"},
    }
)
_DECLARING = ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties")


def has_only_exact_integers(value: object) -> bool:
    """Tell whether every integer in `value` is within LARGEST_INTEGER."""
    return _EXACT.is_valid(value)


def large_integers(value: object) -> Iterator[Violation]:
    """Yield a violation for each integer in `value` beyond LARGEST_INTEGER."""
    for place, item in parts_of(value):
        if isinstance(item, int) and not isinstance(item, bool) and abs(item) > LARGEST_INTEGER:
            expected = f"at most {LARGEST_INTEGER}, either side of zero"
            yield _violation(place, "large_integers", expected, item, "the integer is beyond 2^53 - 1")


def declares_all(validator: Any, value: object) -> bool:
    """Tell whether the schema of a jsonschema-rs `validator` declares every member of the valid `value`."""
    return next(_undeclared(validator, value), None) is None


def unknown_fields(validator: Any, value: object) -> Iterator[Violation]:
    """Yield a violation for each object in the valid `value` that has members which the schema does not declare."""
    for place, item, names in _undeclared(validator, value):
        message = f"the schema does not declare: {', '.join(map(repr, names[:10]))}"
        yield _violation(place, "unknown_fields", "declared properties only", item, message)


def _undeclared(validator: Any, value: object) -> Iterator[tuple[str, object, list[str]]]:
    """Yield pointer, object and names, where a schema says nothing of some members of an object.

    That is what `unevaluatedProperties` means since 2019-09, for every draft: whatever branch or reference declares a
    member counts when it conforms. The validator notes for each place of a value which keyword looked at which member.
    """
    if not isinstance(value, dict | list):
        return
    declared: dict[str, set[str]] = {}
    for note in validator.evaluate(value).annotations():
        names = note["annotations"]
        if isinstance(names, list) and note["schemaLocation"].rpartition("/")[2] in _DECLARING:
            declared.setdefault(note["instanceLocation"], set()).update(names)
    for place, item in parts_of(value):
        if isinstance(item, dict) and item:
            surplus = item.keys() - declared.get(place, ())
            if surplus:
                yield place, item, sorted(surplus)


def _violation(place: str, keyword: str, expected: str, actual: object, message: str) -> Violation:
    return Violation(pointer=place, keyword=keyword, expected=expected, actual=bounded(actual), message=message)
