"""Values of types without parts: checked and encoded."""

import math
import struct
from collections.abc import Callable
from typing import Any

from jsonschema_bridge.avro import binary
from jsonschema_bridge.avro.findings import Findings, Path
from jsonschema_bridge.avro.logical import Logical

Convert = Callable[[Any, Path, Findings], bytes]
"""Gives the encoding of a value, or notes in the findings why there is none (what it gives then is of no use)."""

RANGES = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def primitive(kind: str, at: str) -> Convert:
    """Return how values of the primitive type `kind` are encoded; `at` is the pointer to it in the schema."""
    if kind in RANGES:
        return _integer(kind, at)
    if kind in ("float", "double"):
        return _number(kind, at)
    return {"null": _null, "boolean": _boolean, "string": _string, "bytes": _bytes}[kind](at)


def _null(at: str) -> Convert:
    def convert(value: Any, path: Path, found: Findings) -> bytes:
        return b"" if value is None else wrong_type("null", at, value, path, found)

    return convert


def _boolean(at: str) -> Convert:
    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if value is True:
            return b"\1"
        return b"\0" if value is False else wrong_type("boolean", at, value, path, found)

    return convert


def _string(at: str) -> Convert:
    small, below, integer = binary.SMALL, binary.SMALL_BELOW, binary.integer

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not str:
            return wrong_type("string", at, value, path, found)
        try:
            data = value.encode()
            size = len(data)  # binary.sized, but its calls cost more than its work
            return (small[size] if size < below else integer(size)) + data
        except UnicodeEncodeError:  # no JSON text that read_json takes has one
            found.add(path, "range", at, "Unicode characters", None, "the string holds half a surrogate pair")
            return b""

    return convert


def _integer(kind: str, at: str) -> Convert:
    low, high = RANGES[kind]
    encode = binary.integer

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not int:
            if type(value) is not float or not value.is_integer():
                return wrong_type(kind, at, value, path, found)
            value = int(value)
        if not low <= value <= high:
            found.add(path, "range", at, f"{low} to {high}", value, f"the number is beyond the range of {kind}")
            return b""
        return encode(value)

    return convert


def _number(kind: str, at: str) -> Convert:
    fits = fits_float if kind == "float" else fits_double
    pack: Callable[[Any], bytes] = (binary.FLOAT if kind == "float" else binary.DOUBLE).pack

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not float and type(value) is not int:
            return wrong_type(kind, at, value, path, found)
        if not fits(value):
            found.add(path, "range", at, kind, value, f"the number is beyond the range of {kind}")
            return b""
        return pack(value)

    return convert


def _bytes(at: str) -> Convert:
    raw = raw_bytes(at)

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        return binary.sized(raw(value, path, found))

    return convert


def raw_bytes(at: str) -> Convert:
    """Return how bytes are encoded without their length before them."""

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        return _latin1("bytes", at, value, path, found)

    return convert


def enum(name: str, symbols: list[str], at: str) -> Convert:
    """Return how symbols of an enum are encoded: by their index in `symbols`."""
    encoded = {symbol: binary.integer(index) for index, symbol in enumerate(symbols)}

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is not str:
            return wrong_type(name, at, value, path, found)
        if value not in encoded:
            found.add(path, "enum", f"{at}/symbols", symbols, value, f"the value is no symbol of {name}")
            return b""
        return encoded[value]

    return convert


def fixed(name: str, size: int, at: str) -> Convert:
    """Return how values of a fixed type are encoded: strings of `size` characters up to U+00FF."""

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if type(value) is str and len(value) != size:
            text = f"{name} has {size} bytes, the value {len(value)} characters"
            found.add(path, "fixed", f"{at}/size", size, value, text)
        return _latin1(name, at, value, path, found)

    return convert


def logical(convert: Convert, kind: Logical | None, at: str) -> Convert:
    """Return how values of a logical type are encoded: as those of the type below, which `convert` knows."""
    if kind is None:
        return convert
    name, expected, admits = kind

    def convert_logical(value: Any, path: Path, found: Findings) -> bytes:
        before = len(found.violations)
        encoded = convert(value, path, found)
        if len(found.violations) == before and not admits(value):
            found.add(path, "logicalType", f"{at}/logicalType", expected, value, f"the value is no {name}")
        return encoded

    return convert_logical


def _latin1(name: str, at: str, value: Any, path: Path, found: Findings) -> bytes:
    if type(value) is not str:
        return wrong_type(name, at, value, path, found)
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        text = f"{name} is written as characters up to U+00FF, one for each byte"
        found.add(path, "range", at, "U+0000 to U+00FF", value, text)
        return b""


def wrong_type(kind: str, at: str, value: Any, path: Path, found: Findings) -> bytes:
    """Note that a value is not of the type at all."""
    found.add(path, "type", at, kind, value, f"the value is not of type {kind}")
    return b""


def fits_double(value: float) -> bool:
    """Tell whether a number is finite as a double."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def fits_float(value: float) -> bool:
    """Tell whether a number is finite as a float of 32 bits."""
    try:
        binary.FLOAT.pack(value)
    except (OverflowError, struct.error):
        return False
    return math.isfinite(value)


def holds(kind: str, value: float) -> bool:
    """Tell whether the numeric type `kind` holds `value` without loss."""
    if kind in RANGES:
        low, high = RANGES[kind]
        return value == int(value) and low <= value <= high
    if not (fits_float if kind == "float" else fits_double)(value):
        return False
    return bool((binary.FLOAT.unpack(binary.FLOAT.pack(value))[0] if kind == "float" else float(value)) == value)
