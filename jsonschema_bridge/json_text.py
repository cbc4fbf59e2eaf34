"""The one reading of JSON bytes that every consumer shares.

The bytes of a value are forwarded as they came, so a text that two parsers could read differently is refused:
duplicate keys, NaN and Infinity, numbers beyond a double, invalid UTF-8, lone surrogates, deep nesting.
Integers keep their value up to MAX_DIGITS. Sources: RFC 8259 and RFC 7493 (I-JSON); a 7.9.9 for the digits.
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from marshal import dumps as dump

from jiter import from_json

from jsonschema_bridge.errors import JsonUnreadable

MAX_DEPTH = 200
"""Levels of arrays and objects around a value that the parser follows; a value deeper down is refused."""

MAX_DIGITS = 1_000
"""Digits that a number may have, those behind the point and of the exponent included; Confluent takes no more."""

_REASON_LENGTH = 200  # a reason names a duplicate key, which may be as long as the body

_RARE = 0xF0
_INFINITE = bytes(6) + bytes([_RARE])  # what +inf and -inf share of their eight bytes
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_REASONS = (
    ("Detected duplicate key", "duplicate-key"),
    ("recursion limit exceeded", "depth"),
    ("number out of range", "number-range"),
    ("invalid unicode code point", "encoding"),
    ("unexpected end of hex escape", "encoding"),
    ("lone leading surrogate", "encoding"),
)
_STEP = 100
_NUMERIC = bytes(ord("0") if chr(code) in "0123456789.eE+-" else ord(" ") for code in range(256))
_LONG = b"0" * (MAX_DIGITS // _STEP)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[-0-9][-+.eE0-9]*')
_WHERE = re.compile(r" at line (\d+) column (\d+)$")


def utf8(body: bytes) -> bytes:
    """Return `body` as UTF-8 without a byte order mark; UTF-16 and UTF-32 are transcoded.

    The encoding is told by the mark or by where the zero bytes stand, as Jackson does: UTF-32 by the first four,
    UTF-16 by the first two (the first character of a JSON text is ASCII, the second need not be). Raises
    JsonUnreadable.
    """
    if body[:2].isascii() and b"\0" not in body[:4]:
        return body
    encoding, skip = encoding_of(body)
    if encoding == "utf-8":
        return body[skip:]
    try:
        return body[skip:].decode(encoding).encode()
    except UnicodeError as error:
        raise JsonUnreadable("encoding", f"invalid {encoding.upper()}: {error}") from error


def encoding_of(body: bytes) -> tuple[str, int]:
    """Return the encoding that the first four bytes of a JSON text tell, and how many of them are its mark.

    UTF-32 is told by four bytes, UTF-16 by two, as `utf8` says.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return encoding, len(mark)
    zeros = "".join("0" if byte == 0 else "x" for byte in body[:4])
    by_zeros = {"000x": "utf-32-be", "x000": "utf-32-le", "0x": "utf-16-be", "x0": "utf-16-le"}
    return by_zeros.get(zeros) or by_zeros.get(zeros[:2], "utf-8"), 0


