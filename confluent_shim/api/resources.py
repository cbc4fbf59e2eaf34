"""What all reading resources of Confluent's API have in common: negotiation, HEAD, OPTIONS and errors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from flask import Blueprint, Response, request

from confluent_shim.api.answers import encode, error_answer
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import PLAIN_JSON, V2_JSON, admitted, check_consumed, type_of_refusal
from confluent_shim.capacity import Capacity
from confluent_shim.errors import NoCommonAnswerType

_TEXT = "text/plain"


class Api(NamedTuple):
    """A version of Confluent's API: the type it answers in, and the one a request may have, or None for any."""

    media_type: str
    consumed: str | None


V2 = Api(V2_JSON, V2_JSON)
V3 = Api(PLAIN_JSON, None)


class Resources:
    """The resources of one version of the API, added to `routes`. Each request to one takes a place in `capacity`."""

    def __init__(self, routes: Blueprint, api: Api, capacity: Capacity) -> None:
        self._routes = routes
        self._api = api
        self._capacity = capacity

    def add(
        self,
        path: str,
        read: Callable[..., object],
        *,
        methods: Sequence[str] = ("GET",),
        elsewhere: Sequence[str] = (),
    ) -> None:
        """Serve what `read` returns, as JSON, at `path`; its arguments are those of the path.

        It answers to `methods` alike, and to HEAD where GET is one of them. OPTIONS tells of them, and of those that
        are served `elsewhere`.
        """
        known = {"OPTIONS", *methods, *elsewhere, *(("HEAD",) if "GET" in methods else ())}

        def view(**arguments: str) -> Response:
            facts_of(request.environ).route = "metadata"
            accept = request.headers.get("Accept")
            try:
                if request.method == "OPTIONS":
                    return _options(
                        accept, [method for method in ("HEAD", "POST", "GET", "OPTIONS") if method in known]
                    )
                check_consumed(request.headers.get("Content-Type"), self._api.consumed)
                media_type = admitted(accept, self._api.media_type)
                with self._capacity.request():
                    return Response(encode(read(**arguments)), content_type=media_type)
            except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
                return _refusal(error, self._api, accept)

        self._routes.add_url_rule(
            path, path, view, methods=[*methods, "OPTIONS"], strict_slashes=False, provide_automatic_options=False
        )


def _options(accept: str | None, methods: Sequence[str]) -> Response:
    """Tell the methods: in words to a client that reads text, else in the header alone, as Confluent's router does."""
    try:
        media_type, body = admitted(accept, _TEXT), ", ".join(methods)
    except NoCommonAnswerType:
        media_type, body = (accept or "").partition(",")[0].partition(";")[0].strip(), ""
    return Response(body, headers={"Allow": ",".join(methods), "Content-Type": media_type})


def _refusal(error: Exception, api: Api, accept: str | None) -> Response:
    status, headers, body = error_answer(error, facts_of(request.environ).request_id)
    media_type = type_of_refusal(error, accept, api.media_type)
    response = Response(body, status, headers, content_type=media_type)
    if media_type is None:
        del response.headers["Content-Type"]
    return response
