"""The command line over both kinds of topic map: a SQLite file, and a shim that is reached by URL."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import responses
from click.testing import CliRunner, Result
from requests import PreparedRequest

from confluent_shim.cli.program import program
from tests.parts import ORDER, TOKEN, Shim, memory_shim

URL = "http://shim.test:8082"
Run = Callable[..., Result]


def invoke(*words: str, stdin: str | bytes | None = None) -> Result:
    """Run the command line and check what holds for every run: no trace, and never the secret."""
    result = CliRunner().invoke(program, words, input=stdin)
    assert "Traceback" not in result.output
    assert TOKEN not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def schema_file(tmp_path: Path) -> str:
    path = tmp_path / "order.schema.json"
    path.write_text(json.dumps(ORDER))
    return str(path)


@pytest.fixture
def config_file(tmp_path: Path) -> str:
    path = tmp_path / "shim.toml"
    path.write_text(
        f'store = "sqlite:{tmp_path}/map.db"\nadmin_token = "{TOKEN}"\n'
        f'[clusters.default.kafka]\n"bootstrap.servers" = "memory:"\n"sasl.password" = "{TOKEN}"\n'
        f'[clusters.default.registry]\nurl = "memory:"\npassword = "{TOKEN}"\n'
    )
    return str(path)


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as parts:
        yield parts


@pytest.fixture
def network(shim: Shim) -> Iterator[responses.RequestsMock]:
    """Replace the network by one on which the shim is the only host."""

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        got = shim.client.open(
            request.path_url, method=request.method, data=request.body, headers=dict(request.headers)
        )
        return got.status_code, dict(got.headers), got.data

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "PUT", "POST", "DELETE"):
            mock.add_callback(method, re.compile(re.escape(URL)), answer, content_type=None)
        yield mock


@pytest.fixture
def on_store(config_file: str) -> Run:
    def run(*words: str, stdin: str | bytes | None = None) -> Result:
        return invoke(*words, "--config", config_file, stdin=stdin)

    return run


@pytest.fixture
def on_url(network: responses.RequestsMock) -> Run:
    del network

    def run(*words: str, stdin: str | bytes | None = None) -> Result:
        return invoke(*words, "--url", URL, "--token", TOKEN, stdin=stdin)

    return run


@pytest.fixture(params=["store", "url"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a command against each kind of topic map in turn."""
    chosen: Run = request.getfixturevalue(f"on_{request.param}")
    return chosen
