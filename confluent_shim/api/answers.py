"""The body and headers of an error."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from confluent_shim.api.facts import facts_of, reason_phrase
from confluent_shim.api.negotiation import type_of_refusal
from confluent_shim.error_table import RETRY_AFTER_SECONDS, Code, answer_of
from confluent_shim.errors import ContentTypeMalformed, RecordsRefused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LATER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)

log = logging.getLogger(__name__)


def error_answer(error: Exception, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Return (status, extra headers, body) for `error`: Confluent's two fields, then ours.

    Where nothing is wrong with the request, Retry-After says that it may be repeated; a defect is logged with its trace
    under `request_id`.
    """
    status, code, message = told(error, request_id)
    if isinstance(error, ContentTypeMalformed):
        return status, {}, b""
    body: dict[str, object] = {"error_code": int(code), "message": message}
    headers = {}
    if isinstance(error, RecordsRefused):
        body["errors"] = error.errors
        if error.cut:
            body["errors_cut"] = True
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if is_transient(status):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        body["retryable"] = True
    return status, headers, encode(body)


def told(error: Exception, request_id: str) -> tuple[HTTPStatus, Code, str]:
    """Return (status, error_code, message) for `error`; a defect is logged with its trace under `request_id`."""
    answer = answer_of(error)
    if answer[1] is Code.INTERNAL:
        log.error("unexpected error", exc_info=error, extra={"facts": {"request_id": request_id}})
    return answer


def is_transient(status: HTTPStatus) -> bool:
    """Tell whether nothing is wrong with a request that is answered with `status`, so that it may be repeated."""
    return status in _LATER


def refusal(
    error: Exception, accept: str | None, media_type: str, request_id: str
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return (status line, headers, body) for `error`, by what the client accepts; `media_type` is the usual one."""
    status, extra, body = error_answer(error, request_id)
    headers = list(extra.items())
    if (negotiated := type_of_refusal(error, accept, media_type)) is not None:
        headers.append(("Content-Type", negotiated))
    return f"{status} {reason_phrase(status)}", headers, body


def refuse(
    error: Exception, environ: "WSGIEnvironment", start_response: "StartResponse", media_type: str
) -> Iterable[bytes]:
    """Answer a WSGI request with `error`."""
    status, headers, body = error_answer(error, facts_of(environ).request_id)
    line = f"{status} {reason_phrase(status)}"
    start_response(line, [*headers.items(), ("Content-Type", media_type), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def encode(document: object) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(document)
