"""How keys and values are read: what came in an embedded format becomes the bytes that land, or is refused."""

import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from confluent_shim.records import EmbeddedFormat, Part
from jsonschema_bridge import (
    AvroCodec,
    AvroUndecodable,
    Derived,
    JsonSchemaValidator,
    JsonUnreadable,
    NotFramed,
    Registry,
    Schema,
    Strictness,
    Violation,
    check_json_schema,
    compile_avro,
    compile_json_schema,
    confluent_text,
    frame_prefix,
    read_json,
    references_of,
    unframe,
)
from jsonschema_bridge.strictness import CONFLUENT
from jsonschema_bridge.violation import bounded


class Reading(NamedTuple):
    """How keys or values that come in one embedded format are judged.

    `landing` takes the bytes that stand in the request and the same parsed; it returns the bytes that land, with
    their frame, or None when they do not conform. `violations` takes what was parsed, and says why.
    """

    landing: Callable[[msgspec.Raw, object], bytes | None]
    violations: Callable[[object], Iterable[Violation]]


class Compiled(NamedTuple):
    """A schema compiled for the keys or the values of a topic.

    `carried_id` is the id in the frame of what lands, None without a frame; `takes_null` tells whether null conforms.
    `own_format` is the embedded format that is named for this kind of schema, `readings` has those in which JSON comes.
    The others are for payloads that come as bytes: `read` gives the value that one holds, or raises JsonUnreadable or
    AvroUndecodable.
    """

    carried_id: int | None
    takes_null: bool
    own_format: EmbeddedFormat
    readings: Mapping[EmbeddedFormat, Reading]
    read: Callable[[bytes], object]
    is_valid: Callable[[object], bool]
    violations: Callable[[object], Iterable[Violation]]


def compiled(
    schema: Schema, registry: Registry, part: Part, carried_id: int | None, strictness: Strictness
) -> Compiled:
    """Compile `schema` for one part of records; a JSON Schema is read as strictly as `strictness` says.

    Raises SchemaInvalid and the registry's errors.
    """
    if schema.kind == "AVRO":
        return _avro(compile_avro(schema, references_of(registry)), carried_id)
    return json_schema(compile_json_schema(schema, references_of(registry), strictness), part, carried_id)


def check_schema(schema: Schema, registry: Registry, strictness: Strictness = CONFLUENT) -> None:
    """Check a schema that is about to be bound. Raises SchemaInvalid with the reason, and the registry's errors."""
    if schema.kind == "AVRO":
        compile_avro(schema, references_of(registry))
    else:
        check_json_schema(schema, references_of(registry), strictness)


def json_schema(validator: JsonSchemaValidator, part: Part, carried_id: int | None) -> Compiled:
    """Return what a JSON Schema means: a value lands as it came, a key as Confluent would write it."""
    is_valid, prefix = validator.is_valid, _prefix(carried_id)

    def value(raw: msgspec.Raw, parsed: object) -> bytes | None:
        return prefix + raw if is_valid(parsed) else None

    def key(_: msgspec.Raw, parsed: object) -> bytes | None:
        return prefix + confluent_text(parsed) if is_valid(parsed) else None

    reading = Reading(key if part == "key" else value, validator.violations)
    readings: dict[EmbeddedFormat, Reading] = {"json": reading, "jsonschema": reading, "string": _string(reading)}
    return Compiled(carried_id, is_valid(None), "jsonschema", readings, read_json, is_valid, validator.violations)


def _avro(codec: AvroCodec, carried_id: int | None) -> Compiled:
    prefix = _prefix(carried_id)
    plain = _avro_reading(codec.encode_plain, prefix)
    readings: dict[EmbeddedFormat, Reading] = {
        "avro": _avro_reading(codec.encode_json, prefix),
        "json": plain,
        "string": _string(plain),
    }
    takes_null = isinstance(codec.encode_plain(None), bytes)
    return Compiled(carried_id, takes_null, "avro", readings, codec.decode, lambda _: True, lambda _: ())


def derived(validator: JsonSchemaValidator, form: Derived, carried_id: int | None) -> Compiled:
    """Return what a JSON Schema means whose values land as the Avro that is derived from it."""
    is_valid, encode, prefix = validator.is_valid, form.encode, _prefix(carried_id)

    def landing(_: msgspec.Raw, parsed: object) -> bytes | None:
        if not is_valid(parsed):
            return None
        encoded = encode(parsed)
        return prefix + encoded if isinstance(encoded, bytes) else None

    def violations(parsed: object) -> Iterable[Violation]:
        if not is_valid(parsed):
            return validator.violations(parsed)
        encoded = encode(parsed)
        return () if isinstance(encoded, bytes) else encoded

    reading = Reading(landing, violations)
    readings: dict[EmbeddedFormat, Reading] = {"json": reading, "jsonschema": reading, "string": _string(reading)}
    takes_null = is_valid(None) and isinstance(encode(None), bytes)
    return Compiled(carried_id, takes_null, "jsonschema", readings, form.decode, is_valid, validator.violations)


