"""Which Avro schemas compile, and what the others are told."""

import json

import pytest

from jsonschema_bridge.avro import compile_avro
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.registry.model import Schema, SchemaReference
from tests.compiling import no_reference

ADDRESS = Schema(
    '{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"city","type":"string"}]}', "AVRO"
)
ADDRESS_REFERENCE = SchemaReference("shop.Address", "address", 1)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("foobar", "not JSON"),
        ('"Unknown"', "'Unknown' is not known"),
        ("1", "a name, an object or a list"),
        ("{}", "no 'type'"),
        ('{"type":"record","name":"R"}', "no 'fields'"),
        ('{"type":"fixed","name":"F","size":-1}', "size of 'F'"),
        ('{"type":"fixed","size":1}', "no 'name'"),
        ('["int","int"]', "two branches 'int'"),
        ('["int",["null"]]', "a union stands directly"),
        ('{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}', "one name"),
        ('[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":2}]', "redefined named type: F"),
        ('{"type":"enum","name":"E","symbols":["not a name"]}', "symbol"),
        ('{"type":["null","int"]}', "not an Avro schema"),
    ],
)
def test_a_schema_that_is_none_is_refused_with_the_reason(document: str, reason: str) -> None:
    with pytest.raises(SchemaInvalid, match=reason):
        compile_avro(Schema(document, "AVRO"), no_reference)


def test_only_avro_schemas_are_compiled() -> None:
    with pytest.raises(SchemaInvalid, match="JSON is not an Avro schema"):
        compile_avro(Schema("{}", "JSON"), no_reference)


def test_a_named_type_may_come_from_another_registered_schema() -> None:
    text = '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"to","type":["null","Address"]}]}'
    codec = compile_avro(Schema(text, "AVRO", (ADDRESS_REFERENCE,)), {ADDRESS_REFERENCE: ADDRESS}.__getitem__)

    assert codec.encode_plain({"to": {"city": "Ulm"}}) == b"\x02\x06Ulm"
    assert codec.encode_json({"to": {"shop.Address": {"city": "Ulm"}}}) == b"\x02\x06Ulm"
    assert codec.decode(b"\x02\x06Ulm") == {"to": {"city": "Ulm"}}


def test_a_schema_may_be_nothing_but_a_reference() -> None:
    schema = Schema('"shop.Address"', "AVRO", (ADDRESS_REFERENCE,))

    assert compile_avro(schema, lambda _: ADDRESS).encode_plain({"city": "Ulm"}) == b"\x06Ulm"


def test_a_referenced_schema_is_an_avro_schema_and_defines_no_name_again() -> None:
    with pytest.raises(SchemaInvalid, match="is not an Avro schema"):
        compile_avro(Schema('"shop.Address"', "AVRO", (ADDRESS_REFERENCE,)), lambda _: Schema("{}", "JSON"))
    with pytest.raises(SchemaInvalid, match="redefined"):
        compile_avro(Schema(ADDRESS.text, "AVRO", (ADDRESS_REFERENCE,)), lambda _: ADDRESS)


def test_names_inherit_the_namespace_around_them() -> None:
    inner = {"type": "enum", "name": "E", "symbols": ["A"]}
    outer = {"type": "record", "name": "ns.R", "fields": [{"name": "e", "type": ["null", inner]}]}
    codec = compile_avro(Schema(json.dumps(outer), "AVRO"), no_reference)

    assert codec.encode_json({"e": {"ns.E": "A"}}) == b"\x02\x00"


def test_attributes_that_avro_does_not_know_are_no_part_of_a_schema() -> None:
    text = '{"type":"record","name":"R","size":9,"symbols":[],"items":"X","fields":[{"name":"a","type":{"type":"R2"}}]}'
    other = Schema('{"type":"fixed","name":"R2","size":1}', "AVRO")
    codec = compile_avro(Schema(text, "AVRO", (ADDRESS_REFERENCE,)), lambda _: other)

    assert codec.decode(b"x") == {"a": "x"}
