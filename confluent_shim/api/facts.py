"""What is noted of a request while it is served, and the log line and metrics that come of it."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, TypeGuard

from confluent_shim.api.later import Awaited
from confluent_shim.observing import Observation, Verdicts
from confluent_shim.telemetry import Metrics, access_log
from jsonschema_bridge.waiting import WouldWait

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ARRIVED = "confluent_shim.arrived"
"""Where a server that lets requests wait says when one came, on the monotonic clock."""

_KEY = "confluent_shim.facts"
_ID_CHARACTERS = 64

VERDICT = "Shim-Verdict"
"""The header that tells what a binding would have said that only observes."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


class Facts:
    """What the log line of a request tells besides method, path and status; no payloads.

    `body_read` is for those who answer: nothing of the body is left to be read. `is_stream` says that the answer is
    made while it is sent: the request is over when the server closes it. `awaits` is what an answer waits for that is
    known, with its status, when it begins.
    """

    __slots__ = ("awaits", "body_read", "failed", "is_stream", "records", "request_id", "route", "topic", "verdicts")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.route = "other"
        self.topic: str | None = None
        self.records: int | None = None
        self.failed = 0
        self.body_read = False
        self.is_stream = False
        self.awaits: Awaited | None = None
        self.verdicts: Verdicts | None = None

    def observe(self, observation: Observation | None) -> None:
        """Note what a binding that observes says of some of the records, if there is one."""
        if observation is not None:
            self.verdicts = self.verdicts or Verdicts()
            self.verdicts.add(observation)

    def went_wrong(self) -> bool:
        """Tell whether there is something to say of a request beside its status."""
        return self.failed > 0 or (self.verdicts is not None and not self.verdicts.admits)


def facts_of(environ: "WSGIEnvironment") -> Facts:
    """Return the notes of the request that `environ` describes."""
    found: Facts | None = environ.get(_KEY)
    return Facts("") if found is None else found


def arrival(environ: "WSGIEnvironment") -> float:
    """Return when the request came, on the monotonic clock."""
    found: float | None = environ.get(ARRIVED)
    return time.monotonic() if found is None else found


def reason_phrase(status: int) -> str:
    """Return the words that stand behind a status number."""
    return HTTPStatus(status).phrase


class Observed:
    """A WSGI application that counts each request of `inner`, gives it an id, and logs it.

    Without `log_all` only what went wrong is logged: a status from 400 on, records that did not reach Kafka, or records
    that a binding would have refused if it were enforced.
    """

    def __init__(self, inner: "WSGIApplication", metrics: Metrics, *, log_all: bool) -> None:
        self._inner = inner
        self._metrics = metrics
        self._log_all = log_all
        self._own_ids = f"{secrets.token_hex(4)}%08x"
        self._numbers = count()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = time.perf_counter()
        sent = environ.get("HTTP_X_REQUEST_ID")
        facts = Facts(sent if _is_id(sent) else self._own_ids % next(self._numbers))
        environ[_KEY] = facts
        status = "500"

        def started(line: str, headers: list[tuple[str, str]], exc_info: _ExcInfo = None) -> object:
            nonlocal status
            status = line[:3]
            if facts.awaits is not None:
                note()
            return start_response(line, [*headers, ("X-Request-Id", facts.request_id)], exc_info)

        def note() -> None:
            seconds = time.perf_counter() - began
            self._metrics.answered(facts.route, status, seconds)
            if self._log_all or status >= "400" or facts.went_wrong():
                _log(environ, facts, status, seconds)

        try:
            answer = self._inner(environ, started)  # type: ignore[arg-type]
        except WouldWait:
            raise  # it is served once more
        except BaseException:
            note()
            raise
        if facts.is_stream:
            return _Noted(answer, note)
        if facts.awaits is None:
            note()
        return answer


class _Noted:
    """An answer of which is noted, when it is closed, what came of it."""

    def __init__(self, answer: Iterable[bytes], note: Callable[[], None]) -> None:
        self._answer = answer
        self._note = note

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        self._answer.close()  # type: ignore[attr-defined]  # a stream has it
        self._note()


def _is_id(sent: str | None) -> TypeGuard[str]:
    """Tell whether what a client calls its request is printable and short."""
    return sent is not None and 0 < len(sent) <= _ID_CHARACTERS and sent.isascii() and sent.isprintable()


def _log(environ: "WSGIEnvironment", facts: Facts, status: str, seconds: float) -> None:
    if not access_log.isEnabledFor(20):
        return
    told: dict[str, object] = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "status": int(status),
        "ms": round(seconds * 1000, 1),
        "request_id": facts.request_id,
    }
    if facts.topic is not None:
        told["topic"] = facts.topic
    if facts.records is not None:
        told["records"] = facts.records
    if facts.failed:
        told["failed"] = facts.failed
    if facts.verdicts is not None:
        told["verdict"] = str(facts.verdicts)
        if facts.verdicts.reason is not None:
            told["reason"] = facts.verdicts.reason
    access_log.info("request", extra={"facts": told})
