"""What the shim makes of an HTTP service behind it that fails, and how it asks whether one is there."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from confluent_shim.errors import UpstreamBroken, UpstreamSilent, UpstreamUnavailable
from confluent_shim.settings import RestProxyEndpoint, Secret
from confluent_shim.sinks.upstream import Upstream
from confluent_shim.sinks.wire import Body
from tests.upstream import Handler, Proxy, whole


def _waiting_for(over: threading.Event) -> Callable[[Handler], None]:
    def play(_: Handler) -> None:
        over.wait(10)

    return play


def _answering(status: int) -> Callable[[Handler], None]:
    def play(handler: Handler) -> None:
        handler.receive()
        handler.answer(status, "so it is")

    return play


class TestFailures:
    def test_where_nobody_listens_nothing_was_sent(self) -> None:
        with pytest.raises(UpstreamUnavailable, match="nothing was sent"):
            Upstream(RestProxyEndpoint(url="http://127.0.0.1:1")).ask("GET", "/", [])

    def test_a_certificate_that_cannot_be_checked_is_no_connection(self, proxy: Proxy) -> None:
        url = proxy.url.replace("http:", "https:")
        with pytest.raises(UpstreamUnavailable):
            Upstream(RestProxyEndpoint(url=url, connect_timeout=1.0)).ask("GET", "/", [])

    def test_a_closed_upstream_sends_nothing(self, upstream: Upstream, proxy: Proxy) -> None:
        whole(upstream.ask("GET", "/", []))
        upstream.close()
        with pytest.raises(UpstreamUnavailable):
            upstream.ask("GET", "/", [])
        assert len(proxy.received) == 1

    def test_silence_is_given_up(self, open_upstream: Callable[..., Upstream], proxy: Proxy) -> None:
        over = threading.Event()
        proxy.play = _waiting_for(over)
        with pytest.raises(UpstreamSilent, match=r"silent for 0\.2 s"):
            open_upstream(timeout=0.2).ask("GET", "/", [])
        over.set()

    def test_a_service_that_takes_nothing_is_given_up(
        self, open_upstream: Callable[..., Upstream], proxy: Proxy
    ) -> None:
        over = threading.Event()
        proxy.play = _waiting_for(over)
        with pytest.raises(UpstreamSilent):
            open_upstream(timeout=0.2).ask("POST", "/", [], Body(lambda size: b"x" * size, 10**12))
        over.set()

    def test_a_head_that_does_not_end_is_given_up(self, upstream: Upstream, proxy: Proxy) -> None:
        def endless(handler: Handler) -> None:
            handler.receive()
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            with suppress(OSError):
                for number in range(100_000):
                    handler.wfile.write(b"X-%d: y\r\n" % number)
            handler.close_connection = True

        proxy.play = endless
        with pytest.raises(UpstreamBroken, match="does not end"):
            upstream.ask("GET", "/", [])

    @pytest.mark.parametrize("text", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nTransfer"])
    def test_what_is_no_answer_is_told(self, upstream: Upstream, proxy: Proxy, text: bytes) -> None:
        def noise(handler: Handler) -> None:
            handler.receive()
            handler.wfile.write(text)
            handler.close_connection = True

        proxy.play = noise
        with pytest.raises(UpstreamBroken):
            whole(upstream.ask("GET", "/", []))

    @pytest.mark.parametrize(
        "text",
        [
            b"Content-Length: 10\r\n\r\nabc",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1",
            b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nmany\r\n",
        ],
    )
    def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(
        self, upstream: Upstream, proxy: Proxy, text: bytes
    ) -> None:
        def short(handler: Handler) -> None:
            handler.receive()
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + text)
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

        proxy.play = short
        with pytest.raises(UpstreamBroken):
            whole(upstream.ask("GET", "/", []))


class TestPing:
    def test_a_service_that_answers_at_all_is_there(self, upstream: Upstream, proxy: Proxy) -> None:
        upstream.ping()
        proxy.play = _answering(404)
        upstream.ping()

    def test_one_that_only_fails_is_not(self, upstream: Upstream, proxy: Proxy) -> None:
        proxy.play = _answering(503)
        with pytest.raises(UpstreamBroken, match="503"):
            upstream.ping()

    def test_one_that_is_silent_is_not_waited_for_long(
        self, open_upstream: Callable[..., Upstream], proxy: Proxy
    ) -> None:
        over = threading.Event()
        proxy.play = _waiting_for(over)
        with pytest.raises(UpstreamSilent, match="silent for 1 s"):
            open_upstream(timeout=60.0).ping()
        over.set()

    def test_it_is_asked_in_the_shims_own_name(self, open_upstream: Callable[..., Upstream], proxy: Proxy) -> None:
        open_upstream(user="shim", password=Secret("secret")).ping()
        assert proxy.received[0].header("Authorization") == "Basic c2hpbTpzZWNyZXQ="
