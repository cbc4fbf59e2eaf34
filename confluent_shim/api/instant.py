"""Times in requests and answers of the v3 API, in milliseconds since 1970. Source: contract, sections 2.2 and 2.3."""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from confluent_shim.api.coercion import kind
from confluent_shim.errors import BodyUnreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


def read_instant(field: str, value: object) -> int | None:
    """Read an ISO-8601 instant, or seconds since 1970 as a number or its text; what is finer than a ms is cut off.

    Raises BodyUnreadable, which names `field`, for anything else, and for times that Kafka has no number for: those
    before 1970, and the very first millisecond, which librdkafka takes for "now".
    """
    if value is None or value == "":
        return None
    milliseconds = _milliseconds(value)
    if milliseconds is None:
        # Not the text itself: where values are not shown a message must not show them.
        raise BodyUnreadable(
            f"{field}: must be a time with its zone, such as 2026-01-01T00:00:00Z, or seconds since 1970; "
            f"{kind(value)} of another form was sent"
        )
    if not 0 < milliseconds <= _LAST:
        raise BodyUnreadable(f"{field}: must lie after 1970-01-01T00:00:00Z and before the year 10000")
    return milliseconds


def _milliseconds(value: object) -> int | None:
    if isinstance(value, str) and (found := _INSTANT.fullmatch(value)):
        seconds, fraction, zone = found[1].upper(), found[2] or "", found[3].upper()
        try:
            return (datetime.fromisoformat(f"{seconds}{fraction}{zone}") - _EPOCH) // _MILLISECOND
        except (ValueError, OverflowError):
            return None
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != math.inf
    if number or (isinstance(value, str) and _SECONDS.fullmatch(value)):
        return int(Decimal(str(value)) * 1000)
    return None


def write_instant(milliseconds: int) -> str:
    """Write a time as Java does: with milliseconds unless they are 0."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z" if rest else f"{_second(seconds)}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
