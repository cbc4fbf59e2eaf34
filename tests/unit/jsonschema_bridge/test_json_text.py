"""JSON bytes have one reading or none, and keys are written as Confluent writes them."""

import contextlib
import json
import math
import re
from collections.abc import Iterable
from typing import Never

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jsonschema_bridge.errors import JsonUnreadable
from jsonschema_bridge.json_text import MAX_DEPTH, confluent_text, read_json, read_json_loosely, utf8
from tests import shared_data

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
)
FRAGMENTS = st.lists(
    st.sampled_from(list('{}[],:"\\10.eE+- é😀'))
    .map(str.encode)
    .flatmap(lambda one: st.sampled_from([one, b'"a"', b'"\\u0061"', b"\\ud83d", b"\\ude00", b"400", b"true", b"NaN"]))
    | st.sampled_from([b"null", b"Infinity", b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xef\xbb\xbf"])
).map(b"".join)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be", "utf-32"]


class _Refused(ValueError):
    pass


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise _Refused
    return dict(pairs)


def _refuse(constant: str) -> Never:
    raise _Refused(constant)


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Refused(text)
    return value


def _strict(text: bytes) -> object:
    """Python's own parser, told to be strict: the reference."""
    decoded = text.decode()
    value = json.loads(decoded, object_pairs_hook=_members, parse_constant=_refuse, parse_float=_double)
    json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8
    return value


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # tells 1 from 1.0 and 0.0 from -0.0


@given(VALUES)
def test_every_json_value_is_read_as_it_was_written(value: object) -> None:
    assert _same(read_json(json.dumps(value).encode()), value)
    assert _same(read_json(json.dumps(value, ensure_ascii=False).encode()), value)


@given(FRAGMENTS | st.binary())
@example(b'{"a":1,"\\u0061":2}')
@example(b"[1e400]")
@example(b'"\\ud800"')
def test_any_bytes_have_the_strict_reading_or_none(text: bytes) -> None:
    try:
        expected = _strict(text)
    except ValueError:
        with pytest.raises(JsonUnreadable):
            read_json(text)
    else:
        assert _same(read_json(text), expected)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"a":1,"\\u0061":2}', "duplicate-key"),
        (b'[{"b":{"a":1,"c":0,"a":2}}]', "duplicate-key"),
        (b"NaN", "syntax"),
        (b"[Infinity]", "syntax"),
        (b"-Infinity", "syntax"),
        (b"1e400", "number-range"),
        (b"-1e400", "number-range"),
        (b"9" * 400 + b".0", "number-range"),
        (b"1" + b"0" * 4300, "number-range"),
        (b"9" * 1001, "number-range"),
        (b'{"a":[-' + b"9" * 1001 + b"]}", "number-range"),
        (b"0." + b"1" * 1000, "number-range"),
        (b"[1," + b"0." + b"1" * 900 + b"e-" + b"0" * 99 + b"1]", "number-range"),
        (b'["' + b"9" * 2000 + b'\\"",' + b"9" * 1001 + b"]", "number-range"),
        (b'"\xc0\xaf"', "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        (b'"\xc3"', "encoding"),
        (b'"\xf4\x90\x80\x80"', "encoding"),
        (b'{"\xff":1}', "encoding"),
        (b'"\\ud800"', "encoding"),
        (b'"\\udc00"', "encoding"),
        (b'"\\ud800\\ud800"', "encoding"),
        (b'"\\ud800x"', "encoding"),
        (b'{"\\udfff":1}', "encoding"),
        (b"[" * 100_000, "depth"),
        (b'{"a":' * 100_000, "depth"),
        (b"", "syntax"),
        (b" ", "syntax"),
        (b"1 2", "syntax"),
        (b"{}x", "syntax"),
        (b"1\0", "syntax"),
        (b"1 // one", "syntax"),
        (b"/* one */ 1", "syntax"),
        (b"01", "syntax"),
        (b"-01", "syntax"),
        (b"+1", "syntax"),
        (b".5", "syntax"),
        (b"1.", "syntax"),
        (b"0x10", "syntax"),
        (b"1_000", "syntax"),
        (b"[1,]", "syntax"),
        (b'{"a":1,}', "syntax"),
        (b"'a'", "syntax"),
        (b"{a:1}", "syntax"),
        (b'"\n"', "syntax"),
        (b'"\\x41"', "syntax"),
        (b'"\\u12g4"', "syntax"),
        (b"True", "syntax"),
        (b'"open', "syntax"),
        (b'"open \xc3', "syntax"),
        (b"\xef\xbb\xbf1", "syntax"),
    ],
)
def test_a_text_without_one_reading_is_refused_with_its_kind(text: bytes, kind: str) -> None:
    with pytest.raises(JsonUnreadable) as refusal:
        read_json(text)
    assert refusal.value.kind == kind


