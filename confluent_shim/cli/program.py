import sys

import click

from confluent_shim.cli.dev import dev
from confluent_shim.cli.serve import serve
from confluent_shim.errors import StartError

FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="confluent-shim")
def program() -> None:
    """Serve a Confluent REST endpoint on which every topic carries exactly one schema."""


program.add_command(dev)
program.add_command(serve)


def main() -> None:
    """Run the command line: data goes to standard output, everything else to standard error."""
    try:
        program()
    except StartError as error:
        click.echo(f"confluent-shim: {error}", err=True)
        sys.exit(FAILED)
