"""Bytes that a stranger may have framed, read back to JSON."""

import pytest

from jsonschema_bridge.errors import AvroUndecodable
from tests.derivations import back, derived

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        (OPEN, b"\x00\x02\x02a\x020\x00", "'a' stands among the extra ones"),
        (OPEN, b"\x00\x02\x02b\x02{\x00", "the string is not JSON"),
        ({"type": "number"}, b"\x00\x00\x00\x00\x00\x00\xf0\x7f", "no infinite number"),
        ({"type": "number"}, b"\x00\x00\x00\x00\x00\x00\xf8\x7f", "no NaN"),
        ({"enum": ["a", "b"]}, b"\x04", "no symbol 2"),
        ({"type": ["null", "string"]}, b"\x04", "no branch 2"),
        ({"type": "integer"}, b"\x02\x02", "1 bytes follow"),
    ],
)
def test_bytes_that_hold_no_json_value_are_refused(schema: object, payload: bytes, reason: str) -> None:
    with pytest.raises(AvroUndecodable, match=reason):
        derived(schema, extra="map").decode(payload)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "boolean"}}}, [{"a": True}]),
        ({"type": "object", "properties": {"b": {"type": "string", "contentEncoding": "base64"}}}, {"b": "AP8="}),
        ({"enum": ["a", "b"]}, "b"),
        ({"type": "number"}, 0.1),
    ],
)
def test_a_value_comes_back(schema: object, value: object) -> None:
    assert back(derived(schema), value) == value


def test_an_absent_member_comes_back_as_its_default() -> None:
    members = {"a": {"type": "string", "default": "x"}, "b": {"type": ["null", "string"]}, "c": {"type": "string"}}

    assert back(derived({"type": "object", "properties": members}), {}) == {"a": "x", "b": None}