@pytest.mark.parametrize(
    ("text", "pointer"), [(b"1e400", ""), (b'{"a/b":[0,{"~":-1e309}]}', "/a~1b/1/~0"), (b"[[],[2,1e999]]", "/1/1")]
)
def test_a_number_beyond_a_double_is_refused_with_its_place(text: bytes, pointer: str) -> None:
    with pytest.raises(JsonUnreadable) as refusal:
        read_json(text)
    assert refusal.value.pointer == pointer


def test_bytes_that_only_look_like_an_infinity_are_read() -> None:
    value = ["\0\0\0\0\0\0ð", 0xF0 << 48, 1.7976931348623157e308, -1.7976931348623157e308]
    assert read_json(json.dumps(value, ensure_ascii=False).encode().replace(b"\0", b"\\u0000")) == value


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "9" * 1000, "-" + "9" * 1000, "18446744073709551616"])
def test_an_integer_keeps_its_value(number: str) -> None:
    assert read_json(f"[{number}]".encode()) == [int(number)]


@pytest.mark.parametrize("text", [b'"' + b"9" * 5000 + b'"', b"0." + b"1" * 999, b"[" + b"12e3," * 1000 + b"1]"])
def test_what_only_looks_like_a_number_of_many_digits_is_read(text: bytes) -> None:
    assert read_json(text) == json.loads(text)


def test_a_number_of_too_many_digits_is_named_by_its_place_in_either_reading() -> None:
    for read in (read_json, read_json_loosely):
        with pytest.raises(JsonUnreadable, match=r"more than 1000 digits \(line 2, column 4\)"):
            read(b'["a",\n   ' + b"9" * 1001 + b"]")


def test_a_value_at_the_depth_limit_is_read_and_one_deeper_is_refused() -> None:
    read_json(b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH)
    with pytest.raises(JsonUnreadable) as refusal:
        read_json(b"[" * (MAX_DEPTH + 2) + b"1" + b"]" * (MAX_DEPTH + 2))
    assert refusal.value.kind == "depth"


