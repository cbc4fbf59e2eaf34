"""A stand between a client and the shim: it writes down what the client sends, and hands it on."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import requests
from werkzeug import Request, Response

from confluent_shim.devstack import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OF_THE_CONNECTION = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Sent(NamedTuple):
    """A request as it came from the client."""

    method: str
    path: str
    content_type: str | None
    accept: str | None
    body: bytes


@dataclass
class Recorder:
    """A WSGI application that hands requests on to `target`, but for those it has an answer to itself."""

    target: str
    own_answers: Mapping[str, str]
    url: str = ""
    sent: list[Sent] = field(default_factory=list)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path in self.own_answers:
            return Response(self.own_answers[request.path], content_type="application/json")
        headers, body = request.headers, request.get_data()
        self.sent.append(
            Sent(request.method, request.path, headers.get("Content-Type"), headers.get("Accept"), body),
        )
        answer = requests.request(
            request.method, self.target + request.path, data=body, headers=_passed_on(headers.items()), timeout=30
        )
        return Response(answer.content, answer.status_code, _passed_on(answer.headers.items()))


def _passed_on(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_THE_CONNECTION}


@contextmanager
def recording(target: str, own_answers: Mapping[str, str] | None = None) -> Iterator[Recorder]:
    """Run a recorder before the server `target`; `own_answers` are JSON texts by path."""
    recorder = Recorder(target, own_answers or {})
    with serving(recorder) as url:
        recorder.url = url
        yield recorder
