import getpass
import os

import pytest

from confluent_shim.cli.store_backend import user_name


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_an_account_without_a_name_is_told_by_its_number(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Containers run under numbers that no list of users knows."""

    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert user_name() == f"uid {os.getuid()}"
