"""What the shim says to an HTTP service behind it, and what it makes of its answers."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from confluent_shim.errors import BodyUnreadable, UpstreamBroken, UpstreamUnavailable
from confluent_shim.sinks.upstream import Upstream
from confluent_shim.sinks.wire import Body
from tests.upstream import Handler, Proxy, echoing, whole


def pieces(*blocks: bytes) -> Callable[[int], bytes]:
    """Return a body's `read` that gives one block after the other."""
    left = list(blocks)
    return lambda _: left.pop(0) if left else b""


@pytest.mark.parametrize("target", ["/a%2Fb/c%2f%zz:-*", "/?q=%20+%2B&&=", '/"<[|]>"?{}', "/;x=1/%C3%A9"])
def test_a_target_arrives_byte_for_byte(upstream: Upstream, proxy: Proxy, target: str) -> None:
    whole(upstream.ask("GET", target, []))
    assert proxy.received[0].target == target


@pytest.mark.parametrize("line", [("GET", "/a\r\nX: 1", []), ("GET\n", "/", []), ("GET", "/", [("X", "1\r\nY: 2")])])
def test_no_request_becomes_two_by_a_line_end_inside(upstream: Upstream, proxy: Proxy, line: Any) -> None:
    with pytest.raises(ValueError, match="has an end inside"):
        upstream.ask(*line)
    assert proxy.received == []


def test_the_path_of_its_address_stands_before_the_target(open_upstream: Callable[..., Upstream], proxy: Proxy) -> None:
    whole(open_upstream("/kafka/").ask("GET", "/topics", []))
    assert proxy.received[0].target == "/kafka/topics"


def test_a_connection_is_used_again(upstream: Upstream, proxy: Proxy) -> None:
    for _ in range(5):
        assert json.loads(whole(upstream.ask("GET", "/", [])))["method"] == "GET"
    assert proxy.connections == 1


def test_a_connection_whose_answer_did_not_come_to_its_end_is_not_used_again(upstream: Upstream, proxy: Proxy) -> None:
    over = threading.Event()

    def half(handler: Handler) -> None:
        handler.receive()
        handler.begin_chunks()
        handler.chunk(b"x")
        assert over.wait(10)

    proxy.play = half
    upstream.ask("GET", "/", []).close()
    over.set()
    proxy.play = None
    whole(upstream.ask("GET", "/", []))
    assert proxy.connections == 2


def test_an_answer_that_is_closed_twice_gives_its_connection_back_once(upstream: Upstream, proxy: Proxy) -> None:
    first = upstream.ask("GET", "/", [])
    whole(first)
    first.close()
    one, other = upstream.ask("GET", "/1", []), upstream.ask("GET", "/2", [])
    assert [json.loads(whole(each))["target"] for each in (one, other)] == ["/1", "/2"]
    assert proxy.connections == 2


def test_a_service_that_hung_up_between_two_requests_is_connected_to_anew(upstream: Upstream, proxy: Proxy) -> None:
    def once(handler: Handler) -> None:
        handler.receive()
        handler.answer(200, "last")
        handler.close_connection = True  # without having said so

    proxy.play = once
    for _ in range(3):
        assert json.loads(whole(upstream.ask("POST", "/", [], Body(pieces(b"x"), 1)))) == "last"
        _await_end(upstream)
    assert proxy.connections == 3


def _await_end(upstream: Upstream) -> None:
    for wire, _ in upstream._idle:
        while wire.poll() is None:
            pass


def test_a_question_that_meets_the_end_of_a_kept_connection_is_asked_again_and_an_order_is_not(
    upstream: Upstream, proxy: Proxy
) -> None:
    answered = 0

    def every_other(handler: Handler) -> None:
        nonlocal answered
        handler.receive()
        answered += 1
        if answered % 2:
            handler.answer(200, answered)
        else:
            handler.close_connection = True

    proxy.play = every_other
    assert json.loads(whole(upstream.ask("GET", "/", []))) == 1
    assert json.loads(whole(upstream.ask("GET", "/", []))) == 3
    with pytest.raises(UpstreamBroken):
        upstream.ask("POST", "/", [], Body(pieces(b"x"), 1))
    assert [received.method for received in proxy.received] == ["GET", "GET", "GET", "POST"]


def test_a_body_of_known_length_is_sent_with_it(upstream: Upstream, proxy: Proxy) -> None:
    whole(upstream.ask("POST", "/", [], Body(pieces(b"ab", b"c"), 3)))
    assert proxy.received[0].body == b"abc"
    assert proxy.received[0].header("Content-Length") == "3"


def test_a_body_of_unknown_length_is_sent_in_chunks(upstream: Upstream, proxy: Proxy) -> None:
    whole(upstream.ask("POST", "/", [], Body(pieces(b"ab", b"c"))))
    assert proxy.received[0].body == b"abc"
    assert (proxy.received[0].header("Content-Length"), proxy.received[0].header("Transfer-Encoding")) == (
        None,
        "chunked",
    )


def test_a_body_that_breaks_off_is_the_clients_fault_and_no_request(upstream: Upstream) -> None:
    def broken(_: int) -> bytes:
        raise ConnectionResetError

    with pytest.raises(BodyUnreadable):
        upstream.ask("POST", "/", [], Body(pieces(b"ab"), 3))
    with pytest.raises(BodyUnreadable):
        upstream.ask("POST", "/", [], Body(broken))


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_comes_block_by_block_while_the_request_is_still_being_sent(
    upstream: Upstream, proxy: Proxy, *, chunked: bool
) -> None:
    """Were the answers left lying until the request is whole, a stream of this size would stand still."""
    echo_while_sending(upstream, proxy, chunked=chunked)


