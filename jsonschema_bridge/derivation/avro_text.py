"""A shape written as the text of an Avro schema."""

import json
from typing import Any

from jsonschema_bridge.derivation.base64_text import from_text
from jsonschema_bridge.derivation.shapes import EXTRA, Array, Branch, Enum, Field, Map, Scalar, Shape, nullable

_JSON_TEXT = "JSON text."


def avro_text(shape: Shape) -> str:
    """Return the text, the same for the same shape."""
    return json.dumps(_Writer().shape(shape), ensure_ascii=False, separators=(",", ":"))


class _Writer:
    """Writes each named type where it is met first, and by its name afterwards."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def shape(self, shape: Shape) -> Any:
        branches = [self._branch(branch) for branch in shape]
        return branches[0] if len(branches) == 1 else branches

    def _branch(self, branch: Branch) -> Any:
        match branch:
            case Array():
                return {"type": "array", "items": self.shape(branch.items)}
            case Map():
                return {"type": "map", "values": self.shape(branch.values)}
            case Scalar():
                return "string" if branch.kind == "json" else branch.kind
        if branch.name in self._written:
            return branch.name
        self._written.add(branch.name)
        if isinstance(branch, Enum):
            return {"type": "enum", "name": branch.name, "symbols": list(branch.symbols)}
        fields = [self._field(field) for field in branch.fields]
        if branch.extra is not None:
            values = {"type": "map", "values": self.shape(branch.extra)}
            note = f"What else is in the object. {_notes(branch.extra)}".strip()
            fields.append({"name": EXTRA, "type": values, "doc": note, "default": {}})
        doc = {"doc": branch.doc} if branch.doc else {}
        return {"type": "record", "name": branch.name, **doc, "fields": fields}

    def _field(self, field: Field) -> Any:
        shape = with_null(field)
        notes = [f"JSON name {json.dumps(field.member, ensure_ascii=False)}."] if field.name != field.member else []
        doc = " ".join(filter(None, [*notes, _notes(field.shape), field.doc]))
        written = {"name": field.name, "type": self.shape(shape)} | ({"doc": doc} if doc else {})
        return written | ({"default": _default(shape[0], field.default)} if field.optional else {})


def with_null(field: Field) -> Shape:
    """Return the shape of a field in Avro: one that may be absent and has no other default may be null."""
    if not field.optional or field.default is not None or nullable(field.shape):
        return field.shape
    return (Scalar("null", field.shape[0].at), *field.shape)


def _default(branch: Branch, value: Any) -> Any:
    match branch:
        case Scalar(kind="bytes"):
            return (from_text(value) or b"").decode("latin-1")
        case Scalar(kind="double"):
            return float(value)
        case Scalar(kind="long"):
            return int(value)
    return value


def _notes(shape: Shape) -> str:
    return _JSON_TEXT if any(map(_holds_text, shape)) else ""


def _holds_text(branch: Branch) -> bool:
    match branch:
        case Array():
            return any(map(_holds_text, branch.items))
        case Map():
            return any(map(_holds_text, branch.values))
    return isinstance(branch, Scalar) and branch.kind == "json"
