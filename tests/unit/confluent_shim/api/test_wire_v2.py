"""Bytes become records, or one error that says why not."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_shim.api.wire_v2 import read_request, render_receipt
from confluent_shim.errors import BodyUnreadable, EnvelopeRefused, RecordsRejected
from confluent_shim.records import Delivery, EmbeddedFormat, Receipt
from tests.families import PRODUCE_V2
from tests.strategies import bodies

FORMATS: tuple[EmbeddedFormat, ...] = ("json", "jsonschema", "avro", "binary", "protobuf")
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(bodies(PRODUCE_V2.bodies), st.sampled_from(FORMATS), st.sampled_from([None, 0]), st.booleans())
def test_no_bytes_raise_anything_but_an_answer(
    body: bytes, embedded_format: EmbeddedFormat, partition: int | None, strict: bool
) -> None:
    with contextlib.suppress(BodyUnreadable, EnvelopeRefused, RecordsRejected):
        read_request(body, "t", embedded_format, partition, strict=strict)


@pytest.mark.parametrize("body", [b'{"records":[{"\x80":1}]}', b'{"records":[{"value":{"\x80":1}}]}'])
def test_a_name_that_is_no_text_refuses_its_record(body: bytes) -> None:
    with pytest.raises(RecordsRejected) as caught:
        read_request(body, "t", "json")
    (error,) = caught.value.errors
    assert (error["record"], error["keyword"]) == (0, "encoding")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1e10"])
def test_a_number_that_no_integer_is_near_is_out_of_range_however_loosely_it_is_read(number: str) -> None:
    body = f'{{"value_schema_id":{number},"records":[{{}}]}}'.encode()
    with pytest.raises(BodyUnreadable):
        read_request(body, "t", "json", strict=False)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "records": JSON_VALUES
            | st.lists(st.fixed_dictionaries({}, optional={"value": JSON_VALUES, "partition": JSON_VALUES})),
            "value_schema": JSON_VALUES,
            "value_schema_id": JSON_VALUES,
            "other": JSON_VALUES,
        },
    )
)
def test_no_envelope_raises_anything_but_an_answer(envelope: dict[str, Any]) -> None:
    try:
        request = read_request(json.dumps(envelope).encode(), "t", "json")
    except (BodyUnreadable, EnvelopeRefused, RecordsRejected):
        return
    assert len(request.records) == len(envelope["records"])


@given(st.lists(JSON_VALUES, min_size=1, max_size=5), st.sampled_from([None, 1]))
def test_each_value_keeps_its_bytes(values: list[Any], indent: int | None) -> None:
    texts = [json.dumps(value, indent=indent).encode() for value in values]
    body = b'{"records": [' + b" , ".join(b'{"value":' + text + b"}" for text in texts) + b"]}"
    request = read_request(body, "t", "json")
    assert [bytes(record.value) for record in request.records] == texts
    assert [parsed["value"] for parsed in request.parsed] == values


@pytest.mark.parametrize(("partition", "expected"), [(0, 0), ("0", 0), (1.9, 1), ("", None), (None, None), ("-0", 0)])
def test_partitions_are_read_as_leniently_as_confluent_does(partition: object, expected: int | None) -> None:
    body = json.dumps({"records": [{"value": 1, "partition": partition}]}).encode()
    assert read_request(body, "t", "json").records[0].partition == expected


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"records":[{"partition":true}]}', "records[0].partition: must be an integer, not a boolean"),
        ('{"records":[{"partition":"a"}]}', "records[0].partition: must be an integer, not a string"),
        ('{"records":[{"partition":-1}]}', "records[0].partition: -1 is negative"),
        ('{"records":[{"partition":2147483648}]}', "out of the range of an int32"),
        ('{"records":[1]}', "records[0]: must be an object, not a number"),
        ('{"records":[null]}', "records[0]: must be an object, not null"),
        ('{"records":{}}', "records: must be an array, not an object"),
        ("[]", "The body must be a JSON object, not an array"),
        ('"x"', "The body must be a JSON object, not a string"),
        ('{"records":[{}],"value_schema":{}}', "value_schema: must be a string"),
        ('{"records":[{}],"value_schema_id":[]}', "value_schema_id: must be an integer, not an array"),
        ('{"records":[{}]} {}', "no single reading"),
    ],
)
def test_a_field_of_the_wrong_shape_is_named(body: str, text: str) -> None:
    with pytest.raises(BodyUnreadable) as caught:
        read_request(body.encode(), "t", "json")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "produceJson.arg2 must not be null (was null)"),
        ("{}", "produceJson.arg2.records must not be empty (was null)"),
        ('{"records":[]}', "produceJson.arg2.records must not be empty (was [])"),
        ('{"records":[{"valu":1}]}', "Unrecognized field: valu"),
        ('{"record":[]}', "Unrecognized field: record"),
    ],
)
def test_an_envelope_that_may_not_be_is_refused_in_confluents_words(body: str, text: str) -> None:
    with pytest.raises(EnvelopeRefused) as caught:
        read_request(body.encode(), "t", "json")
    assert str(caught.value) == text


def test_the_partition_route_has_its_own_words() -> None:
    with pytest.raises(EnvelopeRefused, match=r"produceJsonSchema\.arg3"):
        read_request(b"", "t", "jsonschema", 0)


def test_a_number_stands_for_its_text_in_a_schema() -> None:
    assert read_request(b'{"records":[{}],"value_schema":1}', "t", "json").value_schema.schema == "1"


def test_a_failed_delivery_tells_outcome_and_retry_beside_confluents_fields() -> None:
    receipt = Receipt([Delivery(0, 7), Delivery(None, None, 50003, 'timed "out"', "unknown", retryable=True)], None, 5)
    assert json.loads(render_receipt(receipt)) == {
        "offsets": [
            {"partition": 0, "offset": 7, "error_code": None, "error": None},
            {
                "partition": None,
                "offset": None,
                "error_code": 50003,
                "error": 'timed "out"',
                "outcome": "unknown",
                "retryable": True,
            },
        ],
        "key_schema_id": None,
        "value_schema_id": 5,
    }