def echo_while_sending(upstream: Upstream, proxy: Proxy, *, chunked: bool) -> None:
    """Send 20 MB that are answered with 80 MB, piece by piece."""
    size, pieces_left = 4000, 5000
    begun = threading.Event()

    def echo_four_times(handler: Handler) -> None:
        handler.begin_chunks()
        begun.set()
        parts = handler.pieces() if chunked else (handler.rfile.read(size) for _ in range(5000))
        for part in parts:
            handler.chunk(part * 4)
        handler.chunk(b"")

    def read(_: int) -> bytes:
        nonlocal pieces_left
        if pieces_left < 5000:  # the head goes out with the first piece
            assert begun.wait(10)
        pieces_left -= 1
        return b"r" * size if pieces_left >= 0 else b""

    proxy.play = echo_four_times
    answer = upstream.ask("POST", "/", [], Body(read, None if chunked else 5000 * size))
    assert pieces_left > 4000
    assert sum(map(len, answer)) == 4 * 5000 * size
    answer.close()


def test_an_error_that_comes_before_the_request_is_whole_ends_it(upstream: Upstream, proxy: Proxy) -> None:
    def too_large(handler: Handler) -> None:
        handler.rfile.read(10)
        handler.answer(413, "too large", Connection="close")
        handler.close_connection = True

    proxy.play = too_large
    answer = upstream.ask("POST", "/", [], Body(lambda size: b"x" * size, 10**12))
    assert answer.status == 413
    assert json.loads(whole(answer)) == "too large"


@pytest.mark.parametrize(
    "before", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2]
)
def test_an_answer_before_the_answer_is_passed_over(upstream: Upstream, proxy: Proxy, before: bytes) -> None:
    def announcing(handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(before)
        handler.answer(201, "done")

    proxy.play = announcing
    for _ in range(2):
        answer = upstream.ask("GET", "/", [])
        assert (answer.status, answer.reason, dict(answer.headers).get("Link")) == (201, "Created", None)
        assert json.loads(whole(answer)) == "done"
    assert proxy.connections == 1


@pytest.mark.parametrize("behind", [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"garbage"])
def test_what_comes_behind_an_answer_is_nobodys(upstream: Upstream, proxy: Proxy, behind: bytes) -> None:
    def talkative(handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + behind)

    proxy.play = talkative
    for _ in range(3):
        assert whole(upstream.ask("GET", "/", [])) == b"ok"
    assert proxy.connections == 3


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(upstream: Upstream, proxy: Proxy, status: int) -> None:
    def nothing(handler: Handler) -> None:
        handler.receive()
        handler.send_response(status)
        handler.end_headers()

    proxy.play = nothing
    for _ in range(2):
        assert whole(upstream.ask("GET", "/", [])) == b""
    assert proxy.connections == 1


def test_a_head_has_the_length_of_the_body_that_it_does_not_have(upstream: Upstream) -> None:
    answer = upstream.ask("HEAD", "/", [])
    assert int(dict(answer.headers)["Content-Length"]) > 0
    assert whole(answer) == b""
    assert json.loads(whole(upstream.ask("GET", "/", [])))["method"] == "GET"


def test_chunks_may_come_in_any_pieces_and_with_trimmings(upstream: Upstream, proxy: Proxy) -> None:
    text = b"2;x=y\r\nab\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"

    def byte_by_byte(handler: Handler) -> None:
        handler.receive()
        handler.begin_chunks()
        for byte in text:
            handler.wfile.write(bytes([byte]))

    proxy.play = byte_by_byte
    for _ in range(2):
        assert whole(upstream.ask("GET", "/", [])) == b"ab0123456789"
    assert proxy.connections == 1


def test_an_answer_that_ends_with_its_connection_is_read_to_there(upstream: Upstream, proxy: Proxy) -> None:
    def old(handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nabc")
        handler.close_connection = True

    proxy.play = old
    assert whole(upstream.ask("GET", "/", [])) == b"abc"


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """Make a certificate for 127.0.0.1 that vouches for itself, in one file with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "proxy")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = tmp_path / "proxy.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
        return path

    @pytest.fixture
    def proxy(self, certificate: Path) -> Iterator[Proxy]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        with echoing(tls=tls) as proxy:
            yield proxy

    def test_a_service_is_asked_whose_certificate_the_authority_vouches_for(
        self, open_upstream: Callable[..., Upstream], proxy: Proxy, certificate: Path
    ) -> None:
        upstream = open_upstream(ca=str(certificate))
        for _ in range(3):
            assert json.loads(whole(upstream.ask("POST", "/a%2Fb", [], Body(pieces(b"x"), 1))))["target"] == "/a%2Fb"
        assert proxy.connections == 1

    def test_one_with_another_certificate_is_not_asked(
        self, open_upstream: Callable[..., Upstream], proxy: Proxy
    ) -> None:
        with pytest.raises(UpstreamUnavailable, match="certificate"):
            open_upstream().ask("GET", "/", [])
        assert proxy.received == []

    def test_an_answer_comes_while_the_request_is_still_being_sent(
        self, open_upstream: Callable[..., Upstream], proxy: Proxy, certificate: Path
    ) -> None:
        echo_while_sending(open_upstream(ca=str(certificate), timeout=5.0), proxy, chunked=True)
