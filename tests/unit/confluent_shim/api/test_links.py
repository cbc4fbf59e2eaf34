"""What the links in answers begin with."""

import pytest

from confluent_shim.api.links import Links, relinked, relocated
from confluent_shim.settings import Settings

REQUEST = {
    "wsgi.url_scheme": "http",
    "SERVER_NAME": "10.0.0.5",
    "SERVER_PORT": "8082",
    "REMOTE_ADDR": "10.1.2.3",
    "HTTP_HOST": "shim.example:8082",
}
FORWARDED = {**REQUEST, "HTTP_X_FORWARDED_HOST": "events.example", "HTTP_X_FORWARDED_PROTO": "https"}


def base(request: dict[str, str], public_url: str = "", trusted_proxies: str = "") -> str:
    return Links(Settings(public_url=public_url, trusted_proxies=trusted_proxies)).base(request)


def test_the_host_header_is_taken_when_nothing_else_is_said() -> None:
    assert base(REQUEST) == "http://shim.example:8082"


def test_the_setting_goes_before_everything() -> None:
    assert base(FORWARDED, "https://public.example/kafka/", "10.0.0.0/8") == "https://public.example/kafka"


@pytest.mark.parametrize("trusted", ["10.1.2.3", "192.0.2.1, 10.0.0.0/8", "::1,10.1.2.3"])
def test_what_a_trusted_proxy_was_asked_under_is_taken(trusted: str) -> None:
    assert base(FORWARDED, trusted_proxies=trusted) == "https://events.example"


def test_what_anybody_else_says_he_was_asked_under_is_not() -> None:
    assert base(FORWARDED) == "http://shim.example:8082"
    assert base(FORWARDED, trusted_proxies="10.9.9.9") == "http://shim.example:8082"
    assert base({**FORWARDED, "REMOTE_ADDR": ""}, trusted_proxies="10.0.0.0/8") == "http://shim.example:8082"


def test_of_several_proxies_the_one_next_to_the_client_counts() -> None:
    request = {**FORWARDED, "HTTP_X_FORWARDED_HOST": "first.example, second.example"}
    assert base(request, trusted_proxies="10.1.2.3") == "https://first.example"


def test_a_trusted_proxy_that_says_nothing_changes_nothing() -> None:
    assert base(REQUEST, trusted_proxies="10.1.2.3") == "http://shim.example:8082"
    strange = {**REQUEST, "HTTP_X_FORWARDED_PROTO": "gopher"}
    assert base(strange, trusted_proxies="10.1.2.3") == "http://shim.example:8082"


@pytest.mark.parametrize("host", ["", 'a"b', "a/b", "a b", "user@host", "a\\b", "h:1:2", "ä"])
def test_what_is_no_host_does_not_get_into_an_answer(host: str) -> None:
    assert base({**REQUEST, "HTTP_HOST": host}) == "http://10.0.0.5:8082"


def test_an_address_of_ipv6_is_a_host() -> None:
    assert base({**REQUEST, "HTTP_HOST": "[::1]:8082"}) == "http://[::1]:8082"


BASE = "https://public.example/kafka"
TOLD = (
    b'{"kind":"KafkaTopicList","metadata":{"self":"http://0.0.0.0:8082/v3/clusters/c/topics","next" : "https://proxy/v3/x"},'
    b'"data":[{"partitions":{"related":"http://proxy.internal/base/v3/clusters/c"}}],'
    b'"base_uri":"http://proxy:8082/consumers/g/instances/i","name":"http://proxy:8082/v3/"}'
)
EXPECTED = (
    b'{"kind":"KafkaTopicList","metadata":{"self":"https://public.example/kafka/v3/clusters/c/topics",'
    b'"next" : "https://public.example/kafka/v3/x"},'
    b'"data":[{"partitions":{"related":"https://public.example/kafka/v3/clusters/c"}}],'
    b'"base_uri":"https://public.example/kafka/consumers/g/instances/i","name":"http://proxy:8082/v3/"}'
)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
def test_links_of_an_answer_lead_to_the_shim_however_the_answer_is_cut(size: int) -> None:
    blocks = [TOLD[begin : begin + size] for begin in range(0, len(TOLD), size)]
    assert b"".join(relinked(blocks, BASE)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        b'{"self":"',
        b'{"self',
        b'"',
        b"",
        b'{"self":"http://' + b"x" * 5000,
        b'{"self":null,"related":"ftp://h/v3/"}',
        b'{"self":"http://h/other"}',
        b'["self","http://h/v3/"]',
    ],
)
def test_what_is_no_link_stays_as_it_is(text: bytes) -> None:
    for size in (1, 50, 100_000):
        assert b"".join(relinked([text[n : n + size] for n in range(0, len(text), size)], BASE)) == text


def test_no_more_is_held_back_than_a_link_that_is_not_at_its_end() -> None:
    blocks = relinked(iter([b'{"error_code":200}\r\n', b'{"a":1,"self":"http://h', b'/v3/"}']), BASE)
    assert next(blocks) == b'{"error_code":200}\r\n'
    assert next(blocks) == b'{"a":1,'
    assert next(blocks) == b'"self":"https://public.example/kafka/v3/"}'


def test_an_address_that_looks_like_a_link_itself_is_put_in_once() -> None:
    base = "https://public.example/v3/kafka"
    assert (
        b"".join(relinked([b'"self":"http://h', b'/v3/clusters"'], base)) == b'"self":"%b/v3/clusters"' % base.encode()
    )


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://0.0.0.0:8082/v3/clusters/c/topics/t", f"{BASE}/v3/clusters/c/topics/t"),
        ("https://h/base/v3/x", f"{BASE}/v3/x"),
        ("/v3/relative", "/v3/relative"),
        ("http://h/elsewhere", "http://h/elsewhere"),
    ],
)
def test_a_location_leads_to_the_shim_too(address: str, expected: str) -> None:
    assert relocated(address, BASE) == expected
