"""The v2 produce request and its answer: bytes to records, receipt to bytes.

Source: rest-proxy contract, sections 1.3 and 1.6. The strict decoder takes what nearly all requests look like; what
it refuses is read again slowly, with Confluent's coercions, or explained.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, cast

import msgspec
from msgspec import Meta

from confluent_shim.api.coercion import integer, kind, refuse_unknown, string
from confluent_shim.api.unreadable import NO_JSON, unreadable
from confluent_shim.errors import BodyUnreadable, EnvelopeRefused, RecordsRejected, TooManyRecords
from confluent_shim.records import (
    JSON_NULL,
    UNCLAIMED,
    Claimed,
    Delivery,
    EmbeddedFormat,
    IncomingRecord,
    Int32,
    ProduceRequest,
    Receipt,
)
from confluent_shim.settings import Limits
from jsonschema_bridge import JsonUnreadable, confluent_text, read_json, read_json_loosely, utf8

_MAX_LISTED = 100
_LEVELS_AROUND = 2  # a record lies in the list of records, and that in the body
_LIMITS = Limits()
_SCHEMA_TEXT = "a string that holds the schema's text"


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    records: Annotated[list[IncomingRecord], Meta(min_length=1)]
    key_schema: str | None = None
    key_schema_id: Int32 | None = None
    value_schema: str | None = None
    value_schema_id: Int32 | None = None


class _RawEnvelope(msgspec.Struct):
    records: list[msgspec.Raw]


_STRICT = msgspec.json.Decoder(_Envelope)
_RAW = msgspec.json.Decoder(_RawEnvelope)
_RAW_RECORD = msgspec.json.Decoder(dict[str, msgspec.Raw])
_HANDLERS = {
    "binary": "produceBinary",
    "json": "produceJson",
    "avro": "produceAvro",
    "jsonschema": "produceJsonSchema",
    "protobuf": "produceProtobuf",
}


def read_request(
    body: bytes,
    topic: str,
    embedded_format: EmbeddedFormat,
    partition: int | None = None,
    *,
    limits: Limits = _LIMITS,
    strict: bool = True,
) -> ProduceRequest:
    """Read the body of a produce request for `topic` (and `partition`, when the path names one).

    Raises BodyUnreadable, EnvelopeRefused, TooManyRecords, or RecordsRejected when a record has no single reading.
    Without `strict` Confluent's reading of it will do.
    """
    document, text = _read(body, limits.depth) if strict else _read_loosely(body, limits.depth, embedded_format)
    if document is None:
        raise EnvelopeRefused(f"{_argument(embedded_format, partition)} must not be null (was null)")
    try:
        envelope = _STRICT.decode(text)
    except msgspec.DecodeError:
        envelope = _coerced(document, text, _argument(embedded_format, partition))
    if len(envelope.records) > limits.records:
        raise TooManyRecords(len(envelope.records), limits.records)
    # The decoder has just seen that the document is an object with a list of objects.
    parsed = cast("Mapping[str, Sequence[dict[str, object]]]", document)["records"]
    for index, record in enumerate(envelope.records):
        if record.partition is not None and record.partition < 0:
            raise BodyUnreadable(f"records[{index}].partition: {record.partition} is negative")
    return ProduceRequest(
        topic,
        embedded_format,
        embedded_format,
        envelope.records,
        parsed,
        _claimed(envelope.key_schema, envelope.key_schema_id),
        _claimed(envelope.value_schema, envelope.value_schema_id),
        partition,
        len(text),
    )


def _argument(embedded_format: EmbeddedFormat, partition: int | None) -> str:
    """Return what Confluent calls the body in its words about it."""
    return f"{_HANDLERS[embedded_format]}.arg{2 if partition is None else 3}"


def _claimed(schema: str | None, schema_id: int | None) -> Claimed:
    return UNCLAIMED if schema is None and schema_id is None else Claimed(schema, schema_id)


def _read(body: bytes, depth: int) -> tuple[object, bytes]:
    try:
        text = utf8(body)
        if not text.strip():
            return None, text
        return read_json(text, depth), text
    except JsonUnreadable as error:
        raise _located(error, body, depth) from error


def _read_loosely(body: bytes, depth: int, embedded_format: EmbeddedFormat) -> tuple[object, bytes]:
    try:
        text = utf8(body)
        # What is not Unicode can be written as it was sent, and cannot be judged by a schema.
        return read_json_loosely(text, depth, surrogates=embedded_format == "json") if text.strip() else None, text
    except JsonUnreadable as error:
        raise BodyUnreadable(f"The body cannot be read as JSON: {error}") from error


def _located(error: JsonUnreadable, body: bytes, depth: int) -> BodyUnreadable | RecordsRejected:
    """Name the records whose key or value has no single reading; where it is the envelope, say that."""
    found = []
    for index, record in enumerate(_raw_records(body)):
        try:
            read_json(record, depth - _LEVELS_AROUND)
        except JsonUnreadable as reason:
            found.append(_unreadable_record(index, record, reason))
    if not found:
        return BodyUnreadable(f"The body has no single reading as JSON: {error}")
    first = found[0]
    return RecordsRejected(
        f"Bad Request: record {first['record']}: {first['message']}", found[:_MAX_LISTED], cut=len(found) > _MAX_LISTED
    )


def _raw_records(body: bytes) -> Sequence[bytes]:
    """Take a body that is not quite JSON apart, as far as that goes."""
    try:
        text = utf8(body)
        try:
            return [bytes(record) for record in _RAW.decode(text).records]
        except msgspec.MsgspecError:
            # The standard library reads NaN and lone surrogates, and writes them as they were.
            return [json.dumps(record).encode() for record in json.loads(text)["records"]]
    except (JsonUnreadable, ValueError, TypeError, KeyError, RecursionError):
        return []


def _unreadable_record(index: int, record: bytes, reason: JsonUnreadable) -> dict[str, object]:
    field, _, pointer = reason.pointer.removeprefix("/").partition("/")
    field = field or _unreadable_field(record)
    part = field if field in ("key", "value") else None
    return unreadable(index, part, f"/{pointer}" if pointer else "", reason, field)


def _unreadable_field(record: bytes) -> str:
    """Return the first field of a record that has no single reading; empty where the record cannot be taken apart."""
    try:
        for name, field in _RAW_RECORD.decode(record).items():
            try:
                read_json(bytes(field))
            except JsonUnreadable:
                return name
    except NO_JSON:
        pass
    return ""


def _coerced(document: object, text: bytes, argument: str) -> _Envelope:
    """Read what Confluent takes although it is not what it documents, or say why it takes it not."""
    if not isinstance(document, dict):
        raise BodyUnreadable(f"The body must be a JSON object, not {kind(document)}")
    refuse_unknown(document, _Envelope.__struct_fields__)
    records = document.get("records")
    if records is None or records == []:
        shown = "null" if records is None else "[]"
        raise EnvelopeRefused(f"{argument}.records must not be empty (was {shown})")
    if not isinstance(records, list):
        raise BodyUnreadable(f"records: must be an array, not {kind(records)}")
    partitions = [_partition(index, record) for index, record in enumerate(records)]
    try:
        raw = [_RAW_RECORD.decode(record) for record in _RAW.decode(text).records]
    except msgspec.DecodeError:
        # Halves of surrogate pairs, which the decoder does not read; then the bytes are those that Confluent writes.
        raw = [{name: msgspec.Raw(confluent_text(field)) for name, field in record.items()} for record in records]
    return _Envelope(
        [
            IncomingRecord(fields.get("key", JSON_NULL), fields.get("value", JSON_NULL), partition)
            for fields, partition in zip(raw, partitions, strict=True)
        ],
        string("key_schema", document.get("key_schema"), _SCHEMA_TEXT),
        integer("key_schema_id", document.get("key_schema_id")),
        string("value_schema", document.get("value_schema"), _SCHEMA_TEXT),
        integer("value_schema_id", document.get("value_schema_id")),
    )


def _partition(index: int, record: object) -> int | None:
    if not isinstance(record, dict):
        raise BodyUnreadable(f"records[{index}]: must be an object, not {kind(record)}")
    refuse_unknown(record, IncomingRecord.__struct_fields__)
    return integer(f"records[{index}].partition", record.get("partition"))


def render_receipt(receipt: Receipt) -> bytes:
    """Write the answer to an accepted request; its null fields are always there."""
    offsets = ",".join([_written(delivery) for delivery in receipt.deliveries])
    key_id, value_id = (
        "null" if number is None else str(number) for number in (receipt.key_schema_id, receipt.value_schema_id)
    )
    return f'{{"offsets":[{offsets}],"key_schema_id":{key_id},"value_schema_id":{value_id}}}'.encode()


def _written(delivery: Delivery) -> str:
    if delivery.error_code is None:
        return f'{{"partition":{delivery.partition},"offset":{delivery.offset},"error_code":null,"error":null}}'
    fields: dict[str, object] = {
        "partition": None,
        "offset": None,
        "error_code": int(delivery.error_code),
        "error": delivery.error,
        "outcome": delivery.outcome,
        "retryable": delivery.retryable,
    }
    if delivery.errors:
        fields["errors"] = delivery.errors
    return msgspec.json.encode(fields).decode()
