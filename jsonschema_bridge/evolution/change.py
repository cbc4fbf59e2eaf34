"""One thing that changed, and how it is written down."""

import json
from dataclasses import dataclass
from typing import Any

_LONGEST_TEXT = 60
_LONGEST_MESSAGE = 300

Place = tuple[str, str]
"""A pointer into the schema, and one into the values there."""


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One thing that is not as it was.

    `pointer` leads into the new schema, into the old one for what is gone; for a schema that is referred to, its name
    and `#` stand before. `message` says it in terms of values: "/price became required". `additive` tells whether this
    only adds to what was there.
    """

    pointer: str
    message: str
    additive: bool


class Changes:
    """The changes that are found, in order."""

    def __init__(self) -> None:
        self.found: list[SchemaChange] = []

    def note(self, at: Place, message: str, *, additive: bool) -> None:
        """Write down a change; a message that is too long is cut."""
        cut = message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 3]}..."
        self.found.append(SchemaChange(at[0], cut, additive))


def named(at: Place) -> str:
    """Say which values are meant."""
    return at[1] or "the root"


def text_of(value: Any) -> str:
    """Write a JSON value so that two that are equal have one text: 1, 1.0 and true apart."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def short(value: Any) -> str:
    """Write a JSON value for people; a long one is cut."""
    text = text_of(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."


def beyond(values: list[Any], others: list[Any]) -> list[Any]:
    """Return those `values` that are not among the `others`."""
    known = {text_of(other) for other in others}
    return [value for value in values if text_of(value) not in known]
