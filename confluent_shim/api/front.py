"""What a request meets that no produce route took: the REST Proxy behind, where there is one, or Flask's routes."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confluent_shim.api.answers import refuse
from confluent_shim.api.clusters import Clusters
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import V2_JSON
from confluent_shim.api.relay import Relay
from confluent_shim.api.targets import readings, sent_target
from confluent_shim.errors import ConsumersNotAllowed, ConsumersNotFound
from confluent_shim.settings import Settings
from confluent_shim.sinks.upstream import SAFE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OWN = "/-/"
_CONSUMERS = re.compile(r"/consumers(/.*)?")
_MATRIX = re.compile(r";[^/]*")
_TOPIC = re.compile(r"/topics/([^/]+)(/.*)?")
_CLUSTER = re.compile(r"/v3/clusters/([^/]+)(/.*)?")
_PRODUCE = re.compile(r"/topics/.*|.*/topics/.*/records(:.*)?/?", re.DOTALL)


class Front:
    """A WSGI application that refuses consumers, hands on what an upstream answers, and leaves all else to `inner`.

    Whatever would produce is never handed on from here: only the produce routes may do so, once their rule has spoken.
    """

    def __init__(
        self, settings: Settings, clusters: Clusters, relays: Mapping[str, Relay], inner: "WSGIApplication"
    ) -> None:
        self._inner = inner
        self._clusters = clusters
        self._relays = relays
        self._consumers_pass = settings.consumers == "pass"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(_OWN):
            return self._inner(environ, start_response)
        # Confluent's router ignores matrix parameters (`;x=1`).
        plain = _MATRIX.sub("", path)
        if _CONSUMERS.fullmatch(plain) and not self._consumers_pass:
            return _refuse_consumers(environ, start_response)
        try:
            relay = None if self._could_produce(environ) else self._relay(plain)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return refuse(error, environ, start_response, V2_JSON)
        if relay is not None:
            return relay(environ, start_response)
        environ["PATH_INFO"] = plain
        return self._inner(environ, start_response)

    def _could_produce(self, environ: "WSGIEnvironment") -> bool:
        if environ["REQUEST_METHOD"] in SAFE or not self._relays:
            return False
        return any(_PRODUCE.fullmatch(path) for path in readings(sent_target(environ)))

    def _relay(self, path: str) -> Relay | None:
        if not self._relays:
            return None
        if found := _TOPIC.fullmatch(path):
            return self._relays.get(self._clusters.of_topic(found[1]))
        if found := _CLUSTER.fullmatch(path):
            return self._relays.get(self._clusters.named_by(found[1]))
        return self._relays.get(self._clusters.default_name)


def _refuse_consumers(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as Confluent does for an endpoint that its operator has blocked, and say where to go."""
    facts_of(environ).route = "consumers"
    reading = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    error = ConsumersNotFound() if reading else ConsumersNotAllowed()
    return refuse(error, environ, start_response, V2_JSON)
