"""A small value cannot make much work, nor a small schema."""

from typing import Any

import pytest

from jsonschema_bridge.avro import compile_avro
from jsonschema_bridge.avro.findings import BYTES_OF_A_STEP, KEPT_OF_A_STEP, MOST_STEPS
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.registry.model import Schema
from tests.compiling import avro, no_reference


def _list_of(item: object) -> dict[str, object]:
    return {"type": "array", "items": item}


def _record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def _keywords(encoded: Any) -> list[str]:
    return [violation.keyword for violation in encoded] if isinstance(encoded, list) else []


def test_many_records_with_many_absent_fields_are_refused() -> None:
    fields = [{"name": f"f{number}", "type": "int", "default": 0} for number in range(1000)]
    codec = avro(_list_of(_record("R", *fields)))

    assert isinstance(codec.encode_plain([{}] * (MOST_STEPS // 1000)), bytes)
    assert _keywords(codec.encode_plain([{}] * (MOST_STEPS // 1000 + 1))) == ["cost"]


def test_so_are_many_long_defaults() -> None:
    long = "x" * 100_000
    codec = avro(_list_of(_record("R", {"name": "f", "type": "string", "default": long})))

    assert _keywords(codec.encode_plain([{}] * (MOST_STEPS * BYTES_OF_A_STEP // len(long) + 1))) == ["cost"]


def test_so_are_many_values_that_could_be_of_many_branches() -> None:
    branches = [_record(f"R{number}", {"name": f"f{number}", "type": "int"}) for number in range(1000)]
    codec = avro(_list_of(branches))

    assert isinstance(codec.encode_plain([{"f999": number} for number in range(400)]), bytes)
    assert _keywords(codec.encode_plain([{"f999": number} for number in range(1100)])) == ["cost"]


def test_so_is_a_long_text_below_many_unions() -> None:
    """Each level keeps what its branches gave, and that holds all levels below."""
    other = _record("B", {"name": "b", "type": "int"}, {"name": "n", "type": ["null", "A", "B"], "default": None})
    text = {"name": "s", "type": "string", "default": ""}
    codec = avro(_record("A", {"name": "n", "type": ["null", "A", other], "default": None}, text))

    def below(levels: int) -> Any:
        value: Any = {"s": "x" * (MOST_STEPS * KEPT_OF_A_STEP // 50)}
        for _ in range(levels):
            value = {"n": value}
        return value

    assert isinstance(codec.encode_plain(below(40)), bytes)
    assert _keywords(codec.encode_plain(below(60))) == ["cost"]


def test_defaults_that_double_at_every_step_are_no_schema() -> None:
    inner: Any = "string"
    default: Any = "x"
    for number in range(40):
        fields = [{"name": name, "type": "", "default": default} for name in "ab"]
        fields[0]["type"] = inner
        fields[1]["type"] = inner if isinstance(inner, str) else inner["name"]
        inner, default = _record(f"R{number}", *fields), {}

    with pytest.raises(SchemaInvalid, match="defaults take more than"):
        avro(inner)


def test_a_union_may_have_many_branches() -> None:
    branches = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(5000)]

    assert avro(branches).encode_json({"F4999": "x"}) == b"\x8e\x4ex"


def test_a_schema_of_too_many_characters_is_none() -> None:
    with pytest.raises(SchemaInvalid, match="the schema has 1000002 characters, more than 1000000"):
        compile_avro(Schema('"' + "x" * 1_000_000 + '"', "AVRO"), no_reference)
