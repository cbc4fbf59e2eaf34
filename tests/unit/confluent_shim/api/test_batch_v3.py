"""Batches of the v3 API: what an entry is, and what refuses a batch as a whole."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from confluent_shim.api.batch_v3 import read_batch
from confluent_shim.errors import (
    BatchRefused,
    BodyUnreadable,
    EnvelopeRefused,
    PartitionNotFound,
    RecordsRejected,
    ShimError,
)
from tests.families import PRODUCE_V3
from tests.strategies import JSON_VALUES, bodies


def read(body: object, most: int = 10, *, strict: bool = True) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_batch(text, 200, most, strict=strict)


def test_each_entry_has_its_id_and_its_record() -> None:
    first, second = read({"entries": [{"id": "a", "value": {"data": 1}}, {"id": "b", "partition_id": -1}]})
    assert (first.id, first.record.parsed, second.id) == ("a", {"value": 1}, "b")
    assert isinstance(second.record, PartitionNotFound)


def test_its_encoding_is_told_by_its_bytes() -> None:
    (entry,) = read('{"entries":[{"id":"a","value":{"data":"\u00e9"}}]}'.encode("utf-16"))
    assert entry.record.parsed == {"value": "\u00e9"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Request body is empty. Data is required."),
        (b"null", "Request body is empty. Data is required."),
        ({}, "Empty batch."),
        ({"entries": None}, "Empty batch."),
        ({"entries": []}, "Empty batch."),
        ({"entries": [{"id": str(n)} for n in range(11)]}, "Too many entries in batch."),
        ({"entries": [{"id": "1"}, {"id": "1"}]}, "Batch entry IDs are not distinct."),
        *[
            ({"entries": [{"id": each}]}, "Batch entry identifier is not a valid string.")
            for each in (None, "", "\u20ac", "a" * 81, 1, "a b")
        ],
        ({"entries": [{}]}, "Batch entry identifier is not a valid string."),
    ],
)
def test_a_batch_that_is_none_is_refused_in_confluents_words(body: object, message: str) -> None:
    with pytest.raises(BatchRefused) as caught:
        read(body)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "The body must be a JSON object, not an array"),
        ({"entries": {}}, "entries: must be an array, not an object"),
        ({"entries": [None]}, "entries[0]: A record must be a JSON object, not null"),
        ({"entries": [{"id": "1"}, {"id": "2", "value": 1}]}, "entries[1]: value: must be an object, not a number"),
        (b'{"entries":[],"entries":[]}', "The body has no single reading as JSON"),
        (b'{"entries":[' + b"[" * 5000, "The body has no single reading as JSON"),
        (b'{"entries":[{"id":' + b"[" * 5000 + b"]" * 5000 + b"}]}", "The body has no single reading as JSON"),
    ],
)
def test_one_entry_of_the_wrong_form_refuses_the_whole_and_is_named(body: object, message: str) -> None:
    with pytest.raises(BodyUnreadable) as caught:
        read(body)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("body", [{"records": []}, {"entries": [{"id": "1", "records": 1}]}])
def test_an_unknown_field_refuses_the_whole(body: object) -> None:
    with pytest.raises(EnvelopeRefused, match="Unrecognized field: records"):
        read(body)


class TestWithoutABindingThatJudges:
    """Then Confluent's reading will do."""

    @pytest.mark.parametrize(
        ("data", "parsed"),
        [
            ('{"a":1,"a":2}', {"a": 2}),
            ("1e400", float("inf")),
            (r'"\ud83d"', "\ud83d"),
        ],
    )
    def test_an_entry_says_why_its_reading_is_not_the_only_one(self, data: str, parsed: object) -> None:
        body = '{"entries":[{"id":"1","value":{"type":"JSON","data":1}},{"id":"2","value":{"type":"JSON","data":%s}}]}'
        _, entry = read((body % data).encode(), strict=False)
        assert entry.record.parsed == {"value": parsed}
        assert entry.record.shape.unreadable is not None

    def test_only_the_entry_concerned_says_so(self) -> None:
        body = b'{"entries":[{"id":"1"},{"id":"2","value":{"data":{"a":1,"a":2}}},{"id":"3","key":{"data":1e400}}]}'
        reasons = [entry.record.shape.unreadable for entry in read(body, strict=False)]
        assert reasons[0] is None
        assert [[error["record"] for error in each.errors] for each in reasons[1:]] == [[1], [2]]
        with pytest.raises(RecordsRejected):
            read(body)

    def test_with_an_envelope_that_reads_two_ways_they_all_do(self) -> None:
        (entry,) = read(b'{"entries":[],"entries":[{"id":"1"}]}', strict=False)
        assert isinstance(entry.record.shape.unreadable, BodyUnreadable)

    @pytest.mark.parametrize(
        "record",
        [
            r'"value":{"type":"STRING","data":"\ud800"}',
            r'"value":{"type":"JSON","data":1,"subject":"\ud800"}',
            r'"headers":[{"name":"\ud800"}]',
            r'"value":{"data":"\ud800"}',
        ],
    )
    def test_half_of_a_surrogate_pair_is_for_plain_json_alone(self, record: str) -> None:
        with pytest.raises(BodyUnreadable, match="half of a surrogate pair"):
            read(f'{{"entries":[{{"id":"1",{record}}}]}}'.encode(), strict=False)

    def test_a_type_that_needs_a_schema_must_bring_it(self) -> None:
        entries = [{"id": "1"}, {"id": "2", "value": {"type": "AVRO", "data": 1}}]
        with pytest.raises(BodyUnreadable, match=r"^entries\[1\]: value: 'type=AVRO' needs a 'schema'"):
            read({"entries": entries}, strict=False)
        assert len(read({"entries": entries})) == 2


@pytest.mark.parametrize("strict", [True, False])
@given(body=bodies(PRODUCE_V3.bodies) | JSON_VALUES.map(lambda value: json.dumps({"entries": value}).encode()))
def test_no_bytes_make_reading_raise_anything_but_our_errors(strict: bool, body: bytes) -> None:
    with suppress(ShimError):
        read_batch(body, 200, 10, strict=strict)
