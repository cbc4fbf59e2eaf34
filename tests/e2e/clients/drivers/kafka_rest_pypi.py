"""A program that uses the package kafka-rest of PyPI.

It does what the plan on its standard input says, and prints what the client told it as one JSON document.
"""

import collections.abc
import json
import logging
import queue
import sys
from typing import Any
from urllib.parse import urlsplit

# Tornado 4 looks for this where Python 3.10 no longer has it.
collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]

from kafka_rest.client import KafkaRESTClient  # type: ignore[import-not-found]  # noqa: E402
from tornado.httpclient import AsyncHTTPClient  # type: ignore[import-not-found]  # noqa: E402
from tornado.simple_httpclient import SimpleAsyncHTTPClient  # type: ignore[import-not-found]  # noqa: E402

_SECONDS = 30


class NamingV2(SimpleAsyncHTTPClient):  # type: ignore[misc]
    """Tornado's client with the media types of the v2 API where this package has those of v1 fixed."""

    def fetch_impl(self, request: Any, callback: Any) -> None:
        for name, value in list(request.headers.items()):
            request.headers[name] = value.replace(".v1+json", ".v2+json")
        super().fetch_impl(request, callback)


class Told(logging.Handler):
    """What the client tells its program: events, and what it logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._events.put({"event": "log", "text": record.getMessage()})

    def listen(self, registrar: Any) -> None:
        registrar.register("produce_success", self._success)
        registrar.register("retry_message", lambda _, message: self._put("retry", value=message.value))
        registrar.register("drop_message", lambda _, message, why: self._put("drop", value=message.value, why=why))

    def _success(self, _: str, succeeded: list[Any], failed: list[Any]) -> None:
        answers = {"succeeded": succeeded, "failed": failed}
        self._put("answer", **{name: [offset for _, offset in pairs] for name, pairs in answers.items()})

    def _put(self, event: str, **facts: Any) -> None:
        self._events.put({"event": event, **facts})

    def until_settled(self, messages: int) -> list[dict[str, Any]]:
        """Return the events up to the answer for a batch, or to the last message of it that was dropped."""
        events: list[dict[str, Any]] = []
        while not any(each["event"] == "answer" for each in events):
            events.append(self._events.get(timeout=_SECONDS))
            if sum(each["event"] == "drop" for each in events) == messages:
                break
        return events


def main() -> None:
    plan = json.load(sys.stdin)
    if plan["v2"]:
        AsyncHTTPClient.configure(NamingV2)
    told = Told()
    logging.getLogger("kafka_rest").addHandler(told)
    address = urlsplit(plan["url"])
    size = len(plan["batches"][0])
    client = KafkaRESTClient(f"http://{address.hostname}", address.port, flush_length_threshold=size)
    told.listen(client.registrar)
    seen = []
    for batch in plan["batches"]:
        for message in batch:
            client.produce(plan["topic"], value_schema=plan["value_schema"], key_schema=plan["key_schema"], **message)
        seen.append(told.until_settled(size))
    json.dump(seen, sys.stdout)  # its thread ends with the program; its shutdown would wait for what is settled


if __name__ == "__main__":
    main()
