"""A shim before an upstream: what it hands on, what it keeps to itself, and what it never lets by."""

import pytest

from confluent_shim.errors import MetadataUnavailable
from confluent_shim.settings import Secret
from confluent_shim.sinks.memory import MemoryMetadata, MemorySink
from confluent_shim.sinks.metadata import ClusterMetadata
from tests.parts import V2, Shim, ask
from tests.upstream import Handler, Proxy, Received, Start


@pytest.fixture
def shim(start: Start) -> Shim:
    return start()


def only(proxy: Proxy) -> Received:
    """Return the one request that the upstream got."""
    (received,) = proxy.received
    return received


ENDPOINTS = [
    ("GET", "/"),
    ("POST", "/"),
    ("GET", "/topics"),
    ("GET", "/topics/t"),
    ("HEAD", "/topics/t"),
    ("OPTIONS", "/topics/t"),
    ("GET", "/topics/t/partitions/0/offsets"),
    ("GET", "/brokers"),
    ("GET", "/v3/clusters"),
    ("POST", "/v3/clusters/c/topics"),
    ("DELETE", "/v3/clusters/c/topics/t"),
    ("PATCH", "/v3/clusters/c/topics/t"),
    ("PUT", "/v3/clusters/c/topics/t/configs/retention.ms"),
    ("POST", "/v3/clusters/c/topics/-/configs:alter"),
    ("GET", "/v3/clusters/c/topics/-/partitions/-/reassignment"),
    ("GET", "/v3/clusters/c/consumer-groups/g%2F1/lags"),
    ("GET", "/v3/clusters/c/acls?principal=User%3Aa&x=%2F"),
    ("POST", "/v3/clusters/c/acls:batch"),
    ("GET", "/what/comes/later"),
]


@pytest.mark.parametrize("server_tells", [True, False])
@pytest.mark.parametrize(("method", "target"), ENDPOINTS)
def test_what_the_shim_does_not_answer_itself_goes_upstream_byte_for_byte(
    shim: Shim, proxy: Proxy, method: str, target: str, *, server_tells: bool
) -> None:
    answer = ask(shim, method, target, server_tells=server_tells)
    assert answer.status_code == 200
    assert (only(proxy).method, only(proxy).target) == (method, target)


@pytest.mark.parametrize("path", ["/-/live", "/-/ready", "/-/bindings", "/-/metrics"])
def test_the_shims_own_paths_stay_at_home(shim: Shim, proxy: Proxy, path: str) -> None:
    assert ask(shim, "GET", path).status_code == 200
    assert proxy.received == []


PRODUCE = [
    "/topics/orders/",
    "/topics/orders//",
    "/topics/orders;x=1",
    "//topics/orders",
    "/topics/orders/partitions/0/",
    "/topics/orders/partitions/x",
    "/%74opics/orders",
    "/%2574opics/orders",
    "/v3/../topics/orders",
    "/v3/%2e%2E/topics/orders",
    "/v3/clusters/c/..;/../topics/orders",
    "/v3/clusters/c/topics/orders/records",
    "/v3/clusters/c/topics/orders/records/",
    "/v3/clusters/c/topics/orders/records;x=1",
    "/v3/clusters/c/topics/orders/records:batch",
    "/v3/clusters/c/topics/orders/records%3Abatch",
    "/v3/clusters/c/topics/orders%2Frecords",
    "/v3/clusters/c/topics/a%2Fb/records",
    "/topics/a%2Fb",
    "/topics%2Forders",
    "/v3/clusters/c/topics/orders/records%0A",
    "/v3/clusters/c/topics%2Forders%2Frecords",
    "/v3/clusters/c/acls/../topics/orders/records",
    "/v3//clusters/c/topics/orders/records",
]


@pytest.mark.parametrize("server_tells", [True, False])
@pytest.mark.parametrize("method", ["POST", "PUT", "PROPFIND"])
@pytest.mark.parametrize("target", PRODUCE)
def test_nothing_that_could_produce_gets_by_on_its_way_through(
    shim: Shim, proxy: Proxy, method: str, target: str, *, server_tells: bool
) -> None:
    shim.bind("orders")
    answer = ask(
        shim,
        method,
        target,
        server_tells=server_tells,
        data='{"records":[{"value":"anything"}]}',
        headers={"Content-Type": "application/vnd.kafka.json.v2+json"},
    )
    assert 400 <= answer.status_code < 500
    assert proxy.received == []
    assert shim.landed("orders") == []


