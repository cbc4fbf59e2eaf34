"""The WSGI environment of a request that came by ASGI. Sources: PEP 3333; ASGI 3.0, HTTP 2.3."""

import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from confluent_shim.api.facts import ARRIVED
from confluent_shim.asgi import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SAME_FOR_ALL: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_PROTOCOLS = {"1": "HTTP/1.0", "1.0": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2"}
_MOST_NAMES = 1_000
_LONGEST_NAME = 100

_keys = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def environ_of(scope: Scope) -> "WSGIEnvironment":
    """Return the environment, but for `wsgi.input`.

    Headers of one name are joined by commas. One with an underscore in its name is left out, as by gunicorn: it would
    be taken for the one with a hyphen, which a proxy that is trusted may have checked.
    """
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    environ = _SAME_FOR_ALL.copy()
    environ[ARRIVED] = time.monotonic()
    environ["REQUEST_METHOD"] = scope["method"]
    environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
    environ["QUERY_STRING"] = query.decode("latin-1")
    environ["RAW_URI"] = (path + b"?" + query if query else path).decode("latin-1")
    environ["REMOTE_ADDR"] = scope["client"][0]
    environ["SERVER_NAME"], environ["SERVER_PORT"] = scope["server"]
    environ["SERVER_PROTOCOL"] = _PROTOCOLS.get(scope["http_version"], "HTTP/1.1")
    environ["wsgi.url_scheme"] = scope["scheme"]
    for name, value in scope["headers"]:
        key = _keys.get(name)
        if key is None:
            if b"_" in name:
                continue
            key = _key(name)
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _key(name: bytes) -> str:
    """Return the variable of a header, and remember it; clients choose names, and so not all of them."""
    key = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
    if len(_keys) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
        _keys[name] = key
    return key
