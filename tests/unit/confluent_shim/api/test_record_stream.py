"""Records are taken out of a body as it arrives, whatever the pieces are in which it does."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_shim.api.record_stream import RecordSplitter, pieces
from jsonschema_bridge import JsonUnreadable

MOST = 1_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6)
SPACE = st.text(" \t\r\n", max_size=3)


def split(body: bytes, sizes: list[int], most: int = MOST) -> list[bytes | None]:
    """Feed `body` in pieces of these sizes, again and again, and return all values."""
    splitter, found, position, turn = RecordSplitter(most), list[bytes | None](), 0, 0
    while position < len(body):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(body[position : position + size])
        position, turn = position + size, turn + 1
    return found + splitter.finish()


@given(OBJECTS, SPACE, st.booleans(), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_concatenated_objects_come_out_one_by_one(
    objects: list[Any], space: str, ascii_: bool, sizes: list[int]
) -> None:
    texts = [json.dumps(each, ensure_ascii=ascii_).encode(errors="surrogatepass") for each in objects]
    assert split(space.encode().join(texts), sizes) == texts


@given(OBJECTS)
def test_a_record_comes_out_with_its_last_byte(objects: list[Any]) -> None:
    splitter = RecordSplitter(MOST)
    for text in (json.dumps(each).encode() for each in objects):
        assert [splitter.feed(bytes([byte])) for byte in text[:-1]] == [[]] * (len(text) - 1)
        assert splitter.feed(text[-1:]) == [text]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"", []),
        (b" \r\n\t", []),
        (b"{}", [b"{}"]),
        (b"{}{} {}\n", [b"{}", b"{}", b"{}"]),
        (rb'{"a":"\"}{\\"}{"b":"{\\\""}', [rb'{"a":"\"}{\\"}', rb'{"b":"{\\\""}']),
        (b'1 2"x"null{}[{"a":1}][[]]', [b"1", b"2", b'"x"', b"null", b"{}", b'[{"a":1}]', b"[[]]"]),
        (b"{},{}", [b"{}", b",", b"{}"]),
        (b"{}}{}", [b"{}", b"}", b"{}"]),
        (b'{"a":[1}{}', [b'{"a":[1}', b"{}"]),
        (b"{} foo {}", [b"{}", b"foo", b"{}"]),
        (b'{}{"a', [b"{}", b'{"a']),
        (b'{"a":"}', [b'{"a":"}']),
        (b"12", [b"12"]),
        (b"\0", [b"\0"]),
    ],
)
def test_what_is_no_object_comes_out_as_what_it_is(body: bytes, values: list[bytes], size: int) -> None:
    assert split(body, [size]) == values


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_value_that_is_too_large_is_told_and_not_kept_and_the_next_ones_come(size: int) -> None:
    large = b'{"a":"' + b"x" * 500 + b'}"}'
    assert split(b"{}" + large + b"{}" + large[:300], [size], most=20) == [b"{}", None, b"{}", None]


def test_what_is_being_dropped_takes_no_memory() -> None:
    splitter = RecordSplitter(most=100)
    splitter.feed(b'{"a":"')
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
        assert len(splitter._buffer) <= 1000
    assert splitter.feed(b'"}{}') == [None, b"{}"]


class TestPieces:
    TEXT = '{"a":"\u00e9\U0001f600"}{"b":{}}'

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
    )
    @pytest.mark.parametrize("declared", [True, False])
    def test_the_encoding_is_told_by_the_first_bytes(self, encoding: str, declared: bool) -> None:
        body = self.TEXT.encode(encoding)
        read = io.BytesIO(body).read
        assert b"".join(pieces(read, len(body) if declared else None)) == self.TEXT.encode()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be"])
    def test_where_no_length_is_declared_a_piece_ends_with_each_closing_brace(self, encoding: str) -> None:
        found = list(pieces(io.BytesIO(self.TEXT.encode(encoding)).read, None))
        assert b"".join(found) == self.TEXT.encode()
        assert [piece[-1:] for piece in found].count(b"}") == 3

    def test_a_long_piece_does_not_wait_for_its_brace(self) -> None:
        body = b'{"a":"' + b"x" * 10_000 + b'"}'
        found = list(pieces(io.BytesIO(body).read, None))
        assert b"".join(found) == body
        assert max(map(len, found)) <= 1000

    @pytest.mark.parametrize(("body", "length"), [(b"", 0), (b"", None), (b"{", 100), (b"{", None), (b"{}", 2)])
    def test_a_body_may_be_empty_or_break_off(self, body: bytes, length: int | None) -> None:
        assert b"".join(pieces(io.BytesIO(body).read, length)) == body

    def test_no_more_is_read_than_was_declared(self) -> None:
        stream = io.BytesIO(b"{}{}{}")
        assert b"".join(pieces(stream.read, 4)) == b"{}{}"
        assert stream.read() == b"{}"

    def test_a_connection_that_breaks_ends_the_body(self) -> None:
        def read(size: int) -> bytes:
            raise OSError(size)

        assert list(pieces(read, None)) == []

    @pytest.mark.parametrize("body", ["{}".encode("utf-16-le") + b"\0", b"{\0\0\xd8{\0"])
    def test_what_is_no_text_is_told(self, body: bytes) -> None:
        with pytest.raises(JsonUnreadable, match="invalid UTF-16-LE"):
            list(pieces(io.BytesIO(body).read, None))
