"""Values with parts: records, arrays, maps."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jsonschema_bridge.avro import binary
from jsonschema_bridge.avro.findings import BYTES_OF_A_STEP, Findings, Path
from jsonschema_bridge.avro.primitives import Convert, primitive, wrong_type


class Field(NamedTuple):
    """A field of a record. `default` gives the encoding of an absent one; None where the field is required."""

    name: str
    convert: Convert
    aliases: tuple[str, ...]
    default: Callable[[], bytes] | None


def array(convert_item: Convert, at: str) -> Convert:
    """Return how arrays are encoded: one block, if there are items, and the end."""

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not list:
            return wrong_type("array", at, value, path, found)
        if not value:
            return b"\0"
        items = [convert_item(item, (path, index), found) for index, item in enumerate(value)]
        return b"%b%b\0" % (binary.integer(len(items)), b"".join(items))

    return convert


def mapping(convert_item: Convert, at: str) -> Convert:
    """Return how maps are encoded: one block in the order of the value, if there are entries, and the end."""
    convert_key = primitive("string", at)

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not dict:
            return wrong_type("map", at, value, path, found)
        if not value:
            return b"\0"
        pieces = [binary.integer(len(value))]
        for key, item in value.items():
            here = (path, key)
            pieces += convert_key(key, here, found), convert_item(item, here, found)
        pieces.append(b"\0")
        return b"".join(pieces)

    return convert


def record(name: str, fields: list[Field], at: str) -> Convert:
    """Return how records are encoded: the fields one after the other.

    `fields` may still grow until the first call: a record can contain itself.
    """
    absent, report_unknown = _absent(at), _unknown(name, fields, at)

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not dict:
            return wrong_type(name, at, value, path, found)
        pieces = []
        taken = filled_in = 0
        for field in fields:
            key, convert_item, aliases, default = field
            if key in value:
                pieces.append(convert_item(value[key], (path, key), found))
                taken += 1
            elif aliases or default is None:
                piece, used = absent(value, field, path, found)
                pieces.append(piece)
                taken += used
            else:
                piece = default()
                pieces.append(piece)
                filled_in += 1 + len(piece) // BYTES_OF_A_STEP
        found.work.spend(filled_in)
        if taken != len(value):
            report_unknown(value, path, found)
        return b"".join(pieces)

    return convert


def _absent(at: str) -> Callable[[dict[str, Any], Field, Path, Findings], tuple[bytes, int]]:
    def absent(value: dict[str, Any], field: Field, path: Path, found: Findings) -> tuple[bytes, int]:
        """Encode the value under an alias, else the default; and count what was used of `value`."""
        found.work.spend(1 + len(field.aliases))
        for alias in field.aliases:
            if alias in value:
                return field.convert(value[alias], (path, alias), found), 1
        if field.default is not None:
            filled_in = field.default()
            found.work.spend(len(filled_in) // BYTES_OF_A_STEP)
            return filled_in, 0
        found.add(path, "required", f"{at}/fields", field.name, value, f"the field {field.name!r} is missing")
        return b"", 0

    return absent


def _unknown(name: str, fields: list[Field], at: str) -> Callable[[dict[str, Any], Path, Findings], None]:
    def unknown(value: dict[str, Any], path: Path, found: Findings) -> None:
        """Note every member that no field takes."""
        taken = set()
        for field in fields:
            names = (field.name, *field.aliases)
            taken.update([key for key in names if key in value][:1])
        for key, item in value.items():
            if key not in taken:
                text = f"{name} has no field {key[:100]!r}" if not _known(key, fields) else f"{key!r} is given twice"
                found.add((path, key), "unknown", f"{at}/fields", "no other fields", item, text)

    return unknown


def _known(key: str, fields: list[Field]) -> bool:
    return any(key in field.aliases for field in fields)
