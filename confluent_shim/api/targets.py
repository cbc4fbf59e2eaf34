"""The target of a request as it was sent, path and query, to be handed on as it is."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Confluent's router takes a trailing slash and ignores matrix parameters (`;x=1`).
PRODUCE_V2 = re.compile(r"/topics/([^/;]+)(?:;[^/]*)?(?:/partitions/([^/;]+)(?:;[^/]*)?)?/?")
"""A produce route of v2, as WSGI has its path: topic and partition."""

PRODUCE_V3 = re.compile(r"/v3/clusters/([^/;]+)(?:;[^/]*)?/topics/([^/;]+)(?:;[^/]*)?/records(:batch)?(?:;[^/]*)?/?")
"""A produce route of v3: cluster, topic, and `:batch` where it is one."""

_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/?]*")
_UNCHANGED = "/:;=@!$&'()*+,~"
# Only a consumer group may have a slash in its name; what follows the name in Confluent's paths tells where it ends.
_GROUP = re.compile(
    r"(?P<before>/v3/clusters/[^/]+/consumer-groups/)(?P<group>.+?)"
    r"(?P<after>(/lag-summary|/lags(/[^/]+/partitions/[^/]+)?"
    r"|/consumers(/[^/]+(/assignments(/[^/]+/partitions/[^/]+)?)?)?)?/?)"
    r"|(?P<before_2>/consumers/)(?P<group_2>.+?)"
    r"(?P<after_2>(/instances/[^/]+(/(records|offsets|subscription|assignments|positions(/(beginning|end))?))?)?/?)"
)
_CONFUSING = re.compile(rb"[\\%\x00-\x1f\x7f]|\A\.{0,2}(;|\Z)")
_ENCODED_SLASH = "%2F"


def meant(segment: str) -> str:
    """Return a segment of a path as it was meant: WSGI has its bytes as Latin-1."""
    return segment.encode("latin-1").decode("utf-8", "replace")


def sent_target(environ: "WSGIEnvironment") -> str:
    """Return path and query as the client sent them.

    Some servers tell them (`RAW_URI`, `REQUEST_URI`). Where a server only has the decoded path it is
    encoded anew: the same path, though not always the same spelling. A slash within a name is then known for one in the
    names of consumer groups alone.
    """
    raw: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if raw:
        target = _ABSOLUTE.sub("", raw, count=1)
        return target if target.startswith("/") else f"/{target}"
    query: str = environ.get("QUERY_STRING", "")
    return _encoded(environ["PATH_INFO"]) + (f"?{query}" if query else "")


def _encoded(path: str) -> str:
    found = _GROUP.fullmatch(path)
    if found is None:
        return quote(path, _UNCHANGED, "latin-1")
    before, group, after = (found[name] or found[f"{name}_2"] or "" for name in ("before", "group", "after"))
    return quote(before, _UNCHANGED, "latin-1") + quote(group, "", "latin-1") + quote(after, _UNCHANGED, "latin-1")


def readings(target: str) -> tuple[str, str]:
    """Return the path of `target` as its readers may understand it, without matrix parameters (`;x=1`).

    Some take an encoded slash for a part of a name, and some for one that parts names.
    """
    segments = [unquote(segment.partition(";")[0], "latin-1") for segment in target.partition("?")[0].split("/")]
    return "/".join(segment.replace("/", _ENCODED_SLASH) for segment in segments), "/".join(segments)


def is_ambiguous(target: str) -> bool:
    """Tell whether readers could disagree about more than encoded slashes: empty segments, dots, percent signs.

    What two servers read differently might pass the one as something harmless and be a produce route to the other.
    """
    decoded = unquote_to_bytes(target.partition("?")[0]).removesuffix(b"/")
    return any(_CONFUSING.search(segment) for segment in decoded.split(b"/")[1:])
