import tempfile
from pathlib import Path

import click

# Workers import the application themselves: metrics choose their memory when they are imported, and must find
# the shared folder then.
_APPLICATION = "confluent_shim.app:serve_from_environment"


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

    from confluent_shim.settings import hand_down, load_settings

    server = load_settings(config).server
    with tempfile.TemporaryDirectory(prefix="confluent-shim-metrics-") as metrics:
        hand_down(config, metrics)
        Granian(
            _APPLICATION,
            factory=True,
            interface=Interfaces.WSGI,
            address=host or server.host,
            port=server.port if port is None else port,
            workers=workers or server.workers,
            blocking_threads=server.threads,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
        ).serve()
