"""What logical types ask of values, beyond the types below them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.avro import AvroUndecodable, avro_identity
from jsonschema_bridge.framing import PREFIX_BYTES
from jsonschema_bridge.registry.model import Schema
from tests.compiling import avro, no_reference

DAY_MS = 86_400_000
UUID_TEXT = {"type": "string", "logicalType": "uuid"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
SHORT_MONEY = {"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 4, "scale": 2}
MILLIS = {"type": "int", "logicalType": "time-millis"}
MICROS = {"type": "long", "logicalType": "time-micros"}


def _schema(document: object) -> Schema:
    return Schema(json.dumps(document), "AVRO")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(UUID_TEXT, "not-a-uuid", id="uuid"),
        pytest.param(UUID_TEXT, "1-1-1-1-1", id="a uuid that only Java's reader takes"),
        pytest.param(UUID_TEXT, "", id="no uuid at all"),
        pytest.param(MILLIS, DAY_MS, id="a time past its day"),
        pytest.param(MILLIS, -1, id="a time before its day"),
        pytest.param(MICROS, DAY_MS * 1000, id="a time past its day in microseconds"),
        pytest.param(MONEY, "\u0027\u0010", id="a decimal of five digits"),
        pytest.param(MONEY, "\u00d8\u00f0", id="a negative decimal of five digits"),
        pytest.param(MONEY, "", id="a decimal without bytes"),
        pytest.param(SHORT_MONEY, "\u0027\u0010", id="a fixed decimal of five digits"),
    ],
)
def test_a_value_that_its_logical_type_forbids_is_a_violation(schema: object, value: object) -> None:
    within = {"type": "record", "name": "R", "fields": [{"name": "a", "type": schema}]}

    [violation] = _refused(avro(within).encode_plain({"a": value}))

    assert (violation.pointer, violation.keyword) == ("/a", "logicalType")
    assert violation.schema_pointer == "/fields/0/type/logicalType"
    assert violation.expected
    assert _refused(avro(schema).encode_json(value))


def _refused(encoded: Any) -> list[Any]:
    assert isinstance(encoded, list), encoded
    return encoded


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        pytest.param(UUID_TEXT, b"\x02x", id="uuid"),
        pytest.param(MILLIS, b"\x01", id="time"),
        pytest.param(MONEY, b"\x27\x10", id="decimal that is the whole value"),
        pytest.param({"type": "array", "items": SHORT_MONEY}, b"\x02\x27\x10\x00", id="decimal among others"),
    ],
)
def test_bytes_of_a_stranger_are_held_to_it_too(schema: object, payload: bytes) -> None:
    with pytest.raises(AvroUndecodable, match="the value is no"):
        avro(schema).decode(payload)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"type": "string", "logicalType": "date"}, "x", id="on another type"),
        pytest.param({"type": "string", "logicalType": ["uuid"]}, "x", id="that is no name"),
        pytest.param({"type": "string", "logicalType": "postcode"}, "x", id="that nobody knows"),
        pytest.param({**MONEY, "scale": 5}, "\u0027\u0010", id="with more decimals than digits"),
        pytest.param({**MONEY, "precision": "4"}, "\u0027\u0010", id="with a text for a number"),
        pytest.param({**SHORT_MONEY, "precision": 5}, "\u0027\u0010", id="with more digits than fit"),
    ],
)
def test_a_logical_type_that_means_nothing_asks_nothing(schema: object, value: object) -> None:
    assert isinstance(avro(schema).encode_plain(value), bytes)


def test_a_time_that_is_written_with_a_fraction_is_told_at_once() -> None:
    """To look for it in a range would count to it, which takes an hour."""
    assert avro(MICROS).encode_plain(86_399_999_999.0) == avro(MICROS).encode_plain(86_399_999_999)
    assert _refused(avro(MICROS).encode_plain(86_400_000_000.0))


def test_what_is_of_another_type_is_told_once() -> None:
    [violation] = _refused(avro(UUID_TEXT).encode_plain(7))

    assert violation.keyword == "type"


def test_a_default_that_its_logical_type_forbids_is_none() -> None:
    record = {"type": "record", "name": "R", "fields": [{"name": "a", "type": UUID_TEXT, "default": ""}]}

    [violation] = _refused(avro(record).encode_plain({}))

    assert violation.keyword == "required"


def test_schemas_that_differ_in_a_logical_type_are_two() -> None:
    one, other = (avro_identity(_schema(document), no_reference) for document in (UUID_TEXT, "string"))

    assert one != other


class Case(NamedTuple):
    """A logical type, a value as Python has it, and the same as JSON has it."""

    schema: Mapping[str, object]
    datum: object
    value: object


def _times() -> st.SearchStrategy[Case]:
    of_day = st.times().map(lambda t: (t, ((t.hour * 60 + t.minute) * 60 + t.second) * 1_000_000 + t.microsecond))
    micros = of_day.map(lambda pair: Case(MICROS, pair[0], pair[1]))
    millis = of_day.map(lambda pair: Case(MILLIS, _whole_millis(pair[0]), pair[1] // 1000))
    return micros | millis


def _whole_millis(moment: time) -> time:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _moments() -> st.SearchStrategy[Case]:
    stamp = {"type": "long", "logicalType": "timestamp-millis"}
    day = {"type": "int", "logicalType": "date"}
    of_stamp = st.integers(0, 4 * 10**12).map(lambda ms: Case(stamp, datetime.fromtimestamp(ms / 1000, UTC), ms))
    return of_stamp | st.dates().map(lambda d: Case(day, d, d.toordinal() - date(1970, 1, 1).toordinal()))


def _decimals() -> st.SearchStrategy[Case]:
    def case(unscaled: int) -> Case:
        size = (unscaled if unscaled >= 0 else ~unscaled).bit_length() // 8 + 1
        text = unscaled.to_bytes(size, "big", signed=True).decode("latin-1")
        return Case(MONEY, Decimal(unscaled).scaleb(-2), text)

    return st.integers(-9999, 9999).map(case)


_CASES = _times() | _moments() | _decimals() | st.uuids().map(lambda found: Case(UUID_TEXT, found, str(found)))


@given(_CASES)
def test_confluents_serializer_writes_the_same_bytes_and_its_deserializer_reads_them(case: Case) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": case.schema}]}
    client = SchemaRegistryClient.new_client({"url": "mock://logical"})
    context = SerializationContext("orders", MessageField.VALUE)
    conf = {"subject.name.strategy": lambda *_: json.dumps(schema)}
    written = AvroSerializer(client, json.dumps(schema), conf=conf)({"a": case.datum}, context)

    encoded = avro(schema).encode_plain({"a": case.value})

    assert encoded == written[PREFIX_BYTES:]
    read = AvroDeserializer(client)(written[:PREFIX_BYTES] + encoded, context)["a"]
    assert read == (str(case.datum) if isinstance(case.datum, UUID) and isinstance(read, str) else case.datum)