def _avro_reading(encode: Callable[[object], bytes | list[Violation]], prefix: bytes) -> Reading:
    def landing(_: msgspec.Raw, parsed: object) -> bytes | None:
        encoded = encode(parsed)
        return prefix + encoded if isinstance(encoded, bytes) else None

    def violations(parsed: object) -> Iterable[Violation]:
        found = encode(parsed)
        return () if isinstance(found, bytes) else found

    return Reading(landing, violations)


def _string(reading: Reading) -> Reading:
    """Return how JSON is read of which the client says that it is a string: no other value will do."""

    def landing(raw: msgspec.Raw, parsed: object) -> bytes | None:
        return reading.landing(raw, parsed) if isinstance(parsed, str | None) else None

    def violations(parsed: object) -> Iterable[Violation]:
        return reading.violations(parsed) if isinstance(parsed, str | None) else _not_a_string(parsed)

    return Reading(landing, violations)


def _not_a_string(parsed: object) -> Iterable[Violation]:
    yield _refused("string", "a string", bounded(parsed), "the data is not a string").violation


def _prefix(carried_id: int | None) -> bytes:
    return b"" if carried_id is None else frame_prefix(carried_id)


Open = Callable[[bytes], tuple[Compiled, bytes]]
"""Gives the schema that judges bytes which are encoded already, and the payload in them."""


def framed(schema_of: Callable[[int], Compiled | None], taken: str) -> Open:
    """Return how bytes in Confluent's frame are opened.

    `schema_of` gives the schema behind an id, None for one that is not taken; `taken` says in words which are.
    """

    def open_frame(sent: bytes) -> tuple[Compiled, bytes]:
        try:
            schema_id, payload = unframe(sent)
        except NotFramed as error:
            raise _refused("frame", "magic byte 0 and a schema id", None, str(error)) from None
        schema = schema_of(schema_id)
        if schema is None:
            raise _refused(
                "schema-id", taken, schema_id, f"the frame has schema id {schema_id}; what is taken is {taken}"
            )
        return schema, payload

    return open_frame


def binary(opened: Open, *, null: bool) -> Reading:
    """Return how base64 of what is encoded already is judged; what conforms lands with the bytes that were sent.

    `null` tells whether a payload may hold a null.
    """

    def read(data: object) -> tuple[bytes, Compiled, object]:
        sent = _from_base64(data)
        schema, payload = opened(sent)
        value = _decoded(schema, payload)
        if value is None and not null:
            raise _refused("nulls", "no bytes", None, "a null is sent as null, not as bytes that hold one")
        return sent, schema, value

    def landing(_: msgspec.Raw, data: object) -> bytes | None:
        try:
            sent, schema, value = read(data)
        except _Refused:
            return None
        return sent if schema.is_valid(value) else None

    def violations(data: object) -> Iterable[Violation]:
        try:
            _, schema, value = read(data)
        except _Refused as refused:
            return [refused.violation]
        return schema.violations(value)

    return Reading(landing, violations)


class _Refused(Exception):
    """Data that holds nothing which a schema could judge."""

    def __init__(self, violation: Violation) -> None:
        self.violation = violation


def _refused(keyword: str, expected: object, actual: object, message: str, pointer: str = "") -> _Refused:
    return _Refused(Violation(pointer=pointer, keyword=keyword, expected=expected, actual=actual, message=message))


def _decoded(schema: Compiled, payload: bytes) -> object:
    try:
        return schema.read(payload)
    except AvroUndecodable as error:
        raise _refused("avro", "one value of the schema", None, str(error)) from None
    except JsonUnreadable as error:
        raise _refused(error.kind, "JSON with a single reading", None, error.reason, error.pointer) from None


def _from_base64(data: object) -> bytes:
    """Read base64 as Confluent does: padding may be left out; white space and the URL-safe alphabet are refused."""
    if not isinstance(data, str):
        raise _refused("base64", "a base64 string", bounded(data), "the data is not a base64 string")
    bare = data.rstrip("=")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        raise _refused("base64", "a base64 string", bounded(data), "the data is not a valid base64 string") from None


_ANY_BYTES = Compiled(None, False, "binary", {}, lambda _: b"", lambda _: True, lambda _: ())

PLAIN_KEYS: Mapping[EmbeddedFormat, Reading] = {
    "json": Reading(lambda _, parsed: confluent_text(parsed), lambda _: ()),
    "binary": binary(lambda sent: (_ANY_BYTES, sent), null=False),
    "string": Reading(lambda _, parsed: parsed.encode() if isinstance(parsed, str) else None, _not_a_string),
}
"""How keys are read that no schema judges, in the formats that need none."""

PLAIN_VALUES: Mapping[EmbeddedFormat, Reading] = {
    **PLAIN_KEYS,
    "json": Reading(lambda raw, _: bytes(raw), lambda _: ()),
}
"""The same for values, which keep the bytes that were sent."""
