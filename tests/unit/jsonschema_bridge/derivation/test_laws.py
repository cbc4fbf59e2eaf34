"""Laws of derived Avro, for schemas and values that nobody chose."""

import io
import json
from typing import Any

import avro.schema
import fastavro
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from jsonschema import SchemaError

from jsonschema_bridge.derivation import Derived, Options, derive
from jsonschema_bridge.errors import AvroUndecodable, SchemaNotDerivable
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.validation import compile_json_schema
from tests.compiling import no_reference
from tests.json_schemas import SCALARS, from_schema, grown, json_schemas, object_schemas

OPTIONS = st.builds(Options, extra=st.sampled_from(["refuse", "map"]), untyped=st.sampled_from(["refuse", "json"]))
UNCHOSEN = settings(suppress_health_check=list(HealthCheck))
MORE = settings(UNCHOSEN, max_examples=300)


def _schema(document: object) -> Schema:
    return Schema(json.dumps(document), "JSON")


def _derived(document: object, options: Options) -> Derived:
    """Derive, or give up an example that is refused."""
    try:
        return derive(_schema(document), no_reference, options)
    except SchemaNotDerivable:
        reject()


def _valid(data: st.DataObject, document: Any) -> Any:
    """Draw a value that is valid by our own verdict too: formats, and 1.0 as an integer, are stricter here."""
    try:
        value = data.draw(from_schema(document))
    except SchemaError:  # of a schema that the generator itself has made of this one
        reject()
    assume(compile_json_schema(_schema(document), no_reference).is_valid(value))
    return value


def _comes_back(decoded: Any, value: Any) -> bool:
    """Tell whether a decoded value is the one that was encoded, but for members with their defaults."""
    if isinstance(value, dict):
        return (
            isinstance(decoded, dict)
            and value.keys() <= decoded.keys()
            and all(_comes_back(decoded[name], item) for name, item in value.items())
            and all(decoded[name] in SCALARS for name in decoded.keys() - value.keys())
        )
    if isinstance(value, list):
        return isinstance(decoded, list) and len(decoded) == len(value) and all(map(_comes_back, decoded, value))
    return isinstance(decoded, bool) == isinstance(value, bool) and bool(decoded == value)


@MORE
@given(json_schemas(), OPTIONS, st.data())
def test_an_admitted_value_comes_back_and_another_breaks_a_rule_that_was_told(
    document: object, options: Options, data: st.DataObject
) -> None:
    form = _derived(document, options)
    value = _valid(data, document)

    encoded = form.encode(value)
    if isinstance(encoded, bytes):
        assert _comes_back(form.decode(encoded), value), form.decode(encoded)
    else:
        assert form.carry_rules, encoded
        assert {violation.keyword for violation in encoded} == {"carry"}


@UNCHOSEN
@given(json_schemas(), OPTIONS, st.data())
def test_fastavro_reads_and_writes_the_same_bytes(document: object, options: Options, data: st.DataObject) -> None:
    form = _derived(document, options)
    encoded = form.encode(_valid(data, document))
    assume(isinstance(encoded, bytes) and form.schema.text != '"bytes"')  # at the top they are written raw
    assert isinstance(encoded, bytes)
    parsed = fastavro.parse_schema(json.loads(form.schema.text))

    datum = fastavro.schemaless_reader(io.BytesIO(encoded), parsed, None, return_record_name=True)
    fastavro.schemaless_writer(written := io.BytesIO(), parsed, datum)
    assert written.getvalue() == encoded


@UNCHOSEN
@given(json_schemas(), OPTIONS)
def test_the_text_is_always_the_same_and_both_parsers_take_it(document: object, options: Options) -> None:
    text = _derived(document, options).schema.text

    assert _derived(document, options).schema.text == text
    fastavro.parse_schema(json.loads(text))
    avro.schema.parse(text)


@UNCHOSEN
@given(object_schemas(), OPTIONS, st.data())
def test_with_optional_members_more_old_readers_read_new_records_and_new_ones_old(
    document: object, options: Options, data: st.DataObject
) -> None:
    later = data.draw(grown(document))
    old, new = _derived(document, options), _derived(later, options)
    assume(old.schema.text != new.schema.text)
    for writer, reader, written_by in ((old, new, document), (new, old, later)):
        encoded = writer.encode(_valid(data, written_by))
        assume(isinstance(encoded, bytes) and writer.schema.text != '"bytes"')
        assert isinstance(encoded, bytes)
        written, read = (fastavro.parse_schema(json.loads(each.schema.text)) for each in (writer, reader))
        stream = io.BytesIO(encoded)
        fastavro.schemaless_reader(stream, written, read)
        assert not stream.read()


@UNCHOSEN
@given(json_schemas(), OPTIONS, st.binary(max_size=20))
def test_bytes_are_one_json_value_or_undecodable(document: object, options: Options, payload: bytes) -> None:
    form = _derived(document, options)
    try:
        value = form.decode(payload)
    except AvroUndecodable:
        return
    json.dumps(value, allow_nan=False)