class TestHeaders:
    def test_those_of_one_connection_stay_on_it(self, shim: Shim, proxy: Proxy) -> None:
        hop_by_hop = {
            "Connection": "keep-alive, X-Mine",
            "X-Mine": "1",
            "Keep-Alive": "timeout=5",
            "TE": "trailers",
            "Upgrade": "h2c",
            "Proxy-Authorization": "Basic x",
            "Proxy": "http://evil.example",
            "Expect": "100-continue",
        }
        ask(shim, "GET", "/brokers", headers={**hop_by_hop, "X-Kept": "a, b", "Accept": V2})
        received = only(proxy)
        assert {name: received.header(name) for name in hop_by_hop} == dict.fromkeys(hop_by_hop)
        assert (received.header("X-Kept"), received.header("Accept")) == ("a, b", V2)

    def test_the_upstream_is_addressed_by_its_own_name(self, shim: Shim, proxy: Proxy) -> None:
        ask(shim, "GET", "/brokers", headers={"Host": "shim.example"})
        assert only(proxy).header("Host") == proxy.url.removeprefix("http://")

    def test_both_logs_have_the_same_request_id(self, shim: Shim, proxy: Proxy) -> None:
        answer = ask(shim, "GET", "/brokers", headers={"X-Request-Id": "abc"})
        assert answer.headers.getlist("X-Request-Id") == ["abc"]
        assert only(proxy).header("X-Request-Id") == "abc"

    def test_what_is_said_of_proxies_before_is_believed_of_trusted_ones_alone(self, start: Start, proxy: Proxy) -> None:
        forwarded = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "Forwarded": "for=10.0.0.1"}
        for trusted in ("", "127.0.0.1"):
            ask(start(trusted_proxies=trusted), "GET", "/brokers", headers=forwarded)
        stranger, friend = proxy.received
        assert {name: stranger.header(name) for name in forwarded} == dict.fromkeys(forwarded)
        assert {name: friend.header(name) for name in forwarded} == forwarded

    def test_those_of_the_answer_come_back_as_often_as_they_were_sent(self, shim: Shim, proxy: Proxy) -> None:
        def twice(handler: Handler) -> None:
            handler.receive()
            handler.send_response(200)
            for name, value in (("X-A", "1"), ("X-A", "2"), ("Connection", "X-B"), ("X-B", "3"), ("X-Request-Id", "x")):
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        proxy.play = twice
        answer = ask(shim, "GET", "/brokers", headers={"X-Request-Id": "abc"})
        assert answer.headers.getlist("X-A") == ["1", "2"]
        assert "X-B" not in answer.headers
        assert answer.headers.getlist("X-Request-Id") == ["abc"]

    def test_a_status_that_nobody_has_heard_of_comes_back(self, shim: Shim, proxy: Proxy) -> None:
        def strange(handler: Handler) -> None:
            handler.receive()
            handler.wfile.write(b"HTTP/1.1 299\r\nContent-Length: 2\r\n\r\nok")

        proxy.play = strange
        answer = ask(shim, "GET", "/brokers")
        assert (answer.status_code, answer.data) == (299, b"ok")


CLIENTS = {"Authorization": "Basic client"}


class TestAuthorization:
    def sent(self, shim: Shim, proxy: Proxy, headers: dict[str, str]) -> str | None:
        ask(shim, "GET", "/topics", headers=headers)
        return proxy.received[-1].header("Authorization")

    def test_the_clients_own_stays_here(self, start: Start, proxy: Proxy) -> None:
        assert self.sent(start(), proxy, CLIENTS) is None

    def test_it_is_handed_on_where_the_settings_say_so(self, start: Start, proxy: Proxy) -> None:
        assert self.sent(start(rest_proxy={"forward_authorization": True}), proxy, CLIENTS) == "Basic client"

    def test_the_shims_own_goes_there_instead(self, start: Start, proxy: Proxy) -> None:
        shim = start(rest_proxy={"user": "shim", "password": Secret("secret")})
        assert self.sent(shim, proxy, CLIENTS) == "Basic c2hpbTpzZWNyZXQ="

    def test_nobody_borrows_the_shims_own_where_clients_bring_theirs(self, start: Start, proxy: Proxy) -> None:
        shim = start(rest_proxy={"user": "shim", "password": Secret("secret"), "forward_authorization": True})
        assert self.sent(shim, proxy, {}) is None


