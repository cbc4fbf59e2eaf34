"""The records of the v3 API: bytes to what the engine judges.

Source: rest-proxy contract, section 2.2. The strict decoder takes what nearly all records look like; what it
refuses is read again slowly, with Confluent's coercions, or explained.
"""

import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from confluent_shim.api.coercion import integer, kind, refuse_unknown, string
from confluent_shim.api.instant import read_instant
from confluent_shim.api.unreadable import NO_JSON, unreadable
from confluent_shim.errors import NAME_CHARACTERS, BodyUnreadable, PartitionNotFound, RecordsRejected
from confluent_shim.records import (
    JSON_NULL,
    Claimed,
    EmbeddedFormat,
    Extras,
    IncomingRecord,
    Int32,
    Part,
    SubjectStrategy,
)
from jsonschema_bridge import JsonUnreadable, confluent_text, read_json, read_json_loosely

Unreadable = RecordsRejected | BodyUnreadable
"""Why bytes have no single reading as JSON."""

Type = Literal["BINARY", "JSON", "STRING", "AVRO", "JSONSCHEMA", "PROTOBUF"]

_FORMATS: Mapping[str, EmbeddedFormat] = {
    "BINARY": "binary",
    "JSON": "json",
    "STRING": "string",
    "AVRO": "avro",
    "JSONSCHEMA": "jsonschema",
    "PROTOBUF": "protobuf",
}
TYPES: Mapping[EmbeddedFormat, str] = {embedded_format: name for name, embedded_format in _FORMATS.items()}
_WITHOUT_SCHEMA = ("BINARY", "JSON", "STRING")
_WITH_SCHEMA: Sequence[EmbeddedFormat] = ("avro", "jsonschema", "protobuf")
_STRATEGIES: Sequence[str] = get_args(SubjectStrategy)
_IN_DATA = re.compile("/(key|value)/data(?=/|$)")


class _Data(msgspec.Struct, forbid_unknown_fields=True):
    data: msgspec.Raw
    type: Type | None = None
    schema: str | None = None
    schema_id: Int32 | None = None
    schema_version: Int32 | Literal["latest"] | None = None
    subject: str | None = None
    subject_name_strategy: SubjectStrategy | None = None


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str | None = None


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    key: _Data | None = None
    value: _Data | None = None
    partition_id: Int32 | None = None
    headers: list[_Header] | None = None
    timestamp: str | int | float | None = None


class _Entry(_Record, forbid_unknown_fields=True):
    id: msgspec.Raw = JSON_NULL


_RECORD = msgspec.json.Decoder(_Record)
_RECORDS = msgspec.json.Decoder(list[_Record])
_ENTRY = msgspec.json.Decoder(_Entry)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Said(NamedTuple):
    """What a record says of its key or its value: in which format it comes, and what of its schema."""

    embedded_format: EmbeddedFormat | None
    claimed: Claimed


class Shape(NamedTuple):
    """What records must have in common to be judged together; None where there is no key or no value at all.

    `has_key` tells whether the key is another than null: some formats are only refused then. `unreadable` is why a
    record has no single reading, where Confluent's will do; it is judged alone.
    """

    key: Said | None
    value: Said | None
    has_key: bool
    unreadable: Unreadable | None = None


class RecordV3(NamedTuple):
    """A record of the v3 API: `parsed` has `key` and `value` as Python objects, `size` is that of its text."""

    shape: Shape
    incoming: IncomingRecord
    parsed: dict[str, object]
    extras: Extras | None
    size: int


SILENT = Said(None, Claimed())
"""What is said of nothing at all."""

_OF_FORMAT = {name: Said(embedded_format, Claimed()) for name, embedded_format in _FORMATS.items()}


def read_together(texts: Sequence[bytes], depth: int) -> list[RecordV3] | None:
    """Read usual records of a stream, for much less than each by itself; None where there is anything to say of one.

    A text that has its brackets in pairs stays one value when others stand beside it.
    """
    text = b"[" + b",".join(texts) + b"]"
    try:
        documents: list[object] = read_json(text, depth + 1)  # type: ignore[assignment]  # the brackets are ours
        records = _RECORDS.decode(text)
        if len(records) != len(texts):
            return None
        return [_checked(*each) for each in zip(records, documents, map(len, texts), strict=True)]
    except (JsonUnreadable, msgspec.ValidationError, BodyUnreadable, PartitionNotFound):
        return None


def read_record(text: bytes, document: object, unreadable: Unreadable | None = None) -> RecordV3:
    """Read a record of a stream; `document` is its text, parsed, `unreadable` why that is not its only reading.

    Raises BodyUnreadable, EnvelopeRefused, PartitionNotFound.
    """
    return _read(_RECORD, text, document, unreadable)


def read_entry(text: bytes, document: object, unreadable: Unreadable | None = None) -> RecordV3:
    """Read a record of a batch, which has an id beside all that one of a stream has; raises the same."""
    return _read(_ENTRY, text, document, unreadable, ("id",))


