"""A shape compiled to the function that checks and encodes JSON values, made of the Avro codec's own pieces."""

import json
from typing import Any

from jsonschema_bridge.avro import containers, primitives, unions
from jsonschema_bridge.avro.binary import integer, sized
from jsonschema_bridge.avro.codec import Encode, encoder
from jsonschema_bridge.avro.findings import Findings, Path, Trial
from jsonschema_bridge.avro.primitives import Convert, wrong_type
from jsonschema_bridge.derivation.avro_text import with_null
from jsonschema_bridge.derivation.base64_text import from_text
from jsonschema_bridge.derivation.scalars import is_exact
from jsonschema_bridge.derivation.shapes import Array, Branch, Enum, Field, Map, Record, Scalar, Shape, label

_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_IN_AVRO = {"unknown": "/fields", "required": "/fields", "enum": "/symbols"}
"""What the codec adds to the pointer into the schema, which here leads into the JSON Schema."""


class _Carry(Findings):
    """What is found in a value that the JSON Schema admits: Avro cannot carry it."""

    __slots__ = ()

    def add(self, path: Path, keyword: str, schema_pointer: str, expected: object, actual: object, text: str) -> None:
        at = schema_pointer.removesuffix(_IN_AVRO.get(keyword, ""))
        super().add(path, "carry", at, expected, actual, f"Avro cannot carry the value: {text}")


def compile_encoder(shape: Shape) -> Encode:
    """Compile how values are encoded: their Avro binary, or every violation with the keyword `carry`.

    Bytes with nothing around them are written raw, as Confluent's serializers do.
    """
    if len(shape) == 1 and isinstance(shape[0], Scalar) and shape[0].kind == "bytes":
        return encoder(_raw_base64(shape[0].at), _Carry)
    return encoder(_Compiler().shape(shape), _Carry)


class _Compiler:
    """Compiles each record once: to what takes the declared members only, and to what takes all."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[Convert, Convert]] = {}

    def shape(self, shape: Shape, first: int = 0) -> Convert:
        """Compile a shape. `first` is the index of its first branch in the union, where others stand before it."""
        if len(shape) == 1 and not first:
            return self._branch(shape[0])
        branches: list[unions.Branch] = []
        last: list[unions.Branch] = []
        for index, branch in enumerate(shape, first):
            found = unions.Branch(label(branch), _kind(branch), integer(index), self._branch(branch))
            if isinstance(branch, Record) and branch.extra is not None and len(shape) > 1:
                # What one record would take as extra members, another may declare.
                branches.append(found._replace(convert=self._records[branch.name][0]))
                last.append(found)
            else:
                branches.append(found)
        branches += last
        if len(branches) == 1:
            return unions.sole(branches[0])
        return unions.plain(branches, shape[0].at, unions.first_fit)

    def _branch(self, branch: Branch) -> Convert:
        match branch:
            case Array():
                return containers.array(self.shape(branch.items), branch.at)
            case Map():
                return containers.mapping(self.shape(branch.values), branch.at)
            case Enum():
                return primitives.enum(branch.name, list(branch.symbols), branch.at)
            case Record():
                if branch.name not in self._records:
                    self._record(branch)
                return self._records[branch.name][1]
        return _scalar(branch)

    def _record(self, record: Record) -> None:
        fields: list[containers.Field] = []
        extra: list[Convert] = []
        declared = containers.record(record.name, fields, record.at)
        self._records[record.name] = (declared, declared)
        if record.extra is not None:
            self._records[record.name] = _open(declared, {field.member for field in record.fields}, extra)
            extra.append(containers.mapping(self.shape(record.extra), record.at))
        fields += map(self._field, record.fields)

    def _field(self, field: Field) -> containers.Field:
        added = len(with_null(field)) - len(field.shape)
        convert = self.shape(field.shape, added)
        if not field.optional:
            return containers.Field(field.member, convert, (), None)
        absent = integer(0) if added else convert(field.default, (), Trial())
        return containers.Field(field.member, convert, (), lambda: absent)


def _open(declared: Convert, names: set[str], extra: list[Convert]) -> tuple[Convert, Convert]:
    """Return how a record is encoded whose last field holds the members that are not among its `names`.

    `extra` holds the one function for these, from the first call on: it may lead back to the record.
    """

    def only_declared(value: Any, path: Path, found: Findings) -> bytes:
        return declared(value, path, found) + b"\0"

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not dict:
            return declared(value, path, found)
        own = {name: item for name, item in value.items() if name in names}
        if len(own) == len(value):
            return declared(value, path, found) + b"\0"
        rest = {name: item for name, item in value.items() if name not in names}
        return declared(own, path, found) + extra[0](rest, path, found)

    return only_declared, convert


def _kind(branch: Branch) -> str:
    return "record" if isinstance(branch, Record) else "enum" if isinstance(branch, Enum) else label(branch)


def _scalar(scalar: Scalar) -> Convert:
    at = scalar.at
    match scalar.kind:
        case "json":
            return _json_text(at)
        case "bytes":
            raw = _raw_base64(at)
            return lambda value, path, found: sized(raw(value, path, found))
        case "double":
            convert = _exact(at)
        case _:
            convert = primitives.primitive(scalar.kind, at)
    return convert if scalar.choices is None else _chosen(scalar.choices, convert, at)


def _json_text(at: str) -> Convert:
    convert_text = primitives.primitive("string", at)
    return lambda value, path, found: convert_text(_write_json(value), path, found)


def _raw_base64(at: str) -> Convert:
    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not str:
            return wrong_type("base64", at, value, path, found)
        data = from_text(value)
        if data is None:
            found.add(path, "base64", at, "base64 with padding", value, "the text is not base64 with padding")
        return data or b""

    return convert


def _exact(at: str) -> Convert:
    convert_number = primitives.primitive("double", at)

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is int and not is_exact(value):
            found.add(path, "exact", at, "an integer that a double holds", value, "no double is equal to the integer")
            return b""
        return convert_number(value, path, found)

    return convert


def _chosen(choices: frozenset[Any], convert_any: Convert, at: str) -> Convert:
    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) in _WITHOUT_PARTS and value not in choices:
            found.add(path, "choice", at, "a value that the schema lists", value, "the schema does not list the value")
        return convert_any(value, path, found)

    return convert


_WITHOUT_PARTS = (str, int, float, bool)
