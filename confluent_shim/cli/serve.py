import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from confluent_shim.cli.address import check_address

if TYPE_CHECKING:
    from confluent_shim.asgi.application import Application
    from confluent_shim.settings import Settings

# Metrics choose their memory when they are imported, and must find the shared folder then: nothing up to
# `hand_down` may import the application.
_APPLICATION = "confluent_shim.cli.serve:application"
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file; SHIM_CONFIG otherwise.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes; overrides the setting.")
@click.option("--host", help="Address to listen on; overrides the setting.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; overrides the setting.")
def serve(config: Path | None, workers: int | None, host: str | None, port: int | None) -> None:
    """Serve requests until SIGTERM or Ctrl-C."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from confluent_shim.asgi import loop
    from confluent_shim.configuration import hand_down, load_settings

    settings = load_settings(config)
    server = settings.server
    host, port = host or server.host, server.port if port is None else port
    check_address(host, port)
    with tempfile.TemporaryDirectory(prefix="confluent-shim-metrics-") as metrics:
        hand_down(config, metrics)
        _check_services(settings)
        Granian(
            _APPLICATION,
            factory=True,
            interface=Interfaces.ASGINL,
            websockets=False,
            loop=loop.NAME,  # type: ignore[arg-type]
            address=host,
            port=port,
            workers=workers or server.workers,
            # A connection that nobody answers is worse than one that is refused.
            backpressure=2 * settings.limits.requests + server.threads,
            respawn_failed_workers=True,
            workers_kill_timeout=settings.seconds_to_stop(),
            # Its warnings are about the number of threads, which is a setting of ours.
            log_level=LogLevels.error,
        ).serve()


def _check_services(settings: "Settings") -> None:
    """Build once, before workers do again and again, what cannot be built; imports are then shared by all of them."""
    from confluent_shim.services import build_services

    build_services(settings).close()


def application() -> "Application":
    """Build the application of one of granian's workers."""
    from confluent_shim.app import open_application
    from confluent_shim.asgi import loop
    from confluent_shim.asgi.application import Application
    from confluent_shim.configuration import load_settings

    # A worker inherits its parent's handlers, which would only note the signal in the worker's copy of the parent;
    # granian sets the worker's own when this has returned.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    settings = load_settings()
    threads = ThreadPoolExecutor(settings.server.threads, thread_name_prefix="request")
    return Application(open_application(settings, loop.ending, lingers=False), settings, threads)
