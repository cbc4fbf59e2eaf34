"""Which embedded format a request is in, and whether its client takes our answer.

Source: rest-proxy contract, section 1.2; transcripts C1 to C13, X1 to X32, X306. Header values recur, so what they
mean is remembered.
"""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from confluent_shim.errors import BodyUnreadable, ContentTypeMalformed, ContentTypeUnsupported, NoCommonAnswerType
from confluent_shim.records import EmbeddedFormat

T = TypeVar("T")

V2_JSON = "application/vnd.kafka.v2+json"
PLAIN_JSON = "application/json"

_FORMATS: dict[str, EmbeddedFormat] = {
    "application/vnd.kafka.json.v2+json": "json",
    "application/vnd.kafka.jsonschema.v2+json": "jsonschema",
    "application/vnd.kafka.avro.v2+json": "avro",
    "application/vnd.kafka.binary.v2+json": "binary",
    "application/vnd.kafka.protobuf.v2+json": "protobuf",
}
_LENIENT = ("handling=lenient", 'handling="lenient"')
_LONGEST_REMEMBERED = 200
_MEDIA_TYPE = re.compile(r"[^\s/;,]+/[^\s/;,]+")


def _remembering(read: Callable[[str | None], T]) -> Callable[[str | None], T]:
    """Remember what header values mean; a client chooses them, so neither many of them nor long ones stay."""
    remembered = lru_cache(maxsize=256)(read)

    @wraps(read)
    def reading(header: str | None) -> T:
        return read(header) if header is not None and len(header) > _LONGEST_REMEMBERED else remembered(header)

    return reading


@_remembering
def embedded_format(content_type: str | None) -> EmbeddedFormat:
    """Return the embedded format that a Content-Type names; without one it is binary.

    Raises ContentTypeMalformed for what is no media type, ContentTypeUnsupported for any other.
    """
    if content_type is None:
        return "binary"
    try:
        return _FORMATS[_media_type(content_type)]
    except KeyError:
        raise ContentTypeUnsupported from None


def check_consumed(content_type: str | None, consumed: str | None) -> None:
    """Refuse a Content-Type other than `consumed`, where that is given; a request without one is always taken.

    Confluent does so on GET too. Raises ContentTypeMalformed, ContentTypeUnsupported.
    """
    if content_type is not None and _media_type(content_type) != consumed and consumed is not None:
        raise ContentTypeUnsupported


_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^;\"\s]+)", re.IGNORECASE)
_CHARSETS = ("utf-8", "iso-8859-1")


def check_stream_type(content_type: str | None) -> None:
    """Refuse a Content-Type that a stream of the v3 API cannot have; unlike elsewhere it must have one.

    Of charsets Confluent takes these two, and then looks at the bytes. Raises ContentTypeMalformed,
    ContentTypeUnsupported, BodyUnreadable.
    """
    if content_type is None:
        raise BodyUnreadable(f"A stream of records must say Content-Type: {PLAIN_JSON}")
    check_consumed(content_type, PLAIN_JSON)
    charset = _CHARSET.search(content_type)
    if charset and charset[1].lower() not in _CHARSETS:
        raise BodyUnreadable(f"Content-Type: charset must be one of {', '.join(_CHARSETS)}, not {charset[1][:40]}")


def _media_type(content_type: str) -> str:
    media_type = content_type.partition(";")[0].strip()
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ContentTypeMalformed
    # Confluent's matching ignores case everywhere but in the suffix behind the plus sign.
    name, plus, suffix = media_type.rpartition("+")
    return f"{name.lower()}{plus}{suffix}"


@_remembering
def answer_type(accept: str | None) -> str:
    """Return the Content-Type of the answer that `accept` admits: V2_JSON, with the parameters it asks for.

    Raises NoCommonAnswerType.
    """
    return admitted(accept, V2_JSON)


def admitted(accept: str | None, media_type: str) -> str:
    """Return `media_type` as `accept` admits it, with the parameters it asks for. Raises NoCommonAnswerType."""
    if accept is None or not accept.strip():
        return media_type
    for entry in accept.split(","):
        media_range, *parameters = (part.strip() for part in entry.split(";"))
        if media_range.lower() not in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
            continue
        if any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            continue
        kept = [parameter for parameter in parameters if not parameter.lower().startswith("q=")]
        return ";".join([media_type, *kept]) if media_range.lower() == media_type else media_type
    raise NoCommonAnswerType


@_remembering
def prefers_lenient(prefer: str | None) -> bool:
    """Tell whether `Prefer` asks to store what conforms although other records do not (RFC 7240, `handling`)."""
    preferences = (entry.partition(";")[0].replace(" ", "").lower() for entry in (prefer or "").split(","))
    # The first of several values counts.
    return next((each for each in preferences if each.startswith("handling=")), "") in _LENIENT


def type_of_refusal(error: Exception, accept: str | None, usual: str) -> str | None:
    """Return the Content-Type that a request is refused with, None where Confluent has none; other errors have `usual`.

    A 415 has the first entry of Accept that is literally one of ours, else plain JSON.
    """
    if isinstance(error, NoCommonAnswerType | ContentTypeMalformed):
        return None
    if not isinstance(error, ContentTypeUnsupported):
        return usual
    entries = [entry.strip() for entry in (accept or "").split(",")]
    return next((entry for entry in entries if entry in (PLAIN_JSON, V2_JSON)), PLAIN_JSON)
