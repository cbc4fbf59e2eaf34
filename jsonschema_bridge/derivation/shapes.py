"""The form of an Avro schema before it is text: what encoders, decoders and the text itself are made from."""

from dataclasses import dataclass, field
from typing import Any, Literal

ScalarKind = Literal["null", "boolean", "long", "double", "string", "bytes", "json"]
"""bytes are base64 in JSON; json is a string that holds a JSON text."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts. `choices`, where given, are all values of this kind that the JSON Schema admits."""

    kind: ScalarKind
    at: str
    choices: frozenset[Any] | None = None


@dataclass(frozen=True, slots=True)
class Enum:
    """A string out of few, each an Avro name."""

    name: str
    symbols: tuple[str, ...]
    at: str


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one shape."""

    items: "Shape"
    at: str


@dataclass(frozen=True, slots=True)
class Map:
    """Members of one shape, whatever their names."""

    values: "Shape"
    at: str


@dataclass(slots=True, eq=False)
class Field:
    """A member of a record. `name` is Avro's, `member` JSON's.

    `optional` tells that it may be absent, and is then as if it were `default`, a JSON value.
    """

    name: str
    member: str
    shape: "Shape"
    optional: bool
    default: Any = None
    doc: str = ""


@dataclass(slots=True, eq=False)
class Record:
    """An object with declared members. `extra` is the shape of all others, None where there are none.

    The fields come after the record is made: it may contain itself.
    """

    name: str
    at: str
    doc: str = ""
    fields: list[Field] = field(default_factory=list)
    extra: "Shape | None" = None


Branch = Scalar | Enum | Array | Map | Record
Shape = tuple[Branch, ...]
"""What a value may be. More than one branch are an Avro union: null comes first, unless a default is of another one."""

EXTRA = "additionalProperties"
"""The Avro name of the field that holds what stands in an open object beside the declared members."""


def nullable(shape: Shape) -> bool:
    """Tell whether null is one of the values."""
    return any(isinstance(branch, Scalar) and branch.kind == "null" for branch in shape)


def label(branch: Branch) -> str:
    """Return what Avro calls a branch of a union."""
    match branch:
        case Record() | Enum():
            return branch.name
        case Array():
            return "array"
        case Map():
            return "map"
    return "string" if branch.kind == "json" else branch.kind
