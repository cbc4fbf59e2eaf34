"""Admitted records as a REST Proxy takes them, and its answers as deliveries: pure functions of bytes.

Keys and values go as base64 of the bytes that will land, so no version of the proxy looks into them. Source: rest-proxy
contract, sections 1.2 to 1.9 and 2.1 to 2.4.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec

from confluent_shim.error_table import Code
from confluent_shim.records import AdmittedRecord, Delivery, Outcome

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MESSAGE_CHARACTERS = 500
_MAY_COME_AGAIN = frozenset({Code.TOPIC_NOT_FOUND, Code.TOPIC_NOT_HOSTED})  # in v3: it was not there in time


class _RecordV2(msgspec.Struct, omit_defaults=True):
    key: bytes | None = None
    value: bytes | None = None
    partition: int | None = None


class _Header(msgspec.Struct):
    name: str
    value: bytes | None


class _Data(msgspec.Struct):
    data: bytes
    type: str = "BINARY"


class _RecordV3(msgspec.Struct, omit_defaults=True):
    key: _Data | None = None
    value: _Data | None = None
    partition_id: int | None = None
    headers: list[_Header] = []
    timestamp: datetime | None = None


class _Place(msgspec.Struct):
    partition: int | None = None
    offset: int | None = None
    error_code: int | None = None
    error: str | None = None


class _Offsets(msgspec.Struct):
    offsets: list[_Place]


class _Line(msgspec.Struct):
    error_code: int | None = None
    message: str | None = None
    partition_id: int | None = None
    offset: int | None = None
    timestamp: datetime | None = None


class _Refusal(msgspec.Struct):
    error_code: int
    message: str | None = None


_encode = msgspec.json.encode
_OFFSETS = msgspec.json.Decoder(_Offsets)
_LINE = msgspec.json.Decoder(_Line)
_REFUSAL = msgspec.json.Decoder(_Refusal)


def write_v2(records: Sequence[AdmittedRecord]) -> bytes:
    """Return the body of a v2 request in the embedded format `binary`. It has no place for headers and times."""
    return _encode({"records": [_RecordV2(record.key, record.value, record.partition) for record in records]})


def write_v3(records: Sequence[AdmittedRecord]) -> bytes:
    """Return the body of a v3 request, a stream of records of the type BINARY."""
    return b"\n".join([_encode(_record_v3(record)) for record in records])


def _record_v3(record: AdmittedRecord) -> _RecordV3:
    found = _RecordV3(_data(record.key), _data(record.value), record.partition)
    if record.extras is not None:
        found.headers = [_Header(name, value) for name, value in record.extras.headers]
        if record.extras.timestamp is not None:
            found.timestamp = _EPOCH + record.extras.timestamp * _MILLISECOND
    return found


def _data(landing: bytes | None) -> _Data | None:
    return None if landing is None else _Data(landing)


def read_v2(answer: bytes, records: int) -> list[Delivery] | None:
    """Return the deliveries of a v2 answer to `records` records; None where it is no such answer."""
    try:
        offsets = _OFFSETS.decode(answer).offsets
    except msgspec.MsgspecError:
        return None
    if len(offsets) != records:
        return None
    return [_delivery(each.partition, each.offset, each.error_code, each.error) for each in offsets]


def read_v3(answer: bytes, records: int, why: str) -> list[Delivery]:
    """Return the deliveries of a v3 answer, or as much of it as came; a record without a line is unknown for `why`."""
    found = list(_lines(answer))[:records]
    return found + [unknown(why)] * (records - len(found))


def _lines(answer: bytes) -> Iterator[Delivery]:
    for text in answer.split(b"\n"):
        if not text.strip():
            continue
        try:
            line = _LINE.decode(text)
        except msgspec.MsgspecError:
            return
        # Proxies before 7.3 say nothing of an error where there is none.
        code = None if line.error_code == HTTPStatus.OK else line.error_code
        yield _delivery(line.partition_id, line.offset, code, line.message, line.timestamp)


def _delivery(
    partition: int | None, offset: int | None, code: int | None, error: str | None, timestamp: datetime | None = None
) -> Delivery:
    if code is not None:
        return failed(code, error or "the REST Proxy gives no reason")
    if partition is None or offset is None or offset < 0:
        # With acks=0 it answers -1: the record was sent, and nobody knows whether it arrived.
        return unknown("the REST Proxy does not say where the record is")
    return Delivery(partition, offset, timestamp=None if timestamp is None else (timestamp - _EPOCH) // _MILLISECOND)


def refused(status: int, reason: str, answer: bytes, records: int) -> list[Delivery]:
    """Return the deliveries of `records` records whose request the proxy refused as a whole."""
    code, message = status, reason
    try:
        refusal = _REFUSAL.decode(answer)
    except msgspec.MsgspecError:
        pass
    else:
        code, message = refusal.error_code, refusal.message or reason
    told = f"the REST Proxy answered {status}: {message[:_MESSAGE_CHARACTERS]}"
    # It is the status that tells: with a 4xx no record was taken, after another one some may have been.
    return [msgspec.structs.replace(failed(status, told), error_code=code)] * records


def failed(code: int, error: str) -> Delivery:
    """Return the delivery of a record that the proxy answers with an error; the code tells whether it was written."""
    family = _family(code)
    client_side = family // 100 in (3, 4) and family != HTTPStatus.REQUEST_TIMEOUT
    outcome: Outcome = "not_written" if client_side or code == Code.KAFKA else "unknown"
    again = outcome == "unknown" or family == HTTPStatus.TOO_MANY_REQUESTS or code in _MAY_COME_AGAIN
    return Delivery(None, None, code, error, outcome, retryable=again)


def unknown(why: str) -> Delivery:
    """Return the delivery of a record that may have been written."""
    return Delivery(None, None, Code.KAFKA_RETRIABLE, why, "unknown", retryable=True)


def unsent(why: str) -> Delivery:
    """Return the delivery of a record that did not leave the shim."""
    return Delivery(None, None, Code.KAFKA_RETRIABLE, why, "not_written", retryable=True)


def _family(code: int) -> int:
    """Return the HTTP status that a code begins with."""
    return int(str(abs(code))[:3])