def read_json(text: bytes, depth: int = MAX_DEPTH) -> object:
    """Parse UTF-8 JSON `text` in its one reading, of `depth` levels at most.

    Raises JsonUnreadable(kind, reason, pointer where known).
    """
    try:
        value = from_json(text, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        raise _unreadable(str(error)) from None
    if len(text) > MAX_DIGITS:
        _check_digits(text)
    # A dump made in C and the search for one byte cost a fifth of what any look at each number costs.
    dumped = dump(value)
    if _RARE in dumped and _INFINITE in dumped:
        for pointer, part in parts_of(value):
            if isinstance(part, float) and math.isinf(part):
                raise JsonUnreadable("number-range", "number beyond the range of a double", pointer)
    return value if depth >= MAX_DEPTH else _shallow(value, depth)


def read_json_loosely(text: bytes, depth: int = MAX_DEPTH, *, surrogates: bool = False) -> object:
    """Parse UTF-8 JSON `text` as Confluent's REST Proxy does, which takes what has more than one reading.

    Of duplicate keys the last one wins; a number beyond a double is infinite; with `surrogates` half a surrogate pair
    is a character. Raises JsonUnreadable. Source: transcripts B27, X47, X48 of a 7.9.9.
    """
    try:
        value = from_json(text, allow_inf_nan=False, cache_mode="keys")
    except ValueError as error:
        unreadable = _unreadable(str(error))
        if not surrogates or unreadable.kind != "encoding":
            raise unreadable from None
        value = _shallow(_with_surrogates(text, unreadable), depth)
    if len(text) > MAX_DIGITS:
        _check_digits(text)
    return value if depth >= MAX_DEPTH else _shallow(value, depth)


def _check_digits(text: bytes) -> None:
    """Refuse a number of too many digits in what is JSON. Raises JsonUnreadable."""
    # A long number shows in every hundredth byte, and these cost next to nothing.
    if _LONG not in text[::_STEP].translate(_NUMERIC):
        return
    for found in _TOKENS.finditer(text):
        if found[0][:1] != b'"' and len(found[0].translate(None, b".eE+-")) > MAX_DIGITS:
            before = text[: found.start()]
            line, column = before.count(b"\n") + 1, found.start() - before.rfind(b"\n")
            raise JsonUnreadable("number-range", f"more than {MAX_DIGITS} digits (line {line}, column {column})")


def _with_surrogates(text: bytes, unreadable: JsonUnreadable) -> object:
    """Parse what jiter does not read; the standard library does, and takes NaN too."""

    def refuse(_: str) -> object:
        raise unreadable

    try:
        return json.loads(text.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise unreadable from None


def _shallow(value: object, depth: int) -> object:
    if _deeper(value, depth):
        raise JsonUnreadable("depth", f"more than {depth} levels of arrays and objects")
    return value


def _deeper(value: object, depth: int) -> bool:
    """Tell whether `value` has more than `depth` levels of arrays and objects, 200 at most."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper(item, depth - 1) for item in items)


def _unreadable(text: str) -> JsonUnreadable:
    kind = next((kind for start, kind in _REASONS if text.startswith(start)), "syntax")
    place = _WHERE.search(text)
    where = f" (line {place[1]}, column {place[2]})" if place else ""
    reason = text[: place.start()] if place else text
    cut = reason if len(reason) <= _REASON_LENGTH else reason[:_REASON_LENGTH] + "…"
    return JsonUnreadable(kind, cut + where)


def parts_of(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    """Yield a value, and whatever is in it, each with its pointer."""
    yield pointer, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from parts_of(item, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from parts_of(item, f"{pointer}/{index}")


def escape(token: object) -> str:
    """Escape one reference token of a JSON Pointer (RFC 6901)."""
    return str(token).replace("~", "~0").replace("/", "~1")


def confluent_text(value: object) -> bytes:
    r"""Write `value` the way Confluent's REST Proxy writes JSON: the bytes that decide a key's partition.

    Compact, members in the order they came, doubles as Java's `Double.toString` has them, characters beyond the
    basic plane and halves of such as `\\uD83D\\uDE00`, control characters as `\\u001F`, infinity as text. Source:
    transcripts X47, X48 of a 7.9.9.
    """
    return "".join(_pieces(value)).encode()


def _pieces(value: object) -> Iterator[str]:
    match value:
        case str():
            yield _string(value)
        case float():
            yield _java_double(value)
        case dict():
            yield "{"
            for index, (name, item) in enumerate(value.items()):
                yield f"{',' if index else ''}{_string(name)}:"
                yield from _pieces(item)
            yield "}"
        case list():
            yield "["
            for index, item in enumerate(value):
                yield "," if index else ""
                yield from _pieces(item)
            yield "]"
        case _:
            yield json.dumps(value)  # null, booleans and integers have one form


_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES = str.maketrans({chr(code): f"\\u{code:04X}" for code in range(32)} | _SHORT)
_BEYOND_BMP = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")


def _string(value: str) -> str:
    return f'"{_BEYOND_BMP.sub(_surrogates, value.translate(_ESCAPES))}"'


def _surrogates(found: re.Match[str]) -> str:
    pair = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[at : at + 2].hex().upper()}" for at in range(0, len(pair), 2))


_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def _java_double(value: float) -> str:
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    size = abs(value)
    if size == 0:
        return f"{sign}0.0"
    if math.isinf(size):
        return f'"{sign}Infinity"'
    two = f"{size:.1e}"  # Java writes two digits or more, the nearest: 4.9E-324 where Python has 5e-324
    _, digits, exponent = Decimal(two if float(two) == size else repr(size)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = len(digits) + int(exponent)  # where the decimal point stands, counted from the first digit
    if _PLAIN_FROM <= size < _PLAIN_BELOW:
        whole = text[: max(point, 0)].ljust(max(point, 0), "0") or "0"
        part = "0" * max(-point, 0) + text[max(point, 0) :]
        return f"{sign}{whole}.{part or '0'}"
    return f"{sign}{text[0]}.{text[1:] or '0'}E{point - 1}"
