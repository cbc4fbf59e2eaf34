from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from jsonschema_bridge.errors import RegistryUnavailable, SubjectNotFound
from jsonschema_bridge.registry.confluent_answers import (
    Question,
    error_of,
    from_client,
    hopeless,
    names_in,
    number_in,
    to_client,
    versions_in,
)
from jsonschema_bridge.registry.deadline import Deadline
from jsonschema_bridge.registry.model import RegisteredSchema, Schema

T = TypeVar("T")

_OURS = {"url", "timeout", "max.retries", "basic.auth.user.info", "ssl.ca.location"}


class ConfluentRegistry:
    """A Registry behind confluent-kafka's own client: Confluent's, AxonOps, Apicurio (ccompat) and the like.

    Nothing is retried and nothing is cached here. A call returns or raises within the deadline; a request
    that is late is abandoned, and a registry that keeps sending single bytes may hold its thread and its
    connection until the end of the process. Open one after a fork, not before: connections are kept.
    """

    def __init__(self, client: SchemaRegistryClient, identity: str, deadline: Deadline) -> None:
        self._client = client
        self._identity = identity
        self._deadline = deadline
        self._forget: Callable[[], None] = client.clear_caches

    @property
    def identity(self) -> str:
        return self._identity

    def schema(self, schema_id: int) -> Schema:
        question = Question(self._identity, "schema", schema_id=schema_id)
        return self._ask(question, lambda: from_client(self._client.get_schema(schema_id)))

    def versions(self, subject: str) -> tuple[int, ...]:
        question = Question(self._identity, "versions", subject)
        versions = self._ask(question, lambda: versions_in(self._client.get_versions(subject)))
        if not versions:
            raise SubjectNotFound(subject, registry=self._identity)
        return versions

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        def read() -> RegisteredSchema:
            answer = self._client.get_version(subject, version)
            return RegisteredSchema(subject, version, number_in(answer.schema_id), from_client(answer.schema))

        return self._ask(Question(self._identity, "registered", subject, version), read)

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        question = Question(self._identity, "lookup", subject, kind=schema.kind)
        return self._ask(question, lambda: self._find(subject, schema))

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        def write() -> RegisteredSchema:
            answer = self._client.register_schema_full_response(subject, to_client(schema))
            if answer.version is None:  # Confluent's answer is only sure to have the id.
                return self._find(subject, schema)
            return RegisteredSchema(subject, number_in(answer.version), number_in(answer.schema_id), schema)

        return self._ask(Question(self._identity, "register", subject, kind=schema.kind), write)

    def subjects(self) -> list[str]:
        return self._ask(Question(self._identity, "subjects"), lambda: names_in(self._client.get_subjects()))

    def ping(self) -> None:
        self._ask(Question(self._identity, "ping"), self._client.get_schema_types)

    def close(self) -> None:
        self._client.close()

    def _find(self, subject: str, schema: Schema) -> RegisteredSchema:
        answer = self._client.lookup_schema(subject, to_client(schema))
        return RegisteredSchema(subject, number_in(answer.version), number_in(answer.schema_id), schema)

    def _ask(self, question: Question, request: Callable[[], T]) -> T:
        if (refusal_of_ours := hopeless(question)) is not None:
            raise refusal_of_ours
        # The client keeps what it has seen for ever, which is wrong as soon as a version is deleted.
        self._forget()
        try:
            return self._deadline.call(request)
        except SchemaRegistryError as refusal:
            raise error_of(refusal, question) from refusal
        except TimeoutError as error:
            reason, answered = str(error), False
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # What the client raises when a body is not JSON, or is JSON of another shape than it expects.
            reason, answered = f"the answer cannot be read ({error})", True
        except Exception as error:  # noqa: BLE001 - the client lets errors of its HTTP library and of the system pass
            reason, answered = f"{type(error).__name__}: {error}", False
        raise RegistryUnavailable(reason, registry=self._identity, answered=answered)


def open_confluent_registry(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    ca: str | None = None,
    timeout: float = 2.0,
    extra: Mapping[str, object] | None = None,
) -> ConfluentRegistry:
    """Return a registry client; nothing is sent until the first call.

    `url` may be several, separated by commas, which are tried in turn within the one timeout; credentials are
    given in it or as `user` and `password`, not both. `ca` is a file or folder of PEM certificates. `timeout`
    is the most that one call takes, in seconds. `extra` are further properties of confluent-kafka's
    SchemaRegistryClient. Raises ValueError for what cannot be used.
    """
    urls, userinfo = _without_credentials(url)
    if userinfo and user is not None:
        raise ValueError("the registry's credentials stand in its URL and beside it: give them once")
    if user is None and password is not None:
        raise ValueError("the registry's password is given without a user")
    if taken := sorted(_OURS & set(extra or {})):
        raise ValueError(f"extra registry properties cannot set {', '.join(taken)}")
    if user is not None:
        userinfo = f"{user}:{password or ''}"
    conf: dict[str, object] = {
        "url": ",".join(urls),
        # One phase (connect, read) of one request to one URL; the deadline bounds their sum.
        "timeout": timeout / len(urls),
        "max.retries": 0,
        **({"basic.auth.user.info": userinfo} if userinfo else {}),
        **({"ssl.ca.location": ca} if ca else {}),
        **(extra or {}),
    }
    try:
        client = SchemaRegistryClient(conf)
    except (OSError, TypeError) as error:
        raise ValueError(f"the registry client cannot be set up: {error}") from error
    return ConfluentRegistry(client, ",".join(urls), Deadline(timeout))


def _without_credentials(url: str) -> tuple[list[str], str]:
    """Split a list of URLs from the credentials in them, which is `user:password` or empty."""
    urls, userinfo = [], ""
    for each in url.split(","):
        parts = urlsplit(each.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the registry's URL must be http:// or https:// and a host")
        if parts.username is not None:
            userinfo = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
        urls.append(bare)
    return urls, userinfo
