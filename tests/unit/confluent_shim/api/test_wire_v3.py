"""Records of the v3 API: what they say, and what they cannot say."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_shim.api.wire_v3 import RecordV3, check_schemas_given, read_record, unreadable_record
from confluent_shim.errors import BodyUnreadable, EnvelopeRefused, PartitionNotFound, ShimError
from confluent_shim.records import Claimed, Extras
from jsonschema_bridge import JsonUnreadable, read_json


def record(fields: object) -> RecordV3:
    text = json.dumps(fields).encode()
    return read_record(text, read_json(text))


def value(**fields: object) -> RecordV3:
    return record({"value": fields})


def test_a_record_keeps_the_bytes_of_its_key_and_its_value() -> None:
    text = b'{"key":{"type":"JSON","data": [1.0 ] },"value":{"data":{"a":  1}}}'
    read = read_record(text, read_json(text))
    assert (bytes(read.incoming.key), bytes(read.incoming.value)) == (b"[1.0 ]", b'{"a":  1}')
    assert read.parsed == {"key": [1.0], "value": {"a": 1}}


@pytest.mark.parametrize("fields", [{}, {"key": None, "value": None, "headers": None, "timestamp": None}])
def test_a_record_may_say_nothing(fields: dict[str, object]) -> None:
    read = record(fields)
    assert (read.shape.key, read.shape.value, read.parsed, read.extras) == (None, None, {}, None)
    assert (bytes(read.incoming.key), bytes(read.incoming.value)) == (b"null", b"null")


@pytest.mark.parametrize(
    ("said", "claimed"),
    [
        ({"schema_id": 7}, Claimed(schema_id=7)),
        ({"schema_id": "7"}, Claimed(schema_id=7)),
        ({"schema_version": 2}, Claimed(version=2)),
        ({"schema_version": 2.9}, Claimed(version=2)),
        ({"schema_version": "2"}, Claimed(version=2)),
        ({"schema_version": "latest"}, Claimed(version="latest")),
        ({"schema_version": -1}, Claimed(version="latest")),
        ({"schema": '"string"'}, Claimed(schema='"string"')),
        ({"schema": 5}, Claimed(schema="5")),
        ({"subject": "s", "schema_id": 7}, Claimed(schema_id=7, subject="s")),
        ({"subject_name_strategy": "RECORD_NAME"}, Claimed(strategy="RECORD_NAME")),
    ],
)
def test_what_is_said_of_a_schema_is_read(said: dict[str, Any], claimed: Claimed) -> None:
    shape = value(data=1, **said).shape
    assert shape.value is not None
    assert (shape.value.embedded_format, shape.value.claimed) == (None, claimed)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"subject": "s", "subject_name_strategy": "TOPIC_NAME"}, "Only one of 'subject_name_strategy' or 'subject'"),
        ({"schema_id": 1, "schema_version": 1}, "Only one of 'schema_id', 'schema_version' or 'schema'"),
        ({"schema_id": 1, "schema": "x"}, "Only one of 'schema_id', 'schema_version' or 'schema'"),
        ({"schema_version": 1, "schema": "x"}, "Only one of 'schema_id', 'schema_version' or 'schema'"),
        ({"type": "AVRO", "schema_id": 1}, "'schema_id=1' cannot be used with 'serializer'"),
        ({"type": "JSONSCHEMA", "schema_version": 1}, "'schema_version=1' cannot be used with 'serializer'"),
        (
            {"type": "BINARY", "subject_name_strategy": "TOPIC_NAME"},
            "'type=BINARY' cannot be used with 'subject_strategy'",
        ),
        ({"type": "JSON", "subject": "s"}, "'type=JSON' cannot be used with 'subject'"),
        ({"type": "STRING", "schema_id": 1}, "'type=STRING' cannot be used with 'schema_id'"),
        ({"type": "STRING", "schema_version": 1}, "'type=STRING' cannot be used with 'schema_version'"),
        ({"type": "JSON", "schema": "x"}, "'type=JSON' cannot be used with 'schema'"),
    ],
)
@pytest.mark.parametrize("part", ["key", "value"])
def test_what_cannot_be_said_together_is_refused_in_confluents_words(
    part: str, said: dict[str, object], problem: str
) -> None:
    with pytest.raises(BodyUnreadable) as caught:
        record({part: {**said, "data": None}})
    assert str(caught.value).startswith(f"{part}: {problem}")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (1, "A record must be a JSON object"),
        ({"value": 1}, "value: must be an object, not a number"),
        ({"value": {"type": "JSON"}}, "value.data: is missing"),
        (
            {"key": {"type": "json", "data": 1}},
            'key.type: must be one of BINARY, JSON, STRING, AVRO, JSONSCHEMA, PROTOBUF, not "json"',
        ),
        ({"key": {"subject_name_strategy": "FOO", "data": 1}}, "key.subject_name_strategy: must be one of"),
        ({"value": {"schema_id": "abc", "data": 1}}, "value.schema_id: must be an integer"),
        ({"value": {"schema": {}, "data": 1}}, "value.schema: must be a string"),
        ({"partition_id": "a"}, "partition_id: must be an integer"),
        ({"partition_id": 2**31}, "partition_id: 2147483648 is out of the range"),
        ({"headers": {"a": "Zm9v"}}, "headers: must be an array"),
        ({"headers": [1]}, r"headers[0]: must be an object"),
        ({"headers": [{"name": "a"}, {"value": "Zm9v"}]}, "headers[1].name: is missing"),
        ({"headers": [{"name": None}]}, "headers[0].name: is missing"),
        ({"headers": [{"name": "a", "value": 5}]}, "headers[0].value: must be base64"),
        ({"headers": [{"name": "a", "value": "Zm9vYg"}]}, "headers[0].value: must be base64 with its padding"),
        ({"headers": [{"name": "a", "value": "_-8="}]}, "headers[0].value: must be base64"),
        ({"headers": [{"name": "a\0b"}]}, "headers[0].name: has a NUL"),
        ({"timestamp": []}, "timestamp: must be a time with its zone"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(fields: object, place: str) -> None:
    with pytest.raises(BodyUnreadable) as caught:
        record(fields)
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"foo": 1}, "foo"),
        ({"value": {"data": 1, "foo": 2}}, "value.foo"),
        ({"headers": [{"name": "a", "x": 1}]}, "headers[0].x"),
        ({"id": "1"}, "id"),
    ],
)
def test_an_unknown_field_is_named(fields: object, name: str) -> None:
    with pytest.raises(EnvelopeRefused) as caught:
        record(fields)
    assert str(caught.value) == f"Unrecognized field: {name}"


def test_headers_and_time_are_what_a_record_carries_besides() -> None:
    headers = [{"name": "a", "value": "MQ=="}, {"name": "a", "value": None}, {"name": 1, "value": ""}]
    read = record({"headers": headers, "timestamp": 1, "partition_id": "2"})
    assert read.extras == Extras([("a", b"1"), ("a", None), ("1", b"")], 1000)
    assert read.incoming.partition == 2


def test_a_negative_partition_is_not_found() -> None:
    with pytest.raises(PartitionNotFound):
        record({"partition_id": -1})


@pytest.mark.parametrize(
    ("text", "part", "pointer", "kind"),
    [
        (b'{"value":{"data":{"a":[1e999]}}}', "value", "/a/0", "number-range"),
        (b'{"key":{"data":1e999}}', "key", "", "number-range"),
        (b'{"value":{"schema_id":1e999,"data":1}}', "value", "", "number-range"),
        (b'{"key":{"data":1},"value":{"data":{"a":1,"a":2}}}', "value", "", "duplicate-key"),
        (b'{"key":{"data":"\\ud800"},"value":{"data":1}}', None, "", "encoding"),
        (b'{"value":{"data":1},"value":{"data":2}}', None, "", "duplicate-key"),
        (b'{"value":{"data":1', None, "", "syntax"),
        (b'{"\x80":1}', None, "", "encoding"),
    ],
)
def test_where_a_record_has_no_single_reading_is_told_as_far_as_the_bytes_tell_it(
    text: bytes, part: str | None, pointer: str, kind: str
) -> None:
    with pytest.raises(JsonUnreadable) as caught:
        read_json(text)
    error = unreadable_record(3, text, caught.value)
    assert (error["record"], error["part"], error["pointer"], error["keyword"]) == (3, part, pointer, kind)


@pytest.mark.parametrize("embedded", ["AVRO", "JSONSCHEMA", "PROTOBUF"])
def test_where_no_binding_has_a_schema_a_type_that_needs_one_must_bring_it(embedded: str) -> None:
    with pytest.raises(BodyUnreadable, match=rf"^key: 'type={embedded}' needs a 'schema'\.$"):
        check_schemas_given(record({"key": {"type": embedded, "subject": "s", "data": None}}).shape)
    for said in ({"type": embedded, "schema": "x"}, {"type": "JSON"}, {"schema_id": 1}, {}):
        check_schemas_given(value(data=1, **said).shape)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["key", "value", "data", "type", "headers", "name", "entries", "id", "timestamp", "schema_id"]
                ),
                inner,
            )
        ),
    )
)
def test_no_json_makes_reading_raise_anything_but_our_errors(document: object) -> None:
    text = json.dumps(document).encode()
    with suppress(ShimError, JsonUnreadable):
        read_record(text, read_json(text))
