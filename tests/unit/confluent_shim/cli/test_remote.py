import json
from pathlib import Path

import pytest
import requests
import responses

from confluent_shim.cli.remote import open_http_backend
from tests.parts import TOKEN, Shim, memory_shim

from .conftest import URL, Run, invoke

_LIST = f"{URL}/-/bindings"


def _ask(*answer: object, **fields: object) -> tuple[int, str, str]:
    with responses.RequestsMock() as network:
        network.add("GET", _LIST, *answer, **fields)  # type: ignore[arg-type]
        result = invoke("bindings", "list", "--url", URL)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"body": requests.ConnectionError("no route")}, "cannot be reached: no route"),
        ({"body": requests.ReadTimeout()}, "did not answer in time"),
        ({"body": "<html>", "content_type": "text/html"}, "does not answer as a shim does (HTTP 200, text/html"),
        ({"body": b"\xff\xfe"}, "does not answer as a shim does"),
        ({"json": {"hello": 1}}, "does not answer as a shim does"),
        ({"json": {"hello": 1}, "status": 404}, "does not answer as a shim does"),
        ({"status": 204}, "does not answer as a shim does"),
        ({"json": {"error_code": 404, "message": "HTTP 404 Not Found"}, "status": 404}, "is no shim"),
        ({"json": {"error_code": 50390, "message": "the store is gone"}, "status": 503}, "the store is gone"),
        ({"status": 301, "headers": {"Location": "https://shim.test"}}, "redirects to https://shim.test"),
    ],
)
def test_an_answer_that_is_none_ends_with_1(fields: dict[str, object], word: str) -> None:
    """Whatever stands at the address, the command ends in one line that names it."""
    code, stdout, stderr = _ask(**fields)
    assert (code, stdout, stderr.count("\n")) == (1, "", 1)
    assert word in stderr


def test_a_cause_is_told_in_the_words_of_the_system() -> None:
    """The layers of the HTTP client are left out."""
    error = requests.ConnectionError("HTTPConnectionPool(...)")
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    code, _, stderr = _ask(body=error)
    assert (code, stderr) == (1, f"confluent-shim: {URL} cannot be reached: Connection refused\n")


@pytest.mark.usefixtures("network")
def test_a_wrong_token_is_refused_and_the_option_is_named() -> None:
    """Looking needs no token; a change does."""
    assert invoke("bindings", "list", "--url", URL).exit_code == 0
    refused = invoke("bindings", "unbind", "orders", "--url", URL, "--token", "wrong")
    assert (refused.exit_code, "--token" in refused.stderr) == (4, True)


def test_changes_that_are_switched_off_are_refused() -> None:
    """The shim's own words say how to switch them on."""
    with memory_shim(admin_token=None) as shim, responses.RequestsMock() as network:
        body = shim.client.delete("/-/bindings/orders")
        network.add("DELETE", f"{_LIST}/orders", body=body.data, status=body.status_code)
        refused = invoke("bindings", "unbind", "orders", "--url", URL, "--token", "any")
    assert (refused.exit_code, "SHIM_ADMIN_TOKEN" in refused.stderr) == (4, True)


@pytest.mark.usefixtures("network")
def test_the_token_comes_from_the_environment(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    """SHIM_ADMIN_TOKEN stands in for --token."""
    shim.bind("orders")
    monkeypatch.setenv("SHIM_ADMIN_TOKEN", TOKEN)
    assert invoke("bindings", "unbind", "orders", "--url", URL).exit_code == 0


def test_a_netrc_entry_does_not_take_the_place_of_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token that was given is the one that is sent."""
    (tmp_path / "netrc").write_text("machine shim.test login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with responses.RequestsMock() as network:
        network.add("GET", _LIST, json={"revision": 0, "bindings": []})
        open_http_backend(URL, "mine").snapshot()
        assert network.calls[0].request.headers["Authorization"] == "Bearer mine"


@pytest.mark.parametrize(
    "url", ["shim.test", "ftp://shim.test", "http://", "http://u:hidden@shim.test", "http://a?b", "http://[x"]
)
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    """Only http and https, without credentials, which would be printed with every error."""
    wrong = invoke("bindings", "list", "--url", url)
    assert (wrong.exit_code, "hidden" in wrong.output) == (2, False)


@pytest.mark.parametrize("token", ["line\nbreak", "ключ", " padded"])
def test_a_token_that_no_header_carries_is_a_usage_error_and_stays_hidden(token: str) -> None:
    """The refusal does not quote the token."""
    wrong = invoke("bindings", "list", "--url", URL, "--token", token)
    assert (wrong.exit_code, token in wrong.output) == (2, False)


def test_with_a_url_no_settings_are_read(on_url: Run, monkeypatch: pytest.MonkeyPatch, config_file: str) -> None:
    """A configuration that is broken, or given besides, does not matter to a running shim."""
    monkeypatch.setenv("SHIM_CONFIG", "/nowhere/shim.toml")
    monkeypatch.setenv("SHIM_NONSENSE", "1")
    assert on_url("bindings", "list").exit_code == 0
    assert on_url("bindings", "list", "--config", config_file).exit_code == 2


def test_a_base_path_and_a_trailing_slash_are_kept() -> None:
    """A shim may stand behind a proxy, below a path."""
    with responses.RequestsMock() as network:
        network.add("GET", f"{URL}/kafka/-/bindings", json={"revision": 3, "bindings": []})
        done = invoke("bindings", "list", "--url", f"{URL}/kafka/", "-o", "json")
    assert json.loads(done.stdout)["revision"] == 3
