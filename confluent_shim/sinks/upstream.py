"""An HTTP service behind the shim, spoken to over connections that are kept: requests out and answers back as streams.

The target of a request goes out byte for byte; the usual clients write its percent signs anew. And the answer may begin
before the request has ended: a REST Proxy answers a stream of records while it reads it, and would stop reading were
its answers left lying.
"""

import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from confluent_shim.errors import UpstreamBroken, UpstreamSilent, UpstreamUnavailable
from confluent_shim.settings import RestProxyEndpoint
from confluent_shim.sinks.wire import Body, NoAnswer, Response, Sending, Wire

Headers = Sequence[tuple[str, str]]

_MAX_IDLE = 32
_IDLE_SECONDS = 15.0  # the REST Proxy ends an idle connection after 30
_LEAST_SECONDS = 0.001  # to a socket 0 means that it is not to wait at all
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


class Answer:
    """The answer to a request: its head, and by iteration its body, block by block as they arrive."""

    def __init__(self, upstream: "Upstream", response: Response, sending: Sending) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers: Headers = response.headers
        self._upstream = upstream
        self._response = response
        self._sending = sending
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body, while what is left of the request is sent. Raises UpstreamSilent, UpstreamBroken."""
        wire, response = self._sending.wire, self._response
        # An error is answered before all is read, and then nobody wants the rest.
        wanted = self.status < HTTPStatus.MULTIPLE_CHOICES
        with self._upstream.telling():
            while True:
                if block := response.take():
                    yield block
                if response.is_over:
                    return
                data = wire.poll() if wanted and not self._sending.is_over else wire.wait()
                if data is not None:
                    response.feed(data)
                elif not self._sending.go_on():
                    response.feed(wire.wait())

    def close(self) -> None:
        """Let go of the connection; it is kept for others when request and answer came to their end."""
        if self._closed:
            return
        self._closed = True
        if self._response.is_over and self._sending.is_over and not self._response.is_last:
            self._upstream.keep(self._sending.wire)
        else:
            self._sending.wire.close()


class _Idle(NamedTuple):
    """A connection that nobody uses, and until when it may be used again."""

    wire: Wire
    until: float


class Upstream:
    """The service at `endpoint.url`. Connects when it is first asked; safe to share between threads."""

    def __init__(self, endpoint: RestProxyEndpoint) -> None:
        self._endpoint = endpoint
        self._url = urlsplit(endpoint.url)
        self._tls = ssl.create_default_context(cafile=endpoint.ca or None) if self._url.scheme == "https" else None
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []
        self._closed = False

    def authorization(self) -> Headers:
        """Return the header by which the shim itself is authorized there, if the settings name a user."""
        if not self._endpoint.user:
            return []
        password = self._endpoint.password.reveal() if self._endpoint.password else ""
        return [("Authorization", "Basic " + b64encode(f"{self._endpoint.user}:{password}".encode()).decode())]

    def ask(
        self, method: str, target: str, headers: Headers, body: Body | None = None, end: float | None = None
    ) -> Answer:
        """Send a request for `target`, path and query as they are to be sent, and return when its answer has begun.

        `headers` go out as they are; `Host` and what frames the body are added. Where `end`, on the monotonic clock, is
        given, nothing is waited for beyond it, not even the rest of the answer. Close the answer in any case. Raises
        UpstreamUnavailable when nothing was sent, UpstreamSilent and UpstreamBroken when it is not known what came of
        the request, BodyUnreadable when its own body breaks off.
        """
        head = self._head(method, target, headers, body)
        if (kept := self._kept()) is not None:
            try:
                return self._exchange(kept.wire, method, head, body, end)
            except UpstreamBroken:
                # A service may end a connection that nobody uses at the moment when somebody does. Only what changes
                # nothing is asked again.
                if method not in SAFE or body is not None:
                    raise
        return self._exchange(self._connected(end), method, head, body, end)

    def prepare(self, end: float | None = None) -> None:
        """Connect, unless a connection is kept that the next request can use. Raises UpstreamUnavailable."""
        self._keep(self._kept() or _Idle(self._connected(end), time.monotonic() + _IDLE_SECONDS))

    def ping(self) -> None:
        """Ask for the root. Raises UpstreamUnavailable and its kin when nothing, or a 5xx, comes within a second."""
        with closing(Upstream(replace(self._endpoint, timeout=1.0, connect_timeout=1.0))) as impatient:
            answer = impatient.ask("GET", "/", self.authorization())
            with closing(answer):
                for _ in answer:
                    pass
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UpstreamBroken(f"{self._endpoint.url} answers with status {answer.status}")

    def close(self) -> None:
        """Close the connections that nobody uses; those in use are closed with their answers."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.wire.close()

    def keep(self, wire: Wire) -> None:
        """Take a connection back that is ready for another request."""
        self._keep(_Idle(wire, time.monotonic() + _IDLE_SECONDS))

    def _keep(self, idle: "_Idle") -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _MAX_IDLE:
                self._idle.append(idle)
                return
        idle.wire.close()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Turn what a connection fails with into what is answered."""
        try:
            yield
        except TimeoutError as error:
            raise UpstreamSilent(f"{self._endpoint.url} was silent for {self._endpoint.timeout:g} s") from error
        except (OSError, NoAnswer) as error:
            raise UpstreamBroken(f"{self._endpoint.url} broke off: {error}") from error

    def _head(self, method: str, target: str, headers: Headers, body: Body | None) -> bytes:
        lines = [f"{method} {self._url.path.rstrip('/')}{target} HTTP/1.1", f"Host: {self._url.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append("Transfer-Encoding: chunked" if body.length is None else f"Content-Length: {body.length}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line of a request's head has an end inside")  # it would be read as two
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _exchange(self, wire: Wire, method: str, head: bytes, body: Body | None, end: float | None) -> Answer:
        wire.end = end
        try:
            response, sending = Response(method), Sending(wire, head, body)
            with self.telling():
                while not response.has_begun:
                    # Some answer before all is sent; what was sent whole need not be looked for in between.
                    more = sending.go_on()
                    data = wire.poll() if more and not sending.is_over else wire.wait()
                    if data is not None:
                        response.feed(data)
            return Answer(self, response, sending)
        except BaseException:
            wire.close()
            raise

    def _kept(self) -> "_Idle | None":
        now = time.monotonic()
        while True:
            with self._lock:
                if self._closed:
                    raise UpstreamUnavailable("the process is ending; nothing was sent")
                if not self._idle:
                    return None
                idle = self._idle.pop()
            if now < idle.until and idle.wire.poll() is None:  # what comes without having been asked for is the end
                return idle
            idle.wire.close()

    def _connected(self, end: float | None) -> Wire:
        seconds = self._endpoint.connect_timeout
        if end is not None:
            seconds = min(seconds, max(end - time.monotonic(), _LEAST_SECONDS))
        host, port = self._url.hostname or "", self._url.port or (443 if self._tls else 80)
        connection = None
        try:
            connection = socket.create_connection((host, port), seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=host)
        except OSError as error:
            if connection is not None:
                connection.close()
            raise UpstreamUnavailable(f"{self._endpoint.url} cannot be reached, nothing was sent: {error}") from error
        return Wire(connection, self._endpoint.timeout)