def test_a_reason_says_where_and_stays_short() -> None:
    key = b'"' + b"k" * 100_000 + b'":1'
    with pytest.raises(JsonUnreadable, match=r"Detected duplicate key .*…? \(line 1, column \d+\)$") as refusal:
        read_json(b"{" + key + b"," + key + b"}")
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=VALUES)
@example(value=1)
@example(value="")
@example(value="é")
@example(value="日本")
@example(value=[])
def test_a_body_becomes_utf_8_whatever_it_was_encoded_in(encoding: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert utf8(text.encode(encoding)) == text.encode()


@pytest.mark.parametrize("body", [b"", b"1", b"{}", '"é"'.encode(), "é".encode(), b'"\xff"', b"\xef\xbb"])
def test_a_body_that_is_not_told_to_be_something_else_is_left_alone(body: bytes) -> None:
    assert utf8(body) == body


@pytest.mark.parametrize(
    "body",
    [
        b"1\0" + b"2",
        b"\xff\xfe\x00\xd8",
        b"\0" + b'"\xd8\x00\0"',
        b"\xff\xfe\0\0\0\0\x11\0",
        b"\0\0\0[\0\0\xd8\0",
    ],
)
def test_a_body_that_is_invalid_in_its_encoding_is_refused(body: bytes) -> None:
    with pytest.raises(JsonUnreadable) as refusal:
        utf8(body)
    assert refusal.value.kind == "encoding"


@given(st.binary(max_size=16))
def test_any_body_becomes_bytes_or_is_refused(body: bytes) -> None:
    with contextlib.suppress(JsonUnreadable):
        assert len(utf8(body)) <= 2 * len(body)


@given(VALUES)
def test_what_is_written_for_confluent_reads_back_as_the_same_value(value: object) -> None:
    text = confluent_text(value)
    assert _same(json.loads(text), value)
    assert confluent_text(read_json(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.0, "100.0"),
        (0.1, "0.1"),
        (1e-3, "0.001"),
        (0.00999, "0.00999"),
        (9.999e-4, "9.999E-4"),
        (1e-5, "1.0E-5"),
        (9999999.0, "9999999.0"),
        (9999999.999999998, "9999999.999999998"),
        (1e7, "1.0E7"),
        (-1e7, "-1.0E7"),
        (123456789.0, "1.23456789E8"),
        (1.5e300, "1.5E300"),
        (5e-324, "4.9E-324"),
        (2.2250738585072014e-308, "2.2250738585072014E-308"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
    ],
)
def test_a_double_is_written_as_java_writes_it(value: float, text: str) -> None:
    assert confluent_text(value).decode() == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, None, True], "a": {}}, b'{"b":[1,null,true],"a":{}}'),
        (10**30, b"1" + b"0" * 30),
        ("é/😀", b'"\xc3\xa9/\\uD83D\\uDE00"'),
        ('"\\\b\t\n\f\r\x1f\x7f', b'"\\"\\\\\\b\\t\\n\\f\\r\\u001F\x7f"'),
        ({"😀": ""}, b'{"\\uD83D\\uDE00":""}'),
    ],
)
def test_a_value_is_written_compactly_with_confluents_escapes(value: object, text: bytes) -> None:
    assert confluent_text(value) == text


def _recorded() -> Iterable[tuple[str, object, str]]:
    """Yield (case, what was sent as a JSON key or value, what landed in hex) of every v2 JSON exchange that landed."""
    assert shared_data.TRANSCRIPTS.is_file(), f"the recorded transcripts are not at {shared_data.TRANSCRIPTS}"
    for line in shared_data.TRANSCRIPTS.read_text().splitlines():
        exchange = json.loads(line)
        request, landed = exchange["request"], exchange.get("landed") or ()
        if "vnd.kafka.json.v2" not in str(request.get("headers")) or not isinstance(request.get("body"), str):
            continue
        # The two numbers and the string that are refused here are put out of the way: what lands is theirs alone.
        body = re.sub(r"\b1e400\b", '"Infinity"', request["body"]).replace('"\\ud800"', "null")
        try:
            document = read_json(body.encode())
        except JsonUnreadable:
            continue
        records = document.get("records") if isinstance(document, dict) else None
        if isinstance(records, list) and len(records) == len(landed):
            for record, kept in zip(records, landed, strict=True):
                for part in ("key", "value"):
                    if record.get(part) is not None:
                        yield exchange["id"], record[part], kept[f"{part}_hex"]


def test_every_recorded_key_and_value_is_written_as_confluent_wrote_it() -> None:
    recorded = list(_recorded())

    assert {"X47", "X48"} <= {case for case, _, _ in recorded}
    assert [(case, sent) for case, sent, landed in recorded if confluent_text(sent).hex() != landed] == []
