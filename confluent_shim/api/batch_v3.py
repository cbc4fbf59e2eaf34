"""The body of a batch of the v3 API: bytes to its entries. Source: rest-proxy contract, section 2.5."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from confluent_shim.api.coercion import kind, refuse_unknown
from confluent_shim.api.unreadable import NO_JSON
from confluent_shim.api.wire_v3 import RecordV3, Unreadable, check_schemas_given, read_entry, unreadable_record
from confluent_shim.errors import BatchRefused, BodyUnreadable, PartitionNotFound, RecordsRejected
from jsonschema_bridge import JsonUnreadable, confluent_text, read_json, read_json_loosely, utf8

_LEVELS_AROUND = 2  # an entry lies in the list of entries, and that in the body
_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")


class _Batch(msgspec.Struct):
    entries: list[msgspec.Raw]


_BATCH = msgspec.json.Decoder(_Batch)


class Entry(NamedTuple):
    """One entry of a batch: its id, and its record or what is wrong with that."""

    id: str
    record: RecordV3 | PartitionNotFound


def read_batch(body: bytes, depth: int, most: int, *, strict: bool = True) -> list[Entry]:
    """Read the body of a batch of `most` entries at most.

    Raises BatchRefused, BodyUnreadable, EnvelopeRefused, and RecordsRejected when an entry has no single reading.
    Without `strict`, for a topic that no binding judges, Confluent's reading will do, and each entry must bring the
    schema that its type needs.
    """
    text, document, unreadable = _read(body, depth, strict=strict)
    if document is None:
        raise BatchRefused("Request body is empty. Data is required.")
    if not isinstance(document, dict):
        raise BodyUnreadable(f"The body must be a JSON object, not {kind(document)}")
    refuse_unknown(document, ("entries",))
    entries = document.get("entries")
    if not entries and isinstance(entries, list | None):
        raise BatchRefused("Empty batch.")
    if not isinstance(entries, list):
        raise BodyUnreadable(f"entries: must be an array, not {kind(entries)}")
    records = [
        _read_entry(f"entries[{index}]", text, entries[index], _of_entry(unreadable, index), strict=strict)
        for index, text in enumerate(_texts(text, entries))
    ]
    if len(entries) > most:
        raise BatchRefused("Too many entries in batch.")
    ids = [entry["id"] if isinstance(entry.get("id"), str) else "" for entry in entries]
    if not all(map(_ID.fullmatch, ids)):
        raise BatchRefused("Batch entry identifier is not a valid string.")
    if len(set(ids)) < len(ids):
        raise BatchRefused("Batch entry IDs are not distinct.")
    return [Entry(*each) for each in zip(ids, records, strict=True)]


def _texts(text: bytes, entries: Sequence[object]) -> Sequence[bytes]:
    try:
        return [bytes(raw) for raw in _BATCH.decode(text).entries]
    except msgspec.DecodeError:
        # Halves of surrogate pairs, which the decoder does not read; then the bytes are those that Confluent writes.
        return [confluent_text(entry) for entry in entries]


def _read_entry(
    where: str, text: bytes, document: object, unreadable: Unreadable | None, *, strict: bool
) -> RecordV3 | PartitionNotFound:
    try:
        record = read_entry(text, document, unreadable)
        if not strict:
            check_schemas_given(record.shape)
    except PartitionNotFound as error:
        return error
    except BodyUnreadable as error:
        raise BodyUnreadable(f"{where}: {error}") from error
    return record


def _read(body: bytes, depth: int, *, strict: bool) -> tuple[bytes, object, Unreadable | None]:
    """Return a body as UTF-8 and parsed, and, without `strict`, why that is not its only reading, if it is not."""
    try:
        text = utf8(body)
        return text, read_json(text, depth) if text.strip() else None, None
    except JsonUnreadable as error:
        why = _located(error, body, depth)
        if strict:
            raise why from error
    try:
        text = utf8(body)
        return text, read_json_loosely(text, depth, surrogates=True), why
    except JsonUnreadable as error:
        raise BodyUnreadable(f"The body cannot be read as JSON: {error}") from error


def _located(error: JsonUnreadable, body: bytes, depth: int) -> Unreadable:
    """Name the entries that have no single reading; where it is the envelope, say that."""
    try:
        texts = _BATCH.decode(utf8(body)).entries
    except (JsonUnreadable, *NO_JSON):
        texts = []
    found = []
    for index, text in enumerate(texts):
        try:
            read_json(bytes(text), depth - _LEVELS_AROUND)
        except JsonUnreadable as reason:
            found.append(unreadable_record(index, bytes(text), reason))
    if not found:
        return BodyUnreadable(f"The body has no single reading as JSON: {error}")
    return RecordsRejected(f"Bad Request: entry {found[0]['record']}: {found[0]['message']}", found)


def _of_entry(unreadable: Unreadable | None, index: int) -> Unreadable | None:
    """Return as much of what is wrong with a batch as is wrong with one of its entries."""
    if not isinstance(unreadable, RecordsRejected):
        return unreadable
    errors = [error for error in unreadable.errors if error["record"] == index]
    return RecordsRejected(str(unreadable), errors) if errors else None
