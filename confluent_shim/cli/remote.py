import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from confluent_shim.cli.backend import BindRequest, Derivation, Judgement, Snapshot, Versions
from confluent_shim.cli.exits import FAILED, CommandError, exit_code
from confluent_shim.cli.store_backend import user_name
from topic_map import Binding, HistoryEntry

if TYPE_CHECKING:
    import requests

    from confluent_shim.inventory import Absences

_SECONDS = (5.0, 60.0)  # to connect, to answer
_V2_TYPE = "application/vnd.kafka.json.v2+json"  # takes plain JSON whatever the encoding
_BINDINGS = "/-/bindings"
_OK, _REDIRECT, _FAULT, _UNAUTHORIZED = 200, 300, 400, 401
_NO_ROUTE = (404, 405)  # error codes: nobody there knows the path

Kind = TypeVar("Kind")


class _History(msgspec.Struct):
    history: list[HistoryEntry]


class _Unbound(msgspec.Struct):
    revision: int


class _Fault(msgspec.Struct):
    error_code: int
    message: str
    errors: list[dict[str, Any]] = []
    errors_cut: bool = False


class HttpBackend:
    """The topic map of a running shim, over its admin API; a Backend. Owns the session."""

    def __init__(self, session: "requests.Session", url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    def snapshot(self) -> Snapshot:
        return self._ask("GET", _BINDINGS, Snapshot)

    def absences(self) -> "Absences":
        from confluent_shim.inventory import Absences

        return self._ask("GET", _BINDINGS, Absences, {"check": _flag(True)})

    def get(self, topic: str) -> Binding:
        return self._ask("GET", _path(topic), Binding)

    def history(self, topic: str | None, limit: int) -> list[HistoryEntry]:
        path = "/-/history" if topic is None else f"{_path(topic)}/history"
        return self._ask("GET", path, _History, {"limit": str(limit)}).history

    def bind(self, asked: BindRequest) -> Binding:
        fields = {**msgspec.to_builtins(asked.binding), "schema": asked.schema}
        query = {"create_topic": _flag(asked.create_topic), "replace": _flag(asked.replace), **_author(asked.why)}
        body = msgspec.json.encode(fields)
        return self._ask("PUT", _path(asked.binding.topic), Binding, query, _if_match(asked.expected_revision), body)

    def unbind(self, topic: str, *, expected_revision: int | None, why: str) -> int:
        return self._ask("DELETE", _path(topic), _Unbound, _author(why), _if_match(expected_revision)).revision

    def versions(self, topic: str) -> Versions:
        return self._ask("GET", f"{_path(topic)}/versions", Versions)

    def derivation(self, topic: str, *, register: bool) -> Derivation:
        return self._ask("POST" if register else "GET", f"{_path(topic)}/derivation", Derivation)

    def validate(self, topic: str, body: bytes) -> Judgement:
        return self._ask("POST", f"{_path(topic)}/validate", Judgement, None, {"Content-Type": _V2_TYPE}, body)

    def close(self) -> None:
        self._session.close()

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[Kind],
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Kind:
        import requests

        try:
            response = self._session.request(
                method,
                self._url + path,
                params=query,
                headers=headers,
                data=body,
                timeout=_SECONDS,
                allow_redirects=False,  # a redirected change would be sent again as a GET
            )
        except requests.Timeout as error:
            raise CommandError(f"{self._url} did not answer in time") from error
        except requests.RequestException as error:
            raise CommandError(f"{self._url} cannot be reached: {_innermost(error)}") from error
        return self._read(response, kind)

    def _read(self, response: "requests.Response", kind: type[Kind]) -> Kind:
        status = response.status_code
        if _REDIRECT <= status < _FAULT:
            raise CommandError(f"{self._url} redirects to {response.headers.get('Location')}; give that as --url")
        try:
            if status == _OK:
                return msgspec.json.decode(response.content, type=kind)
            fault = msgspec.json.decode(response.content, type=_Fault)
        except (msgspec.MsgspecError, UnicodeError) as error:
            told = f"HTTP {status}, {response.headers.get('Content-Type', 'no content type')}: {error}"
            raise CommandError(f"{self._url} does not answer as a shim does ({told})") from error
        raise self._refusal(status, fault)

    def _refusal(self, status: int, fault: _Fault) -> Exception:
        from confluent_shim.errors import RecordsRejected

        if fault.errors:
            return RecordsRejected(fault.message, fault.errors, cut=fault.errors_cut)
        if fault.error_code in _NO_ROUTE:
            return CommandError(f"{self._url} is no shim: it has no {_BINDINGS} ({fault.message})", FAILED)
        hint = " On the command line: --token TOKEN, or SHIM_ADMIN_TOKEN." if status == _UNAUTHORIZED else ""
        return CommandError(f"{fault.message}{hint}", exit_code(status))


def open_http_backend(url: str, token: str | None) -> HttpBackend:
    """Prepare to talk to the shim at `url`; nothing is sent yet."""
    import requests

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    session = requests.Session()
    session.auth = authorize  # not as a header: requests would let a .netrc entry overrule that
    return HttpBackend(session, url)


def _path(topic: str) -> str:
    return f"{_BINDINGS}/{quote(topic, safe='')}"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _author(why: str) -> dict[str, str]:
    return {"who": user_name(), "why": why}


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}


def _innermost(error: BaseException) -> str:
    """Return the operating system's words where there are some, not the layers around them."""
    words, cause = "", error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            words = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return words or re.sub(r"^.*\(Caused by |\)+$", "", str(error))
