"""Where the shim is, as the client sees it: what the links in answers begin with."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

from confluent_shim.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_AUTHORITY = re.compile(r"[A-Za-z0-9._~-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


class Links:
    """Gives each request the address that its answer's links begin with."""

    def __init__(self, settings: Settings) -> None:
        self._public_url = settings.public_url.rstrip("/")
        self._trusted = settings.trusted_networks()

    def base(self, environ: "WSGIEnvironment") -> str:
        """Return scheme and authority, without a slash at the end.

        They are those of the setting `public_url`; else those which a trusted proxy says that it was asked under; else
        those of the request itself. What a client sends is taken for a host only when it looks like one.
        """
        if self._public_url:
            return self._public_url
        host, scheme = environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"]
        if self.trusts(environ):
            host = _first(environ.get("HTTP_X_FORWARDED_HOST")) or host
            forwarded = _first(environ.get("HTTP_X_FORWARDED_PROTO")).lower()
            scheme = forwarded if forwarded in ("http", "https") else scheme
        if not _AUTHORITY.fullmatch(host):
            host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return f"{scheme}://{host}"

    def trusts(self, environ: "WSGIEnvironment") -> bool:
        """Tell whether the request comes from a proxy that the settings trust."""
        if not self._trusted:
            return False
        try:
            peer = ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:  # a Unix socket has no address
            return False
        return any(peer in network for network in self._trusted)


def _first(header: str | None) -> str:
    """Return the first of several values: what the proxy nearest to the client said."""
    return (header or "").partition(",")[0].strip()


_NAMES = (b'"self"', b'"related"', b'"next"', b'"base_uri"')
_LONGEST = 400
_LINK = re.compile(
    rb'("(?:self|related|next|base_uri)"\s*:\s*")https?://[^"\\]{1,%d}?(?=/(?:v3|consumers)[/"?])' % _LONGEST
)
_UNFINISHED = re.compile(rb'"(?:self|related|next|base_uri)"\s*(?::\s*(?:"[^"\\]{0,%d})?)?' % _LONGEST)
_ADDRESS = re.compile(r"https?://[^/]+.*?(?=/(?:v3|consumers)(?:/|$))")


def relinked(blocks: Iterable[bytes], base: str) -> Iterator[bytes]:
    """Yield the JSON in `blocks` with its links beginning with `base`, holding back no more than an unfinished link."""
    begin = base.encode()
    held = b""
    for block in blocks:
        text, done, position = held + block, [], 0
        for link in _LINK.finditer(text):
            done += [text[position : link.start()], link[1], begin]
            position = link.end()
        end = _end_of_finished(text, position)
        held = text[end:]
        yield b"".join([*done, text[position:end]])
    if held:
        yield held


def _end_of_finished(text: bytes, begin: int) -> int:
    """Return where in `text` a link begins that is not at its end yet; where there is none, the end of `text`."""
    quote = text.find(b'"', max(begin, len(text) - 2 * _LONGEST))
    while quote >= 0:
        tail = text[quote:]
        if _UNFINISHED.fullmatch(tail) or any(name.startswith(tail) for name in _NAMES):
            return quote
        quote = text.find(b'"', quote + 1)
    return len(text)


def relocated(address: str, base: str) -> str:
    """Return the value of a `Location` header with its address beginning with `base`."""
    return _ADDRESS.sub(lambda _: base, address, count=1)
