"""The values that travel along the path of one record."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

EmbeddedFormat = Literal["json", "jsonschema", "avro", "binary", "protobuf"]
Part = Literal["key", "value"]
Outcome = Literal["written", "not_written", "unknown"]

Int32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]

JSON_NULL = msgspec.Raw(b"null")


class IncomingRecord(msgspec.Struct, forbid_unknown_fields=True):
    """One element of a produce request, its key and value still the bytes that were sent."""

    key: msgspec.Raw = JSON_NULL
    value: msgspec.Raw = JSON_NULL
    partition: Int32 | None = None


class Claimed(NamedTuple):
    """What a produce request says of the schema of its keys or of its values: text, id, or nothing."""

    schema: str | None = None
    schema_id: int | None = None

    def __bool__(self) -> bool:
        return self.schema is not None or self.schema_id is not None


class ProduceRequest(NamedTuple):
    """Records for one topic, read but not yet judged.

    `key_format` and `value_format` are the embedded formats in which keys and values come. `parsed` holds, record by
    record, the same as `records` as Python objects: a dict with `key` and `value`. No record has
    more bytes than `size`.
    """

    topic: str
    key_format: EmbeddedFormat
    value_format: EmbeddedFormat
    records: Sequence[IncomingRecord]
    parsed: Sequence[dict[str, object]]
    key_schema: Claimed = Claimed()
    value_schema: Claimed = Claimed()
    partition: int | None = None
    size: int = 0


class AdmittedRecord(msgspec.Struct, frozen=True):
    """A record that may go to Kafka: the bytes that will land. None is Kafka's null."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None


class Delivery(msgspec.Struct, frozen=True):
    """What became of one record: a place in the log, or an error with Confluent's code.

    `errors` holds the violations, as an answer lists them, of a record that was refused beside others that were sent.
    """

    partition: int | None
    offset: int | None
    error_code: int | None = None
    error: str | None = None
    outcome: Outcome = "written"
    retryable: bool = False
    errors: Sequence[dict[str, object]] = ()


class Receipt(NamedTuple):
    """What became of a whole request: one delivery per record, in order, and the ids its bytes carry.

    `failed` is how many of the records are not known to be written.
    """

    deliveries: Sequence[Delivery]
    key_schema_id: int | None
    value_schema_id: int | None
    failed: int = 0
