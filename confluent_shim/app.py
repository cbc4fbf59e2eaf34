"""The WSGI application: Flask for everything but the produce routes, which stand before it."""

import gc
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from confluent_shim.api import bindings, health, metadata_v2, metadata_v3
from confluent_shim.api.answers import encode, error_answer
from confluent_shim.api.body import WholeBody
from confluent_shim.api.clusters import Clusters
from confluent_shim.api.facts import Observed, facts_of, reason_phrase
from confluent_shim.api.front import Front
from confluent_shim.api.lingering import Lingering
from confluent_shim.api.passing import Passing
from confluent_shim.api.produce_v2 import ProduceV2
from confluent_shim.api.produce_v3 import ProduceV3
from confluent_shim.api.relay import relays
from confluent_shim.api.stream_v3 import WINDOW_RECORDS
from confluent_shim.capacity import Capacity
from confluent_shim.configuration import load_settings
from confluent_shim.errors import MethodUnsupported, RouteUnknown
from confluent_shim.services import Services, build_services
from confluent_shim.settings import Settings
from confluent_shim.telemetry import configure_logging

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""What requests in flight hold at a time, and more: it goes when they are answered, without any collection.

With Python's own 700 a request with a hundred records was searched for cycles twice, and half of the time went there.
"""


def create_app(
    settings: Settings, services: Services, ending: threading.Event | None = None, *, lingers: bool = True
) -> Flask:
    """Build the application over `services`. When `ending` is set, it closes its streams.

    With `lingers` it reads what is left of a body behind the answer, for a server that does not.
    """
    app = Flask("confluent_shim", static_folder=None)
    app.url_map.merge_slashes = False  # else `/-//live` is redirected, to a page for people
    app.register_blueprint(bindings.blueprint(services))
    app.register_blueprint(health.blueprint(services))
    limits = settings.limits
    aside = Capacity(settings.requests_aside(), settings.requests_aside() * limits.body_bytes)
    app.wsgi_app = WholeBody(app.wsgi_app, aside, limits.body_bytes)  # type: ignore[method-assign]
    capacity = Capacity(limits.requests, limits.bytes, settings.streams_at_a_time(), settings.threads_at_a_time())
    app.register_blueprint(metadata_v2.blueprint(services, capacity))
    app.register_blueprint(metadata_v3.blueprint(services, capacity))
    app.register_error_handler(Exception, _answer)
    clusters, handing_on = Clusters(services), relays(services, capacity)
    front = Front(settings, clusters, handing_on, app.wsgi_app)
    ending = ending or threading.Event()
    produce_v3 = ProduceV3(services.publisher, capacity, limits, ending, front, _under_way(settings))
    produce = ProduceV2(services.publisher, capacity, limits, produce_v3)
    passing = Passing(services.publisher, clusters, handing_on, capacity, limits, produce) if handing_on else produce
    answering = Lingering(passing, aside, settings.most_taken_in()) if lingers else passing
    app.wsgi_app = Observed(answering, services.metrics, log_all=settings.log.requests == "all")  # type: ignore[method-assign]
    return app


def _under_way(settings: Settings) -> int:
    """Return how many records of a stream may wait for the sink.

    A REST Proxy is sent one lot when it has answered the one before: the time of a record begins when it is its turn.
    """
    return 1 if settings.sink == "rest-proxy" else WINDOW_RECORDS


def _answer(error: Exception) -> Response:
    if isinstance(error, NotFound):
        error = RouteUnknown()
    elif isinstance(error, MethodNotAllowed):
        error = MethodUnsupported()
    elif isinstance(error, HTTPException):
        return _plain(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    status, headers, body = error_answer(error, facts_of(request.environ).request_id)
    response = Response(body, status, headers)
    if isinstance(error, RouteUnknown | MethodUnsupported):
        # Confluent's router gives these a JSON body and no type.
        del response.headers["Content-Type"]
    else:
        response.content_type = "application/json"
    return response


def _plain(status: int) -> Response:
    """Answer what Flask itself refuses, such as a client that went away, in the words of Confluent's router."""
    body = encode({"error_code": status, "message": f"HTTP {status} {reason_phrase(status)}"})
    return Response(body, status, content_type="application/json")


def serve_from_environment(ending: threading.Event | None = None) -> "WSGIApplication":
    """Build the application of one worker process from $SHIM_CONFIG and SHIM_*; what servers load.

    Who sets `ending` when the process is told to end has its streams closed in order.
    """
    return open_application(load_settings(), ending)


def open_application(
    settings: Settings, ending: threading.Event | None = None, *, lingers: bool = True
) -> "WSGIApplication":
    """Build the same from `settings`; `ending` and `lingers` are as in create_app."""
    configure_logging(settings.log.format, settings.log.level)
    services = build_services(settings)
    threading.Thread(target=_close_at_the_end, args=(services,), name="closing").start()
    services.warm_up()
    application = create_app(settings, services, ending, lingers=lingers).wsgi_app
    gc.freeze()  # what is there now stays
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    return application


def _close_at_the_end(services: Services) -> None:
    """Close `services` when the server's part of the process is over.

    WSGI has no word for the end of a worker, and an `atexit` is not run in granian's, which are made by
    multiprocessing. But every process waits for its threads, and a server's main thread ends when its requests have.
    """
    threading.main_thread().join()
    services.close()
