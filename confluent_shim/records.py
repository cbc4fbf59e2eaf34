"""The values that travel along the path of one record."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

EmbeddedFormat = Literal["json", "jsonschema", "avro", "binary", "string", "protobuf"]
SubjectStrategy = Literal["TOPIC_NAME", "RECORD_NAME", "TOPIC_RECORD_NAME"]
Part = Literal["key", "value"]
Outcome = Literal["written", "not_written", "unknown"]

Int32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]

JSON_NULL = msgspec.Raw(b"null")


class IncomingRecord(msgspec.Struct, forbid_unknown_fields=True):
    """One element of a produce request, its key and value still the bytes that were sent."""

    key: msgspec.Raw = JSON_NULL
    value: msgspec.Raw = JSON_NULL
    partition: Int32 | None = None


class Extras(NamedTuple):
    """What a record may carry besides key and value: headers in their order, and its time in ms since 1970."""

    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int | None = None


class Claimed(NamedTuple):
    """What a produce request says of the schema of its keys or of its values: all that is given must be true of it.

    `version` is a number or `latest`; `strategy` says how Confluent would derive the subject's name.
    """

    schema: str | None = None
    schema_id: int | None = None
    version: int | Literal["latest"] | None = None
    subject: str | None = None
    strategy: SubjectStrategy | None = None

    def __bool__(self) -> bool:
        return self is not UNCLAIMED and self != UNCLAIMED


UNCLAIMED = Claimed()


class Client(NamedTuple):
    """What a sink that speaks HTTP itself needs to know of a client: its Authorization, and which API it uses."""

    authorization: str | None = None
    api: Literal["v2", "v3"] = "v2"


ANYBODY = Client()
"""A client of the v2 API without credentials."""


class ProduceRequest(NamedTuple):
    """Records for one topic, read but not yet judged.

    `key_format` and `value_format` are the embedded formats in which keys and values come, None for that of the schema.
    `parsed` holds, record by record, the same as `records` as Python objects: a dict with `key` and `value`. No record
    has more bytes than `size`. `extras` is empty where no record has any; `first` is what the client counts the first
    record as. `client` is who sent them.
    """

    topic: str
    key_format: EmbeddedFormat | None
    value_format: EmbeddedFormat | None
    records: Sequence[IncomingRecord]
    parsed: Sequence[dict[str, object]]
    key_schema: Claimed = UNCLAIMED
    value_schema: Claimed = UNCLAIMED
    partition: int | None = None
    size: int = 0
    extras: Sequence[Extras | None] = ()
    first: int = 0
    client: Client = ANYBODY


class AdmittedRecord(msgspec.Struct, frozen=True):
    """A record that may go to Kafka: the bytes that will land. None is Kafka's null."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None
    extras: Extras | None = None


class Delivery(msgspec.Struct, frozen=True):
    """What became of one record: a place in the log, or an error with Confluent's code.

    `timestamp` is that of the record in the log, in ms since 1970. `error_code_v3` is the code of the v3 API where that
    has another one. `errors` holds the violations, as an answer lists them, of a record that was refused beside others
    that were sent.
    """

    partition: int | None
    offset: int | None
    error_code: int | None = None
    error: str | None = None
    outcome: Outcome = "written"
    retryable: bool = False
    errors: Sequence[dict[str, object]] = ()
    timestamp: int | None = None
    error_code_v3: int | None = None


class Receipt(NamedTuple):
    """What became of a whole request: one delivery per record, in order, and the ids its bytes carry.

    `failed` is how many of the records are not known to be written.
    """

    deliveries: Sequence[Delivery]
    key_schema_id: int | None
    value_schema_id: int | None
    failed: int = 0
