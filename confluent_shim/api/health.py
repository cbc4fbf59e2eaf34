"""`/-/live`, `/-/ready` and `/-/metrics`."""

import time
from contextlib import suppress

from flask import Blueprint, Response, request

from confluent_shim.api.answers import encode
from confluent_shim.inventory import in_words
from confluent_shim.services import Services
from topic_map import TopicMapError

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def blueprint(services: Services) -> Blueprint:
    """Return the routes by which a platform watches the process."""
    routes = Blueprint("health", __name__, url_prefix="/-")
    seen = _Seen()

    @routes.get("/live")
    def live() -> Response:
        """Answer as long as the process can answer at all."""
        return _json(200, {"status": "live"})

    @routes.get("/ready")
    def ready() -> Response:
        """Tell whether requests can be judged: the topic map is readable. Kafka and registry are told, not asked for.

        A broker that restarts must not take every replica out of service.
        """
        parts = _parts(services, ask_all="verbose" in request.args)
        broken = parts["store"] != "ok"
        return _json(503 if broken else 200, {"status": "not ready" if broken else "ready", "parts": parts})

    @routes.get("/metrics")
    def metrics() -> Response:
        _refresh(services, seen)
        return Response(services.metrics.exposition(), content_type=_TEXT)

    return routes


def _parts(services: Services, *, ask_all: bool) -> dict[str, str]:
    found = {}
    for name, ping in services.pings().items():
        if name != "store" and not ask_all:
            continue
        try:
            ping()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the operator asked for
            found[name] = str(error)
        else:
            found[name] = "ok"
    if ask_all and found["store"] == "ok":
        found["bindings"] = in_words(services.inventory.absences())
    return found


class _Seen:
    """When the topic map could last be read."""

    def __init__(self) -> None:
        self.at = time.monotonic()


def _refresh(services: Services, seen: _Seen) -> None:
    now = time.monotonic()
    with suppress(TopicMapError):  # a store that is down must not take the metrics with it
        table = services.store.table()
        services.metrics.table_revision.set(table.revision)
        services.metrics.keep_bound(table.bindings)
        seen.at = now
    services.metrics.table_staleness.set(now - seen.at)
    for name, registry in services.registries.items():
        services.metrics.registry_staleness.labels(name).set(registry.staleness())


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(encode(document), status, content_type="application/json")
