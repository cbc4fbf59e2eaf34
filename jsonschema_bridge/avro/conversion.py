"""A parsed schema compiled to the functions that check and encode JSON values."""

from collections.abc import Callable
from typing import Any, Literal

from jsonschema_bridge.avro import containers, primitives, unions
from jsonschema_bridge.avro.binary import integer
from jsonschema_bridge.avro.containers import Field
from jsonschema_bridge.avro.findings import MOST_STEPS, Enough, TooCostly, Trial, Work
from jsonschema_bridge.avro.logical import logical_of
from jsonschema_bridge.avro.primitives import Convert
from jsonschema_bridge.avro.schema import DEFAULT, PRIMITIVES, AvroSchema
from jsonschema_bridge.errors import SchemaInvalid

Form = Literal["json", "plain", "default"]
"""Avro's JSON encoding; plain JSON; and the form in which schemas write defaults, where unions are untagged too."""


Default = Callable[[], bytes]


def compile_converters(schema: AvroSchema) -> tuple[Convert, Convert]:
    """Compile how values are encoded: (from Avro's JSON encoding, from plain JSON). Raises SchemaInvalid."""
    defaults: dict[tuple[str, str], Default] = {}
    _Compiler(schema, "default", defaults).compiled()
    try:
        usable = {field: default for field, default in defaults.items() if _usable(default)}
    except TooCostly:
        raise SchemaInvalid(f"the defaults take more than {MOST_STEPS} steps to write") from None
    return _Compiler(schema, "json", {}).compiled(), _Compiler(schema, "plain", usable).compiled()


class _Compiler:
    """Compiles one schema for one form, each named type once. `defaults` are by (record, field)."""

    def __init__(self, schema: AvroSchema, form: Form, defaults: dict[tuple[str, str], Default]) -> None:
        self._schema = schema
        self._form: Form = form
        self._defaults = defaults
        self._work = Work()  # on all defaults together: they contain each other
        self._named: dict[str, Convert] = {}
        self._kinds: dict[str, Callable[[Any, str], Convert]] = {
            "array": self._array,
            "map": self._map,
            "enum": self._enum,
            "fixed": self._fixed,
            "record": self._record,
            "error": self._record,
        }

    def compiled(self) -> Convert:
        """Compile the whole schema, what it refers to first."""
        for other in self._schema.others:
            self._compile(other, "")
        return self._compile(self._schema.root, "")

    def _compile(self, schema: Any, at: str) -> Convert:
        if isinstance(schema, list):
            return self._union(schema, at)
        if isinstance(schema, str):
            return primitives.primitive(schema, at) if schema in PRIMITIVES else self._named[schema]
        compile_kind = self._kinds.get(schema["type"])
        if compile_kind:
            return compile_kind(schema, at)
        return primitives.logical(primitives.primitive(schema["type"], at), logical_of(schema), at)

    def _array(self, schema: Any, at: str) -> Convert:
        return containers.array(self._compile(schema["items"], f"{at}/items"), at)

    def _map(self, schema: Any, at: str) -> Convert:
        return containers.mapping(self._compile(schema["values"], f"{at}/values"), at)

    def _enum(self, schema: Any, at: str) -> Convert:
        return self._name(schema, primitives.enum(schema["name"], schema["symbols"], at))

    def _fixed(self, schema: Any, at: str) -> Convert:
        convert = primitives.fixed(schema["name"], schema["size"], at)
        return self._name(schema, primitives.logical(convert, logical_of(schema), at))

    def _name(self, schema: Any, convert: Convert) -> Convert:
        self._named[schema["name"]] = convert
        return convert

    def _record(self, schema: Any, at: str) -> Convert:
        fields: list[Field] = []
        convert = self._name(schema, containers.record(schema["name"], fields, at))
        for index, field in enumerate(schema["fields"]):
            where = f"{at}/fields/{index}"
            convert_field = self._compile(field["type"], f"{where}/type")
            key = schema["name"], field["name"]
            if DEFAULT in field and self._form == "default":
                self._defaults[key] = _default(field[DEFAULT], convert_field, self._work)
            default = self._defaults.get(key)
            fields.append(Field(field["name"], convert_field, tuple(field["aliases"]), default))
        return convert

    def _union(self, schema: list[Any], at: str) -> Convert:
        branches: list[unions.Branch] = []
        labels: set[str] = set()
        for index, branch in enumerate(schema):
            where = f"{at}/{index}"
            if isinstance(branch, list):
                raise SchemaInvalid("a union stands directly in a union", where)
            label, kind = self._label(branch)
            if label in labels:
                raise SchemaInvalid(f"the union has two branches {label!r}", where)
            labels.add(label)
            branches.append(unions.Branch(label, kind, integer(index), self._compile(branch, where)))
        forms = {"json": unions.tagged, "plain": unions.plain, "default": unions.first_fit}
        return forms[self._form](branches, at)

    def _label(self, branch: Any) -> tuple[str, str]:
        if isinstance(branch, str):
            return branch, branch if branch in PRIMITIVES else self._kind(self._schema.named[branch])
        return branch.get("name", branch["type"]), self._kind(branch)

    @staticmethod
    def _kind(schema: Any) -> str:
        return "record" if schema["type"] == "error" else str(schema["type"])


def _default(written: Any, convert: Convert, work: Work) -> Default:
    """Return what gives the encoding of a default, made once. It raises Enough where the default does not fit."""
    kept: list[bytes] = []

    def default() -> bytes:
        if not kept:
            kept.append(convert(written, (), Trial(work)))
        return kept[0]

    return default


def _usable(default: Default) -> bool:
    # Registries take schemas whose defaults do not fit; such a default is none. So is one that contains itself.
    try:
        default()
    except (Enough, RecursionError):
        return False
    return True
