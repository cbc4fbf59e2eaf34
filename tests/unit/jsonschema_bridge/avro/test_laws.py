"""Laws of Avro encoding, for schemas and values that nobody chose."""

import io
import json
import math
from typing import Any

import fastavro
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.avro import AvroCodec, AvroUndecodable
from jsonschema_bridge.framing import PREFIX_BYTES
from tests.compiling import avro

Case = tuple[Any, Any, Any]
"""(schema, a plain value, the same value in Avro's JSON encoding)"""

_LATIN1 = st.text(st.characters(max_codepoint=255), max_size=5)
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bytes": _LATIN1,
    "string": st.text(max_size=5),
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["f0", "f1", "int", "x"]), inner),
    max_leaves=8,
)


def _cases(depth: int = 3, path: str = "T") -> st.SearchStrategy[Case]:
    """Generate schemas whose names derive from `path`, with a value each."""
    symbols = {"type": "enum", "name": path, "symbols": ["A", "B"]}
    leaves = _primitives() | st.sampled_from("AB").map(lambda symbol: (symbols, symbol, symbol))
    leaves |= st.just(({"type": "fixed", "name": path, "size": 2}, "\u00e9z", "\u00e9z"))
    return leaves | _containers(depth, path) | _records(depth, path) if depth else leaves


@st.composite
def _primitives(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(_PRIMITIVES)))
    value = draw(_PRIMITIVES[name])
    return name, value, value


@st.composite
def _containers(draw: st.DrawFn, depth: int, path: str) -> Case:
    inner, plain, tagged = draw(_cases(depth - 1, f"{path}_"))
    kind, size = draw(st.sampled_from(["array", "map", "nullable"])), draw(st.integers(0, 2))
    keys = ["k", "\u00fc"][:size]
    if kind == "array":
        return {"type": "array", "items": inner}, [plain] * size, [tagged] * size
    if kind == "map" or inner == "null" or isinstance(inner, list):
        return {"type": "map", "values": inner}, dict.fromkeys(keys, plain), dict.fromkeys(keys, tagged)
    label = inner if isinstance(inner, str) else inner.get("name", inner["type"])
    return ["null", inner], *((plain, {label: tagged}) if size else (None, None))


@st.composite
def _records(draw: st.DrawFn, depth: int, path: str) -> Case:
    fields, plain, tagged = [], {}, {}
    for index in range(draw(st.integers(0, 3))):
        schema, value, with_tag = draw(_cases(depth - 1, f"{path}{index}"))
        fields.append({"name": f"f{index}", "type": schema})
        plain[f"f{index}"], tagged[f"f{index}"] = value, with_tag
    return {"type": "record", "name": path, "fields": fields}, plain, tagged


def _encoded(codec: AvroCodec, value: object) -> bytes:
    encoded = codec.encode_plain(value)
    assert isinstance(encoded, bytes), encoded
    return encoded


def _datum(schema: Any, plain: Any) -> Any:
    """Give a plain value the form that fastavro takes: bytes for the strings that stand for them."""
    match schema:
        case "bytes" | {"type": "fixed"}:
            return plain.encode("latin-1")
        case ["null", inner]:
            return None if plain is None else _datum(inner, plain)
        case {"type": "array", "items": inner}:
            return [_datum(inner, item) for item in plain]
        case {"type": "map", "values": inner}:
            return {key: _datum(inner, item) for key, item in plain.items()}
        case {"type": "record", "fields": fields}:
            return {field["name"]: _datum(field["type"], plain[field["name"]]) for field in fields}
    return plain


@given(_cases())
def test_what_is_encoded_is_decoded_to_the_same_value(case: Case) -> None:
    schema, plain, _ = case
    codec = avro(schema)

    assert codec.decode(_encoded(codec, plain)) == plain


@given(_cases())
def test_both_forms_of_one_value_have_the_same_bytes(case: Case) -> None:
    schema, plain, tagged = case
    codec = avro(schema)

    assert codec.encode_json(tagged) == codec.encode_plain(plain)


@given(_cases())
def test_confluents_serializer_writes_the_same_bytes(case: Case) -> None:
    schema, plain, _ = case
    client = SchemaRegistryClient.new_client({"url": "mock://laws"})
    serializer = AvroSerializer(client, json.dumps(schema), conf={"subject.name.strategy": lambda *_: _subject(schema)})
    written = serializer(_datum(schema, plain), SerializationContext("orders", MessageField.VALUE))

    # A null is a tombstone to it, before any schema is asked.
    assert plain is None or written[PREFIX_BYTES:] == _encoded(avro(schema), plain)


def _subject(schema: object) -> str:
    return json.dumps(schema)


@given(_cases(), st.data())
def test_a_field_with_a_default_may_be_left_out(case: Case, data: st.DataObject) -> None:
    kind, plain, _ = case
    # A default is written as the first branch of a union has it.
    kind = kind if plain is not None or not isinstance(kind, list) else ["null", *kind[1:]]
    schema = {"type": "record", "name": "Outer", "fields": [{"name": "f", "type": kind, "default": plain}]}
    codec = avro(schema)
    value = data.draw(st.sampled_from([{}, {"f": plain}]))

    assert codec.decode(_encoded(codec, value)) == {"f": plain}


@given(_cases(), _JSON)
def test_no_json_value_gives_anything_but_bytes_or_violations(case: Case, value: object) -> None:
    codec = avro(case[0])
    for encode in (codec.encode_json, codec.encode_plain):
        encoded = encode(value)
        assert isinstance(encoded, bytes) or (encoded and json.dumps([item.message for item in encoded]))


@given(_cases(), st.binary(max_size=20))
def test_bytes_are_one_value_or_undecodable(case: Case, payload: bytes) -> None:
    codec = avro(case[0])
    try:
        value = codec.decode(payload)
    except AvroUndecodable:
        return
    if case[0] != "bytes":  # at the top it is written raw
        parsed = fastavro.parse_schema(case[0])
        assert _same(_datum(case[0], value), fastavro.schemaless_reader(io.BytesIO(payload), parsed, None))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_a_number_loses_nothing_in_a_union_that_can_hold_it(number: float) -> None:
    codec = avro(["float", "int", "double", "long"])
    decoded: Any = codec.decode(_encoded(codec, number))

    exact = -(2**63) <= number < 2**63 or float(number) == number
    assert decoded == number or not exact
