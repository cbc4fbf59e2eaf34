"""A shape compiled to the function that reads Avro binary back to the JSON value."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from jsonschema_bridge.avro import reading
from jsonschema_bridge.avro.reading import Cursor, Read
from jsonschema_bridge.derivation.avro_text import with_null
from jsonschema_bridge.derivation.base64_text import to_text
from jsonschema_bridge.derivation.shapes import Array, Branch, Enum, Field, Map, Record, Scalar, Shape
from jsonschema_bridge.errors import AvroUndecodable, JsonUnreadable
from jsonschema_bridge.json_text import read_json


def compile_decoder(shape: Shape) -> Callable[[bytes], object]:
    """Compile how payloads are read. What it returns raises AvroUndecodable unless a payload is exactly one value."""
    if len(shape) == 1 and isinstance(shape[0], Scalar) and shape[0].kind == "bytes":
        return to_text
    return reading.whole(_Compiler().shape(shape))


class _Compiler:
    """Compiles each record once."""

    def __init__(self) -> None:
        self._records: dict[str, Read] = {}

    def shape(self, shape: Shape) -> Read:
        """Compile how a value of a shape is read."""
        branches = [self._branch(branch) for branch in shape]
        return branches[0] if len(branches) == 1 else reading.union(branches)

    def _branch(self, branch: Branch) -> Read:
        match branch:
            case Array():
                return reading.array(self.shape(branch.items))
            case Map():
                return reading.mapping(self.shape(branch.values))
            case Enum():
                return reading.enum(list(branch.symbols))
            case Record():
                return self._records[branch.name] if branch.name in self._records else self._record(branch)
        return _SCALARS[branch.kind]

    def _record(self, record: Record) -> Read:
        fields: list[tuple[str, Read]] = []
        extra: list[Read] = []
        names = {field.member for field in record.fields}

        def read(cursor: Cursor) -> dict[str, Any]:
            value: dict[str, Any] = {}
            for member, read_field in fields:
                item = read_field(cursor)
                if item is not _ABSENT:
                    value[member] = item
            for read_extra in extra:
                start, others = cursor.position, read_extra(cursor)
                twice = others.keys() & names
                if twice:
                    raise AvroUndecodable(f"the member {min(twice)[:100]!r} stands among the extra ones", start)
                value |= others
            return value

        self._records[record.name] = read
        fields += map(self._field, record.fields)
        extra += [] if record.extra is None else [reading.mapping(self.shape(record.extra))]
        return read

    def _field(self, field: Field) -> tuple[str, Read]:
        if len(with_null(field)) == len(field.shape):
            return field.member, self.shape(field.shape)
        return field.member, reading.union([lambda _: _ABSENT, *map(self._branch, field.shape)])


_ABSENT = object()
"""What the null of a field gives whose member cannot be null."""


def _json_text(cursor: Cursor) -> object:
    start, text = cursor.position, reading.PRIMITIVE["string"](cursor)
    try:
        return read_json(text.encode())
    except JsonUnreadable as error:
        raise AvroUndecodable(f"the string is not JSON: {error}", start) from None


def _double(cursor: Cursor) -> float:
    start = cursor.position
    value: float = reading.PRIMITIVE["double"](cursor)
    if not isfinite(value):
        raise AvroUndecodable("JSON has no infinite number and no NaN", start)
    return value


def _bytes(cursor: Cursor) -> str:
    return to_text(cursor.take(cursor.integer("long")))


_SCALARS: dict[str, Read] = {
    **{kind: reading.PRIMITIVE[kind] for kind in ("null", "boolean", "long", "string")},
    "double": _double,
    "bytes": _bytes,
    "json": _json_text,
}
