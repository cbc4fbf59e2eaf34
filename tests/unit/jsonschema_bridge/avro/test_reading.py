"""What payloads of strangers are read to, and how they are refused."""

import pytest

from jsonschema_bridge.avro import AvroUndecodable
from tests.compiling import avro


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        ("int", b"", "1 bytes are announced, 0 are left"),
        ("int", b"\x02\x02", "1 bytes follow"),
        ("int", b"\x80" * 5 + b"\x00", "does not end"),
        ("int", b"\xff" * 4 + b"\x7f", "beyond the range of int"),
        ("long", b"\xff" * 10 + b"\x01", "does not end"),
        ("long", b"\xff" * 9 + b"\x7f", "beyond the range of long"),
        ("string", b"\x04a", "2 bytes are announced, 1 are left"),
        ("string", b"\x01", "-1 bytes are announced"),
        ("string", b"\x02\xff", "not UTF-8"),
        ("boolean", b"\x02", "2 is no boolean"),
        (["null", "int"], b"\x04", "no branch 2"),
        (["null", "int"], b"\x01", "no branch -1"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x02", "no symbol 1"),
        ({"type": "fixed", "name": "F", "size": 2}, b"a", "2 bytes are announced"),
        ({"type": "array", "items": "int"}, b"\x02\x02", "1 bytes are announced"),
        ({"type": "array", "items": "null"}, b"\xfe" + b"\xff" * 8 + b"\x01", "more than the payload can hold"),
        ({"type": "record", "name": "T", "fields": [{"name": "c", "type": ["null", "T"]}]}, b"\2" * 10**6, "deeply"),
    ],
)
def test_bytes_that_are_not_one_value_are_refused_with_the_reason(schema: object, payload: bytes, reason: str) -> None:
    with pytest.raises(AvroUndecodable, match=reason):
        avro(schema).decode(payload)


def test_an_error_says_at_which_byte() -> None:
    with pytest.raises(AvroUndecodable) as caught:
        avro({"type": "array", "items": "boolean"}).decode(b"\x04\x01\x07\x00")

    assert caught.value.position == 2
    assert str(caught.value) == "byte 2: 7 is no boolean"


def test_blocks_may_be_many_and_may_announce_their_bytes() -> None:
    assert avro({"type": "array", "items": "int"}).decode(b"\x02\x02\x03\x04\x04\x06\x00") == [1, 2, 3]
    assert avro({"type": "map", "values": "int"}).decode(b"\x01\x06\x02a\x02\x00") == {"a": 1}


def test_items_of_no_width_are_read_up_to_a_bound() -> None:
    codec = avro({"type": "array", "items": "null"})
    encoded = codec.encode_plain([None] * 1000)

    assert isinstance(encoded, bytes)
    assert codec.decode(encoded) == [None] * 1000
