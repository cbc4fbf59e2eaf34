"""What a derivation is asked for, and what it says besides the Avro schema."""

from dataclasses import dataclass
from typing import Literal

from jsonschema_bridge.errors import Refusal

Extra = Literal["refuse", "map"]
Untyped = Literal["refuse", "json"]
Rule = Literal["extra", "int64", "exact", "type", "base64"]
"""extra: no members beside the declared ones; int64: integers of 64 bits; exact: integers that a double holds exactly;
type: values of the type that the schema only implies; base64: texts that are base64 in the one form of RFC 4648."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to derive where a JSON Schema says less than Avro needs.

    `extra`: members of an open object beside the declared ones are refused, or kept in a map of JSON texts. `untyped`:
    a schema that gives no type has no Avro form, or is a JSON text. `name` is the Avro name of the root and the
    beginning of all others, by default the title; `namespace` goes before every name.
    """

    extra: Extra = "refuse"
    untyped: Untyped = "refuse"
    name: str | None = None
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class CarryRule:
    """What a value must satisfy besides the JSON Schema, because Avro could not carry it otherwise.

    `pointer` leads into the JSON Schema; for a schema that is referred to, its name and `#` stand before.
    """

    pointer: str
    rule: Rule
    message: str


class Report:
    """Collects the carry rules and refusals of one derivation, each once, in the order in which they are met."""

    def __init__(self) -> None:
        self._rules: dict[CarryRule, None] = {}
        self._refusals: dict[Refusal, None] = {}

    def carry(self, pointer: str, rule: Rule, message: str) -> None:
        """Note a carry rule."""
        self._rules[CarryRule(pointer, rule, message)] = None

    def refuse(self, pointer: str, reason: str) -> None:
        """Note that there is no Avro form; the derivation goes on, to find the other reasons."""
        self._refusals[Refusal(pointer, reason)] = None

    @property
    def rules(self) -> tuple[CarryRule, ...]:
        """The carry rules."""
        return tuple(self._rules)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The refusals; where there is one, there is no derivation."""
        return tuple(self._refusals)
