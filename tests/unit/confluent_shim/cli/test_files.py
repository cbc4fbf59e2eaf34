import sys

import pytest

from confluent_shim.cli.exits import CommandError
from confluent_shim.cli.files import read_bytes


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be started without one."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CommandError, match="standard input is closed"):
        read_bytes("-")
