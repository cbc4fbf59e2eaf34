"""What the WSGI application is told of a request that came by ASGI."""

from typing import TYPE_CHECKING, Any

import pytest

from confluent_shim.asgi import environ
from confluent_shim.asgi.environ import environ_of
from tests.served import Asked, Fields

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def told(**asked: Any) -> "WSGIEnvironment":
    return environ_of(Asked(**asked).scope())


def test_method_path_and_query_are_told_apart() -> None:
    found = told(method="POST", path="/topics/orders", query="a=%41&b")
    assert (found["REQUEST_METHOD"], found["PATH_INFO"], found["QUERY_STRING"], found["SCRIPT_NAME"]) == (
        "POST",
        "/topics/orders",
        "a=%41&b",
        "",
    )


def test_a_path_beyond_ascii_is_told_as_its_bytes_in_latin_1() -> None:
    """As PEP 3333 has it: whoever means text encodes it, and decodes that as UTF-8."""
    path = told(path="/topics/gr%C3%B6%C3%9Fe-€")["PATH_INFO"]
    assert path.encode("latin-1").decode() == "/topics/größe-€"


def test_a_header_is_a_variable_and_two_of_its_own_have_no_prefix() -> None:
    fields = Fields(("content-type", "a/b"), ("content-length", "7"), ("x-request-id", "r1"))
    found = told(headers=fields)
    assert (found["CONTENT_TYPE"], found["CONTENT_LENGTH"], found["HTTP_X_REQUEST_ID"]) == ("a/b", "7", "r1")
    assert "HTTP_CONTENT_TYPE" not in found


def test_headers_of_one_name_are_joined_in_their_order() -> None:
    found = told(headers=Fields(("accept", "a/b"), ("prefer", "x"), ("accept", "c/d")))
    assert (found["HTTP_ACCEPT"], found["HTTP_PREFER"]) == ("a/b,c/d", "x")


def test_a_header_with_an_underscore_is_not_taken_for_the_one_with_a_hyphen() -> None:
    found = told(headers=Fields(("x_forwarded_host", "evil"), ("x-forwarded-host", "good"), ("content_length", "7")))
    assert found["HTTP_X_FORWARDED_HOST"] == "good"
    assert not {"CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"} & found.keys()


@pytest.mark.parametrize(("version", "protocol"), [("1", "HTTP/1.0"), ("1.1", "HTTP/1.1"), ("2", "HTTP/2")])
def test_the_protocol_is_named_as_wsgi_names_it(version: str, protocol: str) -> None:
    assert told(http_version=version)["SERVER_PROTOCOL"] == protocol


def test_addresses_are_told() -> None:
    found = told(client="fd00::7", server="10.0.0.1")
    assert (found["REMOTE_ADDR"], found["SERVER_NAME"], found["SERVER_PORT"]) == ("fd00::7", "10.0.0.1", "8082")


@pytest.mark.parametrize("query", ["", "x=%20y&z"])
def test_the_target_is_told_as_it_was_sent(query: str) -> None:
    found = told(path=b"/topics/t%2f%FF;a=1", query=query)
    assert found["RAW_URI"] == "/topics/t%2f%FF;a=1" + (f"?{query}" if query else "")
    assert found["PATH_INFO"] == "/topics/t/\xff;a=1"


def test_no_request_leaves_anything_in_the_next_one() -> None:
    told(headers=Fields(("x-only-here", "1"), ("host", "one")))
    found = told()
    assert "HTTP_X_ONLY_HERE" not in found
    assert "HTTP_HOST" not in found


def test_names_that_clients_make_up_are_remembered_within_bounds_and_told_all_the_same() -> None:
    long = f"x-{'long' * 10_000}"
    assert told(headers=Fields((long, "v")))[f"HTTP_{long.upper().replace('-', '_')}"] == "v"
    for number in range(3 * environ._MOST_NAMES):
        name = f"x-made-up-{number}"
        assert told(headers=Fields((name, "v")))[f"HTTP_X_MADE_UP_{number}"] == "v"
    assert len(environ._keys) <= environ._MOST_NAMES
    assert max(map(len, environ._keys)) < 1_000
