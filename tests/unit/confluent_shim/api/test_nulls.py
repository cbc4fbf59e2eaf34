"""What a null value is, in every content type and encoding: as the binding says."""

import json
from base64 import b64encode

import pytest

from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, Shim, memory_shim

SCHEMAS: dict[tuple[str, bool], object] = {
    ("JSON", True): {"type": ["object", "null"]},
    ("JSON", False): {"type": "object"},
    ("AVRO", True): ["null", "string"],
    ("AVRO", False): "string",
}
BYTES_OF_NULL = {"json-schema": b"\0\0\0\0\1null", "json": b"null", "avro": b"\0\0\0\0\1\0"}
FORMS = [
    ("json-schema", JSON),
    ("json-schema", JSON_SCHEMA),
    ("json-schema", BINARY),
    ("json", JSON),
    ("json", JSON_SCHEMA),
    ("json", BINARY),
    ("avro", JSON),
    ("avro", AVRO),
    ("avro", BINARY),
]


def bind(shim: Shim, encoding: str, nulls: str, *, nullable: bool) -> None:
    kind = "AVRO" if encoding == "avro" else "JSON"
    shim.bind("t", json.dumps(SCHEMAS[kind, nullable]), encoding=encoding, nulls=nulls)


def send(shim: Shim, content_type: str, value: object, *, keyed: bool) -> list[bytes | None] | None:
    """Send one record and return what landed; None when it was refused."""
    key = ("a2V5" if content_type == BINARY else "key") if keyed else None
    answer = shim.produce("t", {"records": [{"key": key, "value": value}]}, content_type)
    assert answer.status_code in (200, 400, 422)
    landed = shim.landed("t")
    assert (answer.status_code == 200) == bool(landed)
    return landed or None


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("nulls", ["tombstone", "refuse", "validate"])
@pytest.mark.parametrize(("encoding", "content_type"), FORMS)
def test_a_null_is_a_tombstone_a_value_or_refused(
    encoding: str, content_type: str, nulls: str, keyed: bool, nullable: bool
) -> None:
    with memory_shim() as shim:
        bind(shim, encoding, nulls, nullable=nullable)
        expected: list[bytes | None] | None = None
        if nulls == "tombstone" and keyed:
            expected = [None]
        if nulls == "validate" and nullable and content_type != BINARY:
            expected = [BYTES_OF_NULL[encoding]]
        if keyed and content_type in (JSON_SCHEMA, AVRO):
            expected = None  # keys in these need a key schema
        assert send(shim, content_type, None, keyed=keyed) == expected


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("nulls", ["tombstone", "refuse", "validate"])
@pytest.mark.parametrize("encoding", ["json-schema", "json", "avro"])
def test_bytes_that_hold_a_null_are_a_value_where_nulls_are(
    encoding: str, nulls: str, keyed: bool, nullable: bool
) -> None:
    with memory_shim() as shim:
        bind(shim, encoding, nulls, nullable=nullable)
        data = b64encode(BYTES_OF_NULL[encoding]).decode()
        expected = [BYTES_OF_NULL[encoding]] if nulls == "validate" and nullable else None
        if encoding == "avro" and not nullable:
            expected = [BYTES_OF_NULL[encoding]]  # there the byte 0 is a text without letters
        assert send(shim, BINARY, data, keyed=keyed) == expected