class TestBodies:
    def test_a_body_arrives_as_it_is(self, shim: Shim, proxy: Proxy) -> None:
        body = bytes(range(256)) * 300
        ask(shim, "POST", "/v3/clusters/c/acls", data=body, headers={"Content-Type": "application/json"})
        assert only(proxy).body == body
        assert (only(proxy).header("Content-Type"), only(proxy).header("Content-Length")) == (
            "application/json",
            str(len(body)),
        )

    def test_a_post_without_a_body_says_so(self, shim: Shim, proxy: Proxy) -> None:
        ask(shim, "POST", "/")
        assert only(proxy).header("Content-Length") == "0"

    def test_an_answer_comes_back_block_by_block(self, shim: Shim, proxy: Proxy) -> None:
        def endless(handler: Handler) -> None:
            handler.receive()
            handler.begin_chunks(Content_Type="application/octet-stream")
            while True:
                handler.chunk(b"x" * 1000)

        proxy.play = endless
        answer = shim.client.get("/brokers", buffered=False)
        blocks = answer.iter_encoded()
        assert sum(len(next(blocks)) for _ in range(100)) >= 100
        answer.close()

    def test_an_encoded_answer_stays_encoded(self, shim: Shim, proxy: Proxy) -> None:
        def squeezed(handler: Handler) -> None:
            handler.receive()
            handler.send_response(200)
            for name, value in (("Content-Encoding", "gzip"), ("Content-Type", "application/json")):
                handler.send_header(name, value)
            handler.send_header("Content-Length", "3")
            handler.end_headers()
            handler.wfile.write(b"\x1f\x8b\x08")

        proxy.play = squeezed
        for path in ("/topics", "/v3/clusters"):
            answer = ask(shim, "GET", path, headers={"Accept-Encoding": "gzip"})
            assert (answer.data, answer.headers["Content-Encoding"]) == (b"\x1f\x8b\x08", "gzip")
        plain, with_links = proxy.received
        assert (plain.header("Accept-Encoding"), with_links.header("Accept-Encoding")) == ("gzip", None)


class TestLinks:
    def links(self, handler: Handler) -> None:
        handler.receive()
        handler.answer(
            201,
            {"metadata": {"self": "http://0.0.0.0:8082/v3/clusters/c"}, "base_uri": "http://0.0.0.0:8082/consumers/g"},
            Location="http://0.0.0.0:8082/v3/clusters/c/topics/t",
        )

    def test_they_lead_to_where_the_client_came_from(self, shim: Shim, proxy: Proxy) -> None:
        proxy.play = self.links
        answer = ask(shim, "GET", "/v3/clusters/c", headers={"Host": "shim.example:8082"})
        assert answer.get_json()["metadata"]["self"] == "http://shim.example:8082/v3/clusters/c"
        assert answer.headers["Location"] == "http://shim.example:8082/v3/clusters/c/topics/t"

    def test_they_lead_to_where_the_settings_say_the_shim_is(self, start: Start, proxy: Proxy) -> None:
        proxy.play = self.links
        shim = start(public_url="https://public.example/kafka")
        assert (
            ask(shim, "GET", "/v3/clusters")
            .get_json()["metadata"]["self"]
            .startswith("https://public.example/kafka/v3/")
        )

    def test_a_consumer_is_told_to_come_back_here(self, start: Start, proxy: Proxy) -> None:
        proxy.play = self.links
        answer = ask(start(consumers="pass"), "POST", "/consumers/g%2F1")
        assert answer.get_json()["base_uri"] == "http://localhost/consumers/g"

    def test_what_consumers_read_is_nobodys_links(self, start: Start, proxy: Proxy) -> None:
        proxy.play = self.links
        answer = ask(start(consumers="pass"), "GET", "/consumers/g/instances/i/records")
        assert answer.get_json()["metadata"]["self"] == "http://0.0.0.0:8082/v3/clusters/c"


class TestConsumers:
    def test_they_are_refused_although_there_is_an_upstream(self, shim: Shim, proxy: Proxy) -> None:
        assert ask(shim, "POST", "/consumers/g").status_code == 405
        assert ask(shim, "GET", "/consumers/g/instances/i/records").status_code == 404
        assert proxy.received == []

    def test_they_pass_where_the_settings_say_so(self, start: Start, proxy: Proxy) -> None:
        shim = start(consumers="pass")
        assert ask(shim, "GET", "/consumers/g/instances/i/records?timeout=10").status_code == 200
        assert only(proxy).target == "/consumers/g/instances/i/records?timeout=10"


class TestClusters:
    def test_what_is_about_a_topic_goes_to_the_upstream_of_its_cluster_or_is_answered_here(
        self, start: Start, proxy: Proxy
    ) -> None:
        shim = start({"analytics": MemorySink(["clicks"], cluster_id="second")})
        shim.bind("clicks", cluster="analytics")
        assert ask(shim, "GET", "/topics/clicks").get_json()["name"] == "clicks"
        assert ask(shim, "GET", "/v3/clusters/second/topics/clicks").get_json()["topic_name"] == "clicks"
        assert proxy.received == []
        for path in ("/topics/orders", "/topics", "/v3/clusters/memory/topics", "/v3/clusters/unknown"):
            ask(shim, "GET", path)
        assert len(proxy.received) == 4

    def test_a_kafka_that_is_away_is_not_asked_at_every_request(self, start: Start) -> None:
        sink = MemorySink()
        sink.metadata = away = AskedForNothing(sink, "second")
        shim = start({"analytics": sink})
        for _ in range(3):
            assert ask(shim, "GET", "/v3/clusters/unknown/topics").status_code == 200
        assert away.asked == 1


class AskedForNothing(MemoryMetadata):
    """Does not answer, and counts how often it is asked."""

    asked = 0

    def read(self) -> ClusterMetadata:
        self.asked += 1
        raise MetadataUnavailable("away")
