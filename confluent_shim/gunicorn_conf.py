"""How gunicorn serves the shim: `gunicorn -c python:confluent_shim.gunicorn_conf`.

Settings come from $SHIM_CONFIG and SHIM_*, as everywhere; what gunicorn's own command line says wins over them.
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from confluent_shim.configuration import hand_down, load_settings, metrics_folder
from confluent_shim.errors import SinkUnavailable, StartError
from topic_map import TopicMapError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Worker(ThreadWorker):  # type: ignore[misc]
    """Refuses at once what comes after it was told to end.

    gunicorn's own keeps its sockets open until the last answer is out, so that new clients wait for nobody, and begins
    with requests that come on open connections, for which the time may not be enough.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            _ending.set()
            for listener in self.sockets:
                listener.close()
            self.wsgi = _refuse


def _refuse(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    from confluent_shim.api.answers import refuse
    from confluent_shim.api.negotiation import PLAIN_JSON

    ending = SinkUnavailable("the process is ending; nothing of this request was sent")
    return refuse(ending, environ, start_response, PLAIN_JSON)


def application() -> "WSGIApplication":
    """Build the application of one worker."""
    from confluent_shim.app import serve_from_environment

    return serve_from_environment(_ending)


def on_starting(_: object) -> None:
    """Make what all workers share, and build once, before workers do again and again, what cannot be built."""
    folder = tempfile.mkdtemp(prefix="confluent-shim-metrics-")
    # Metrics choose their memory when they are imported, so this comes before all that imports them.
    hand_down(None, folder)
    from confluent_shim.services import build_services

    try:
        build_services(_settings).close()
    except (StartError, TopicMapError) as error:
        shutil.rmtree(folder)
        sys.exit(f"confluent-shim: {error}")


def on_exit(_: object) -> None:
    """Remove what the workers shared."""
    if folder := metrics_folder():
        shutil.rmtree(folder, ignore_errors=True)


try:
    _settings = load_settings()
except StartError as error:
    sys.exit(f"confluent-shim: {error}")

_ending = threading.Event()  # each worker's own, for nothing sets it before the fork
wsgi_app = "confluent_shim.gunicorn_conf:application()"
worker_class = Worker
bind = f"{_settings.server.host}:{_settings.server.port}"
workers = _settings.server.workers
threads = _settings.server.threads
graceful_timeout = _settings.seconds_to_stop()
keepalive = 30  # as long as granian keeps a connection on which nothing comes
loglevel = "warning"
control_socket_disable = True
forwarded_allow_ips = ""  # whom to believe is the setting `trusted_proxies`
