"""How a command ends: the exit codes, and one clear line on standard error for whatever went wrong."""

from typing import Any

import click

from confluent_shim.cli.output import complain

DONE = 0
"""Done, or there was nothing to do."""
FAILED = 1
"""The store, the registry, Kafka, the network or a file did not do its part."""
USAGE = 2
"""The command line itself is wrong; click's own code."""
CHANGES_PENDING = 3
"""What was asked for differs from what is in force, and was only to be compared."""
REFUSED = 4
"""A conflict, a violation, an invalid binding, a stale revision, or something that is not there."""


class CommandError(Exception):
    """A command cannot go on, for a reason of its own; `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class GuardedGroup(click.Group):
    """A group whose commands end in one line and an exit code, whatever they raise."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            complain("standard output was closed before everything was written")
            raise  # click closes what is left of it and ends with 1
        except KeyboardInterrupt:
            complain("interrupted")
            ctx.exit(FAILED)
        except Exception as error:  # noqa: BLE001 - the user of a command line never meets a stack trace
            line, code = explained(error)
            complain(line)
            ctx.exit(code)


def exit_code(status: int) -> int:
    """Return the exit code of what HTTP would answer with `status`."""
    return FAILED if status >= 500 else REFUSED  # noqa: PLR2004 - the first status of a server's fault


def explained(error: Exception) -> tuple[str, int]:
    """Return the line that tells of `error` and the exit code, by the one table of the service."""
    from confluent_shim.error_table import ANSWERS, answer_of
    from confluent_shim.errors import StartError

    if isinstance(error, CommandError):
        return str(error), error.code
    if type(error) in ANSWERS:
        status, _, message = answer_of(error)
        return message, exit_code(status)
    if isinstance(error, StartError | OSError):
        return str(error), FAILED
    return f"unexpected error: {type(error).__name__}: {error}", FAILED
