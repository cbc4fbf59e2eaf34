import json
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.parts import TOKEN

from .conftest import invoke


def test_the_settings_in_force_are_shown_in_every_form(config_file: str) -> None:
    """The table is TOML; JSON and YAML hold the same tree; secrets are hidden in all of them."""
    shown = {form: invoke("config", "--config", config_file, "-o", form) for form in ("table", "json", "yaml")}
    assert {result.exit_code for result in shown.values()} == {0}
    tree = json.loads(shown["json"].stdout)
    assert tree == yaml.safe_load(shown["yaml"].stdout)
    assert tree["clusters"]["default"]["kafka"]["bootstrap.servers"] == "memory:"
    assert tree["admin_token"] == tree["clusters"]["default"]["registry"]["password"] == "********"
    assert tomllib.loads(shown["table"].stdout)["server"] == tree["server"]
    assert "# clusters.default.rest_proxy.password is not set" in shown["table"].stdout
    assert not any(TOKEN in result.output for result in shown.values())


@pytest.mark.parametrize(
    ("text", "word"), [("stor = 1", "store"), ("a = [", "shim.toml"), ("[server]\nport = -1", "port")]
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, word: str) -> None:
    """Settings that cannot be used end with 1 and one line."""
    path = tmp_path / "shim.toml"
    path.write_text(text)
    failed = invoke("config", "--config", str(path))
    assert (failed.exit_code, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert word in failed.stderr
