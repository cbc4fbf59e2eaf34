import errno
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from confluent_shim.cli.exits import (
    CHANGES_PENDING,
    DONE,
    FAILED,
    REFUSED,
    USAGE,
    CommandError,
    GuardedGroup,
    explained,
)
from confluent_shim.error_table import ANSWERS
from confluent_shim.errors import SettingsInvalid

from .conftest import invoke


def _ending_with(error: BaseException) -> Result:
    @click.group(cls=GuardedGroup)
    def group() -> None:
        """Hold one command."""

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandError("no"), FAILED, "no"),
        (CommandError("no", REFUSED), REFUSED, "no"),
        (SettingsInvalid("a\nb"), FAILED, "a b"),
        (OSError(errno.ENOSPC, "No space left on device"), FAILED, "[Errno 28] No space left on device"),
        (KeyError("x"), FAILED, "unexpected error: KeyError: 'x'"),
        (KeyboardInterrupt(), FAILED, "interrupted"),
        (BrokenPipeError(errno.EPIPE, "pipe"), FAILED, "standard output was closed before everything was written"),
    ],
)
def test_whatever_is_raised_ends_in_one_line_and_a_code(error: BaseException, code: int, line: str) -> None:
    """No stack trace, and nothing on standard output."""
    result = _ending_with(error)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"confluent-shim: {line}\n")


def test_click_ends_by_itself() -> None:
    """Usage errors and exits keep their own code and text."""
    assert _ending_with(click.UsageError("wrong")).exit_code == USAGE
    assert _ending_with(click.exceptions.Exit(3)).exit_code == CHANGES_PENDING
    assert _ending_with(click.Abort()).exit_code == FAILED


def test_the_codes_are_what_scripts_rely_on() -> None:
    """The numbers are a promise."""
    assert (DONE, FAILED, USAGE, CHANGES_PENDING, REFUSED) == (0, 1, 2, 3, 4)


def test_the_code_follows_the_one_table() -> None:
    """Every error of the table is refused or failed by its HTTP status, and keeps its words."""
    for kind, (status, _) in ANSWERS.items():
        error = kind.__new__(kind)
        error.args = ("what happened",)
        line, code = explained(error)
        assert code == (FAILED if status >= 500 else REFUSED)
        assert line == str(error)


def test_a_store_in_memory_cannot_be_opened(tmp_path: Path) -> None:
    """A table that ends with the command is refused rather than changed in vain."""
    config = tmp_path / "shim.toml"
    config.write_text('store = "memory:"\n')
    failed = invoke("bindings", "list", "--config", str(config))
    assert (failed.exit_code, "--url" in failed.stderr) == (1, True)


def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A damaged file ends with 1."""
    (tmp_path / "map.db").write_bytes(b"not a database" * 1000)
    config = tmp_path / "shim.toml"
    config.write_text(f'store = "sqlite:{tmp_path}/map.db"\n')
    failed = invoke("bindings", "list", "--config", str(config))
    assert (failed.exit_code, "map.db" in failed.stderr) == (1, True)


@pytest.mark.parametrize("words", [("--help",), ("bindings", "--help"), ("bindings", "bind", "-h"), ("--version",)])
def test_help_ends_with_0(words: tuple[str, ...]) -> None:
    """Help is data."""
    done = invoke(*words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout
