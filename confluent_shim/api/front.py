"""What a request meets that no produce route took, before Flask's routing."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confluent_shim.api.answers import error_answer
from confluent_shim.api.facts import facts_of, reason_phrase
from confluent_shim.api.negotiation import V2_JSON
from confluent_shim.errors import ConsumersNotAllowed, ConsumersNotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OWN = "/-/"
_CONSUMERS = re.compile(r"/consumers(/.*)?")
_MATRIX = re.compile(r";[^/]*")


class Front:
    """A WSGI application that refuses consumers and hands all else on to `inner`."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith(_OWN):
            # Confluent's router ignores matrix parameters (`;x=1`).
            path = environ["PATH_INFO"] = _MATRIX.sub("", path)
            if _CONSUMERS.fullmatch(path):
                return _refuse_consumers(environ, start_response)
        return self._inner(environ, start_response)


def _refuse_consumers(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as Confluent does for an endpoint that its operator has blocked, and say where to go."""
    facts = facts_of(environ)
    facts.route = "consumers"
    error = ConsumersNotFound() if environ["REQUEST_METHOD"] in ("GET", "HEAD") else ConsumersNotAllowed()
    status, headers, body = error_answer(error, facts.request_id)
    start_response(
        f"{status} {reason_phrase(status)}",
        [*headers.items(), ("Content-Type", V2_JSON), ("Content-Length", str(len(body)))],
    )
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
