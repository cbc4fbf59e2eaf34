import click

from confluent_shim.cli.bindings import bindings
from confluent_shim.cli.config import config
from confluent_shim.cli.dev import dev
from confluent_shim.cli.exits import GuardedGroup
from confluent_shim.cli.schema import schema
from confluent_shim.cli.serve import serve
from confluent_shim.cli.validate import validate


@click.group(cls=GuardedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="confluent-shim")
def program() -> None:
    """Serve a Confluent REST endpoint on which every topic carries exactly one schema."""


for command in (dev, serve, config, bindings, validate, schema):
    program.add_command(command)


def main() -> None:
    """Run the command line: data goes to standard output, everything else to standard error."""
    program(prog_name="confluent-shim")
