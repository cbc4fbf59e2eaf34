"""The body and headers of an error."""

import logging

import msgspec

from confluent_shim.errors import (
    RETRY_AFTER_SECONDS,
    ContentTypeMalformed,
    RecordsRejected,
    Unexpected,
    answer_of,
)

log = logging.getLogger(__name__)


def error_answer(error: Exception) -> tuple[int, dict[str, str], bytes]:
    """Return (status, extra headers, body) for `error`: Confluent's two fields, then ours.

    A server fault of ours says with Retry-After that the request may be repeated; a defect is logged with its trace.
    """
    status, code, message = answer_of(error)
    if code == 500:  # noqa: PLR2004 - Code.INTERNAL
        log.error("unexpected error", exc_info=error)
        message = str(Unexpected())
    if isinstance(error, ContentTypeMalformed):
        return status, {}, b""
    body: dict[str, object] = {"error_code": int(code), "message": message}
    headers = {}
    if isinstance(error, RecordsRejected):
        body["errors"] = error.errors
        if error.cut:
            body["errors_cut"] = True
    if status == 503:  # noqa: PLR2004 - HTTPStatus.SERVICE_UNAVAILABLE
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        body["retryable"] = True
    return status, headers, encode(body)


def encode(document: object) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(document)