def _read(
    decoder: "msgspec.json.Decoder[Any]",
    text: bytes,
    document: object,
    unreadable: Unreadable | None,
    more: Sequence[str] = (),
) -> RecordV3:
    if unreadable is not None:
        _refuse_halves(document)
    try:
        record: _Record = decoder.decode(text)
    except msgspec.DecodeError:
        record = _coerced(text, document, more)
    return _checked(record, document, len(text), unreadable)


def check_schemas_given(shape: Shape) -> None:
    """Refuse a type that needs a schema and brings none, as Confluent does; a binding would have it.

    Raises BodyUnreadable.
    """
    parts: tuple[tuple[Part, Said | None], ...] = (("key", shape.key), ("value", shape.value))
    for part, said in parts:
        if said is None or said.claimed.schema is not None:
            continue
        if (needy := said.embedded_format) is not None and needy in _WITH_SCHEMA:
            raise BodyUnreadable(f"{part}: 'type={TYPES[needy]}' needs a 'schema'.")


def unreadable_record(index: int, text: bytes, reason: JsonUnreadable) -> dict[str, object]:
    """Return one element of an answer's `errors` array for a record that has no single reading."""
    if found := _IN_DATA.match(reason.pointer):
        return unreadable(index, found[1], reason.pointer[found.end() :], reason, found[1])
    part = _unreadable_part(text)
    return unreadable(index, part, "", reason, part or "")


def rejected_record(index: int, text: bytes, reason: JsonUnreadable) -> RecordsRejected:
    """Return what a record of a stream is refused with that has no single reading."""
    told = unreadable_record(index, text, reason)
    return RecordsRejected(f"Bad Request: {told['message']}", [told])


def read_record_loosely(text: bytes, depth: int, unreadable: Unreadable) -> RecordV3:
    """Read a record of a stream as Confluent does, which `unreadable` says is not its only reading.

    Raises JsonUnreadable where that is none either, and what `read_record` raises.
    """
    return read_record(text, read_json_loosely(text, depth, surrogates=True), unreadable)


def _unreadable_part(text: bytes) -> Part | None:
    """Tell whether the key or the value is to blame, as far as the record can be taken apart."""
    parts: tuple[Part, Part] = ("key", "value")
    try:
        fields = _FIELDS.decode(text)
        for part in parts:
            try:
                read_json(bytes(fields.get(part, JSON_NULL)))
            except JsonUnreadable:
                return part
    except NO_JSON:
        pass
    return None


def _checked(record: _Record, document: object, size: int, unreadable: Unreadable | None = None) -> RecordV3:
    """Hold a record to the rules of the contract that no type tells."""
    fields: Mapping[str, Mapping[str, object]] = document  # type: ignore[assignment]  # the decoder has just seen so
    key, value, parsed = record.key, record.value, dict[str, object]()
    key_raw = value_raw = JSON_NULL
    key_said = value_said = None
    if key is not None:
        key_said, key_raw, parsed["key"] = _said("key", key), key.data, fields["key"]["data"]
    if value is not None:
        value_said, value_raw, parsed["value"] = _said("value", value), value.data, fields["value"]["data"]
    partition = record.partition_id
    if partition is not None and partition < 0:
        raise PartitionNotFound
    extras = None
    if record.headers or record.timestamp is not None:
        headers = [_header(f"headers[{index}]", header) for index, header in enumerate(record.headers or ())]
        extras = Extras(headers, read_instant("timestamp", record.timestamp))
    return RecordV3(
        Shape(key_said, value_said, parsed.get("key") is not None, unreadable),
        IncomingRecord(key_raw, value_raw, partition),
        parsed,
        extras,
        size,
    )


def _said(part: Part, said: _Data) -> Said:
    """Refuse what cannot be said together, in Confluent's words and order; without a schema the bound one is meant."""
    if (
        said.schema is None
        and said.schema_id is None
        and said.schema_version is None
        and said.subject is None
        and said.subject_name_strategy is None
    ):
        return SILENT if said.type is None else _OF_FORMAT[said.type]
    named = Claimed(said.schema, said.schema_id, said.schema_version, said.subject, said.subject_name_strategy)
    if named.version == -1:
        named = named._replace(version="latest")
    if named.strategy is not None and named.subject is not None:
        raise BodyUnreadable(f"{part}: Only one of 'subject_name_strategy' or 'subject' can be used.")
    if sum(each is not None for each in (named.schema, named.schema_id, named.version)) > 1:
        raise BodyUnreadable(f"{part}: Only one of 'schema_id', 'schema_version' or 'schema' can be used.")
    if said.type in _WITHOUT_SCHEMA:
        other = next(name for name, given in zip(_CONFLICTS, _in_order(named), strict=True) if given is not None)
        raise BodyUnreadable(f"{part}: 'type={said.type}' cannot be used with '{other}'.")
    if said.type is not None and named.schema_id is not None:
        raise BodyUnreadable(f"{part}: 'schema_id={named.schema_id}' cannot be used with 'serializer'.")
    if said.type is not None and named.version is not None:
        raise BodyUnreadable(f"{part}: 'schema_version={said.schema_version}' cannot be used with 'serializer'.")
    return Said(None if said.type is None else _FORMATS[said.type], named)


