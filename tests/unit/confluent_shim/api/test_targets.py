"""The target of a request as it was sent, and which ones two servers might read differently."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_shim.api.targets import is_ambiguous, readings, sent_target

GROUPS = "/v3/clusters/c/consumer-groups"


def decoded(path: str, query: str = "") -> dict[str, str]:
    """Return what a server says that only tells the decoded path."""
    return {"PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query}


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize("target", ["/a%2Fb?c=%2f", "/", "/x?", "/v3/clusters/c/topics/-/configs:alter"])
def test_a_target_that_the_server_tells_is_taken_as_it_is(name: str, target: str) -> None:
    assert sent_target({name: target, "PATH_INFO": "/other", "QUERY_STRING": "x"}) == target


def test_an_address_before_the_path_is_left_out() -> None:
    assert sent_target({"RAW_URI": "http://h:1/a%2Fb?u=http://x/", "PATH_INFO": "/"}) == "/a%2Fb?u=http://x/"
    assert sent_target({"RAW_URI": "http://h:1", "PATH_INFO": "/"}) == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/v3/clusters/c/topics/-/configs:alter",
        "/v3/clusters/c/brokers/-/configs",
        "/v3/clusters/a_b-1.2/topics/t;x=1/partitions/0",
        "/%25/%20/%22",
        "/%C3%A9",
        f"{GROUPS}/g%2F1",
        f"{GROUPS}/g%2F1/lag-summary",
        f"{GROUPS}/a%2Fconsumers%2Fb%3B1/consumers/i/assignments/t/partitions/0",
        f"{GROUPS}/a%2Fb/lags/t/partitions/0",
        "/consumers/g%2F1",
        "/consumers/g%2F1/instances/i/positions/beginning",
    ],
)
def test_a_path_that_the_server_only_tells_decoded_is_spelt_as_clients_spell_it(path: str) -> None:
    assert sent_target(decoded(path, "a=%2F")) == f"{path}?a=%2F"


@given(st.text(st.characters(min_codepoint=1, max_codepoint=255)))
def test_a_path_that_is_encoded_anew_is_still_the_same_path(path: str) -> None:
    assert unquote(sent_target({"PATH_INFO": f"/{path}"}), "latin-1") == f"/{path}"


@pytest.mark.parametrize(
    "target",
    [
        "/v3/clusters/c/acls%2F..%2Ftopics/t/records",
        "/v3/clusters/c/topics%2F%2Ft/records",
        "/v3/clusters/c/acls/../topics/t/records",
        "/v3/./acls",
        "/v3/%2E%2e/topics/t",
        "/v3/..;x=1/topics/t",
        "/v3;x=%2F../topics",
        "/v3/%2574opics/t",
        "/v3//acls",
        "//topics/t",
        "/v3/%5C..%5Ctopics",
        "/v3/a%0Ab",
        "/;x/topics",
    ],
)
def test_a_path_with_two_readings_is_known_for_one(target: str) -> None:
    assert is_ambiguous(target)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v3/clusters/c/topics/",
        "/v3/clusters/c/topics/-/configs:alter?x=%2F..",
        "/a;x=1/..b/c.d/%20",
        "/consumers/a%2Fb",
    ],
)
def test_a_path_with_one_reading_is_not(target: str) -> None:
    assert not is_ambiguous(target)


def test_an_encoded_slash_is_read_both_ways_and_matrix_parameters_not_at_all() -> None:
    assert readings("/v3/%63/topics;x=1/a%2fb/records?q=/;") == (
        "/v3/c/topics/a%2Fb/records",
        "/v3/c/topics/a/b/records",
    )
