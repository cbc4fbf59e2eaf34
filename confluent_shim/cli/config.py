from pathlib import Path

import click

from confluent_shim.cli.output import assignments, output_option, show
from confluent_shim.cli.target import config_option


@click.command()
@config_option
@output_option
def config(config: Path | None, output: str) -> None:
    """Show the settings in force, from file and environment, with secrets hidden."""
    from confluent_shim.configuration import effective, load_settings

    settings = effective(load_settings(config))
    show(settings, output, assignments(settings))
