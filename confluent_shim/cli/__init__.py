"""The command line; one module per command or group of commands."""

from confluent_shim.cli.program import main

__all__ = ["main"]
