"""Producers that go on sending while a server ends, and what each of them meets."""

import http.client
import json
import threading
import uuid
from contextlib import closing
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from tests.waiting import eventually

_CONTENT_TYPE = "application/vnd.kafka.jsonschema.v2+json"
_HANGS_SECONDS = 40.0

Met = Literal["answer", "refusal", "silence", "torn answer", "hang"]
"""`refusal`: no connection; `silence`: it ended without a byte of an answer; `torn answer`: it ended within one."""


class Attempt(NamedTuple):
    """One event that was sent as the only record of a request, and what came of it."""

    event: str
    met: Met
    status: int = 0
    retry_after: str | None = None
    outcome: str | None = None


class Load:
    """Several producers, of which `kept` keep their connection and `fresh` make one for each request.

    Each sends one event after the other until it finds no server any more; leaving the `with` waits for that.
    """

    def __init__(self, url: str, topic: str, kept: int = 6, fresh: int = 3) -> None:
        self._address = urlsplit(url).netloc
        self._path = f"/topics/{topic}"
        self._threads = [
            threading.Thread(target=self._send, args=(number < kept,), daemon=True) for number in range(kept + fresh)
        ]
        self.attempts: list[Attempt] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for thread in self._threads:
            thread.join(2 * _HANGS_SECONDS)

    @property
    def producers(self) -> int:
        """How many events are under way at a time."""
        return len(self._threads)

    def events(self, outcome: str) -> set[str]:
        """Return the events whose answer says that they came to this `outcome`."""
        return {attempt.event for attempt in self.attempts if attempt.outcome == outcome}

    def wait_for_answers(self, count: int) -> None:
        """Return when `count` more events have been answered."""
        count += len(self.attempts)
        eventually(lambda: len(self.attempts) >= count, _HANGS_SECONDS)

    def _send(self, keep: bool) -> None:
        headers = {"Content-Type": _CONTENT_TYPE, "Connection": "keep-alive" if keep else "close"}
        with closing(http.client.HTTPConnection(self._address, timeout=_HANGS_SECONDS)) as connection:
            while True:
                attempt = self._attempt(connection, headers)
                self.attempts.append(attempt)
                if attempt.met == "refusal":
                    return
                if attempt.met != "answer":
                    connection.close()

    def _attempt(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> Attempt:
        event = uuid.uuid4().hex
        try:
            if connection.sock is None:
                connection.connect()
        except OSError:
            return Attempt(event, "refusal")
        try:
            connection.request("POST", self._path, json.dumps({"records": [{"value": {"id": event}}]}), headers)
            response = connection.getresponse()
        except TimeoutError:
            return Attempt(event, "hang")
        except OSError:
            return Attempt(event, "silence")
        try:
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            return Attempt(event, "torn answer")
        return Attempt(event, "answer", response.status, response.getheader("Retry-After"), _outcome(answer))


def _outcome(answer: dict[str, Any]) -> str | None:
    """Return what became of the one record of a request that was taken."""
    if "offsets" not in answer:
        return None
    (offset,) = answer["offsets"]
    return "written" if offset["error_code"] is None else str(offset["outcome"])
