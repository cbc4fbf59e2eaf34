"""A shim before an upstream that is busy, fails or is away."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from werkzeug.test import TestResponse

from confluent_shim.errors import SettingsInvalid, UpstreamBroken
from confluent_shim.services import build_services
from confluent_shim.settings import Cluster, Limits, RegistryEndpoint, RestProxyEndpoint, Settings
from tests.parts import V2, Shim, ask
from tests.upstream import Handler, Proxy, Start


@pytest.fixture
def shim(start: Start) -> Shim:
    return start()


class TestCapacity:
    def test_a_worker_takes_on_no_more_than_it_has_places_for(self, start: Start, proxy: Proxy) -> None:
        shim = start(limits=Limits(requests=1))
        proxy.play = self.hold
        with ThreadPoolExecutor(1) as pool:
            self.arrived, self.over = threading.Event(), threading.Event()
            first = pool.submit(ask, shim, "GET", "/topics")
            assert self.arrived.wait(10)
            refused = ask(shim, "GET", "/brokers")
            self.over.set()
            assert first.result().status_code == 200
        assert (refused.status_code, refused.get_json()["error_code"]) == (429, 42990)
        assert ask(shim, "GET", "/topics").status_code == 200

    def hold(self, handler: Handler) -> None:
        handler.receive()
        self.arrived.set()
        assert self.over.wait(10)
        handler.answer(200, [])

    def test_a_place_is_free_again_however_the_request_ends(self, start: Start, proxy: Proxy) -> None:
        shim = start(limits=Limits(requests=1))
        for play in (None, self.hang_up, self.half):
            proxy.play = play
            for method in ("GET", "HEAD", "DELETE"):
                with suppress(UpstreamBroken):
                    assert ask(shim, method, "/v3/clusters/c/topics/t").status_code in (200, 502)
        shim.client.get("/topics", buffered=False).close()
        proxy.play = None
        assert ask(shim, "GET", "/topics").status_code == 200

    def hang_up(self, handler: Handler) -> None:
        handler.receive()
        handler.close_connection = True

    def half(self, handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        handler.close_connection = True


class TestOutages:
    def told(self, answer: TestResponse) -> tuple[int, int, str | None]:
        return answer.status_code, answer.get_json()["error_code"], answer.content_type

    @pytest.mark.parametrize(("path", "content_type"), [("/topics", V2), ("/v3/clusters", "application/json")])
    def test_an_upstream_that_cannot_be_reached_may_be_asked_again(
        self, start: Start, path: str, content_type: str
    ) -> None:
        answer = ask(start(rest_proxy={"url": "http://127.0.0.1:1"}), "GET", path)
        assert self.told(answer) == (503, 50395, content_type)
        assert answer.headers["Retry-After"] == "1"
        assert answer.get_json()["retryable"] is True

    def test_one_that_breaks_off_leaves_it_open_what_came_of_the_request(self, shim: Shim, proxy: Proxy) -> None:
        def hang_up(handler: Handler) -> None:
            handler.receive()
            handler.close_connection = True

        proxy.play = hang_up
        assert self.told(ask(shim, "DELETE", "/v3/clusters/c/topics/t")) == (502, 50290, "application/json")

    def test_one_that_is_silent_too(self, start: Start, proxy: Proxy) -> None:
        def wait(handler: Handler) -> None:
            handler.receive()
            handler.rfile.read(1)

        proxy.play = wait
        answer = ask(start(rest_proxy={"timeout": 0.2}), "GET", "/topics")
        assert self.told(answer) == (504, 50490, V2)

    def test_a_head_is_refused_without_a_body(self, start: Start) -> None:
        answer = ask(start(rest_proxy={"url": "http://127.0.0.1:1"}), "HEAD", "/topics")
        assert (answer.status_code, answer.data) == (503, b"")

    def test_an_answer_that_breaks_off_in_the_middle_is_logged_and_not_taken_for_whole(
        self, shim: Shim, proxy: Proxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        def half(handler: Handler) -> None:
            handler.receive()
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            handler.close_connection = True

        proxy.play = half
        with pytest.raises(Exception, match="broke off"):
            ask(shim, "GET", "/brokers")
        assert "a relayed answer broke off" in caplog.text

    def test_readiness_tells_of_it_without_depending_on_it(self, start: Start) -> None:
        parts = ask(start(), "GET", "/-/ready?verbose").get_json()["parts"]
        assert parts["rest proxy default"] == "ok"
        down = ask(start(rest_proxy={"url": "http://127.0.0.1:1"}), "GET", "/-/ready?verbose")
        assert down.status_code == 200
        assert "cannot be reached" in json.loads(down.text)["parts"]["rest proxy default"]


def test_a_certificate_authority_that_cannot_be_read_stops_the_start() -> None:
    endpoint = RestProxyEndpoint(url="https://proxy.example", ca="/no/such/file.pem")
    cluster = Cluster(
        registry=RegistryEndpoint(url="memory:"), kafka={"bootstrap.servers": "memory:"}, rest_proxy=endpoint
    )
    with pytest.raises(SettingsInvalid, match=r"clusters\.eu\.rest_proxy\.ca: /no/such/file\.pem"):
        build_services(Settings(store="memory:", clusters={"eu": cluster}))
