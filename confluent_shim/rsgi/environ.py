"""The WSGI environment of a request that came by RSGI. Sources: PEP 3333; granian's RSGI specification 1.6."""

import sys
import time
from typing import TYPE_CHECKING, Any

from confluent_shim.api.facts import ARRIVED

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from granian.rsgi import Scope

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
_PROTOCOLS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2"}
_MOST_NAMES = 1_000

_keys = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: "Scope") -> "WSGIEnvironment":
    """Return the environment, but for `wsgi.input`. Headers of one name are joined by commas."""
    path = scope.path
    environ = _SAME_FOR_ALL.copy()
    environ[ARRIVED] = time.monotonic()
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
    environ["QUERY_STRING"] = scope.query_string
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0]
    environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
    environ["SERVER_PROTOCOL"] = _PROTOCOLS.get(scope.http_version, "HTTP/1.1")
    environ["wsgi.url_scheme"] = scope.scheme
    for name, value in scope.headers.items():
        key = _keys.get(name) or _key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


def _key(name: str) -> str:
    """Return the variable of a header, and remember it; clients choose names, and so not all of them."""
    key = f"HTTP_{name.upper().replace('-', '_')}"
    if len(_keys) < _MOST_NAMES:
        _keys[name] = key
    return key