_CONFLICTS = ("subject_strategy", "subject", "schema_id", "schema_version", "schema")


def _in_order(named: Claimed) -> Sequence[object]:
    return named.strategy, named.subject, named.schema_id, named.version, named.schema


def _header(where: str, header: _Header) -> tuple[str, bytes | None]:
    if "\0" in header.name:
        raise BodyUnreadable(f"{where}.name: has a NUL, which no header's name can have in Kafka's client")
    if header.value is None:
        return header.name, None
    try:
        return header.name, binascii.a2b_base64(header.value, strict_mode=True)
    except ValueError:
        raise BodyUnreadable(f"{where}.value: must be base64 with its padding") from None


def _coerced(text: bytes, document: object, more: Sequence[str] = ()) -> _Record:
    """Read what Confluent takes although it is not what it documents, or say why it takes it not."""
    if not isinstance(document, dict):
        raise BodyUnreadable(f"A record must be a JSON object, not {kind(document)}")
    refuse_unknown(document, (*_Record.__struct_fields__, *more))
    raw = _fields(text, document)
    return _Record(
        _coerced_data("key", raw.get("key", JSON_NULL), document.get("key")),
        _coerced_data("value", raw.get("value", JSON_NULL), document.get("value")),
        integer("partition_id", document.get("partition_id")),
        _coerced_headers(document.get("headers")),
        document.get("timestamp"),
    )


def _fields(text: bytes, document: Mapping[str, object]) -> Mapping[str, msgspec.Raw]:
    """Take an object apart; one with half of a surrogate pair, which no decoder reads, into what Confluent writes."""
    try:
        return _FIELDS.decode(text)
    except msgspec.DecodeError:
        return {name: msgspec.Raw(confluent_text(field)) for name, field in document.items()}


def _refuse_halves(document: object) -> None:
    """Refuse half of a surrogate pair, unless it is in data of the type JSON: such data is written as it came."""
    fields = document.items() if isinstance(document, dict) else ()
    others = [
        {**field, "data": None} if isinstance(field, dict) and field.get("type") == "JSON" else (name, field)
        for name, field in fields
    ]
    try:
        json.dumps(others, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BodyUnreadable("half of a surrogate pair stands elsewhere than in data of the type JSON") from None


def _coerced_data(part: Part, raw: msgspec.Raw, document: object) -> _Data | None:
    if document is None:
        return None
    if not isinstance(document, dict):
        raise BodyUnreadable(f"{part}: must be an object, not {kind(document)}")
    refuse_unknown(document, _Data.__struct_fields__, f"{part}.")
    version = document.get("schema_version")
    coerced = {
        "type": _one_of(f"{part}.type", document.get("type"), tuple(_FORMATS)),
        "schema": string(f"{part}.schema", document.get("schema"), "a string that holds the schema's text"),
        "schema_id": integer(f"{part}.schema_id", document.get("schema_id")),
        "schema_version": version if version == "latest" else integer(f"{part}.schema_version", version),
        "subject": string(f"{part}.subject", document.get("subject")),
        "subject_name_strategy": _one_of(
            f"{part}.subject_name_strategy", document.get("subject_name_strategy"), _STRATEGIES
        ),
    }
    if "data" not in document:
        raise BodyUnreadable(f"{part}.data: is missing; null is said as null")
    return _Data(_fields(bytes(raw), document)["data"], **coerced)  # type: ignore[arg-type]  # each was read as what it is


def _one_of(field: str, value: object, names: Sequence[str]) -> str | None:
    if value is None or (isinstance(value, str) and value in names):
        return value
    shown = f'"{value[:NAME_CHARACTERS]}"' if isinstance(value, str) else kind(value)
    raise BodyUnreadable(f"{field}: must be one of {', '.join(names)}, not {shown}")


def _coerced_headers(headers: object) -> list[_Header] | None:
    if headers is None:
        return None
    if not isinstance(headers, list):
        raise BodyUnreadable(f"headers: must be an array, not {kind(headers)}")
    return [_coerced_header(f"headers[{index}]", header) for index, header in enumerate(headers)]


def _coerced_header(where: str, header: object) -> _Header:
    if not isinstance(header, dict):
        raise BodyUnreadable(f"{where}: must be an object, not {kind(header)}")
    refuse_unknown(header, _Header.__struct_fields__, f"{where}.")
    name, value = string(f"{where}.name", header.get("name")), header.get("value")
    if name is None:
        raise BodyUnreadable(f"{where}.name: is missing")
    if not isinstance(value, str | None):
        raise BodyUnreadable(f"{where}.value: must be base64 with its padding, not {kind(value)}")
    return _Header(name, value)
