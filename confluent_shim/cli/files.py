import sys
from pathlib import Path

from confluent_shim.cli.exits import CommandError

STDIN = "-"


def read_bytes(path: str) -> bytes:
    """Return what the file at `path` holds, or standard input for `-`. Raises CommandError."""
    if path == STDIN and sys.stdin is None:  # the process was started without one
        raise CommandError("standard input is closed")
    try:
        return sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error


def read_text(path: str) -> str:
    """Return the same as UTF-8 text. Raises CommandError."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is not UTF-8: {error}") from error
