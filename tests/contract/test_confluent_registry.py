import base64
import threading
from collections.abc import Callable, Iterator

import pytest

from confluent_shim.devstack import registry_app
from confluent_shim.devstack import serving as development
from jsonschema_bridge.errors import (
    RegistryError,
    RegistryUnauthorized,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaNotFound,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry import MemoryRegistry, Registry, Schema
from jsonschema_bridge.registry.confluent import open_confluent_registry
from tests.contract.registry_contract import RegistryContract, new_schema, new_subject
from tests.doubles_registry import always, dripping, guarded, hanging, refused, serving

SCHEMA = new_schema()
Call = Callable[[Registry], object]
EVERY_CALL: list[Call] = [
    lambda registry: registry.schema(1),
    lambda registry: registry.versions("s"),
    lambda registry: registry.registered("s", 1),
    lambda registry: registry.lookup("s", SCHEMA),
    lambda registry: registry.register("s", SCHEMA),
    lambda registry: registry.subjects(),
    lambda registry: registry.ping(),
]
READ_SCHEMA, LIST, READ_VERSION, LOOKUP, REGISTER, SUBJECTS, _PING = EVERY_CALL


class TestConfluentRegistry(RegistryContract):
    @pytest.fixture
    def content(self) -> MemoryRegistry:
        return MemoryRegistry("behind http")

    @pytest.fixture
    def registry(self, content: MemoryRegistry) -> Iterator[Registry]:
        self._content = content
        with development(registry_app(content)) as url:
            registry = open_confluent_registry(f"{url}/")
            yield registry
            registry.close()

    def delete_version(self, registry: Registry, subject: str, version: int) -> None:
        assert registry.identity.startswith("http://127.0.0.1:")
        self._content.delete(subject, version)

    def test_what_is_registered_elsewhere_is_seen_at_once(self, registry: Registry) -> None:
        """No answer is kept: a subject made by somebody else is there for the next call."""
        subject = new_subject()
        with pytest.raises(SubjectNotFound):
            registry.versions(subject)

        self._content.register(subject, SCHEMA)

        assert registry.versions(subject) == (1,)


def answer_to(call: Call, url: str) -> RegistryError:
    """Return the error that a call ends with; the time allowed is short."""
    registry = open_confluent_registry(url, timeout=0.2)
    try:
        with pytest.raises(RegistryError) as caught:
            call(registry)
    finally:
        registry.close()
    assert url in str(caught.value)
    return caught.value


def test_a_registry_without_subjects_may_say_null() -> None:
    """What has nothing to list is not down."""
    with serving(always(200, "null")) as url:
        registry = open_confluent_registry(url)
        assert registry.subjects() == []
        registry.close()


@pytest.mark.parametrize("call", EVERY_CALL)
class TestEveryCall:
    """Whatever is asked, what is wrong with the registry is said in the same way."""

    def test_a_registry_that_accepts_and_never_answers_is_unavailable(self, call: Call) -> None:
        """Silence ends in an error that says how long was waited."""
        with hanging() as url:
            error = answer_to(call, url)

        assert isinstance(error, RegistryUnavailable)
        assert not error.answered

    def test_a_port_nobody_listens_on_is_unavailable(self, call: Call) -> None:
        """A refused connection is an error, not a wait."""
        error = answer_to(call, refused())

        assert isinstance(error, RegistryUnavailable)
        assert not error.answered

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, "<html>sorry</html>"),
            (500, '{"error_code": 0, "message": "odd"}'),
            (503, '{"error_code": 50003, "message": "forwarding"}'),
            (302, ""),
            (404, "<html>not a registry</html>"),
            (404, '{"error_code": 404, "message": "HTTP 404 Not Found"}'),
            (200, "<html>a proxy's page</html>"),
            (200, "7e"),
        ],
    )
    def test_an_answer_no_registry_gives_is_unavailable(self, call: Call, status: int, body: str) -> None:
        """Server faults, redirects and other people's pages are no answer, but somebody did answer."""
        with serving(always(status, body, "text/html")) as url:
            error = answer_to(call, url)

        assert isinstance(error, RegistryUnavailable)
        assert error.answered

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (401, '{"error_code": 401, "message": "Unauthorized"}'),
            (401, "who are you?"),
            (403, '{"error_code": 40301, "message": "User is denied operation"}'),
            (403, ""),
        ],
    )
    def test_missing_rights_are_told_as_such(self, call: Call, status: int, body: str) -> None:
        """401 and 403 are about the credentials, with or without a body that says so."""
        with serving(always(status, body)) as url:
            assert isinstance(answer_to(call, url), RegistryUnauthorized)


@pytest.mark.parametrize(
    ("call", "status", "body", "leaf"),
    [
        (LIST, 200, "null", SubjectNotFound),
        (LIST, 200, "[]", SubjectNotFound),
        (LIST, 200, '{"versions": [1]}', RegistryUnavailable),
        (LIST, 200, '["one"]', RegistryUnavailable),
        (LIST, 404, '{"error_code": 40404, "message": "soft-deleted"}', SubjectNotFound),
        (LIST, 422, '{"error_code": 42208, "message": "invalid subject"}', SubjectNotFound),
        (SUBJECTS, 200, "{}", RegistryUnavailable),
        (SUBJECTS, 200, "[1]", RegistryUnavailable),
        (SUBJECTS, 404, '{"error_code": 40401, "message": "no"}', RegistryUnavailable),
        (READ_VERSION, 422, '{"error_code": 42202, "message": "bad version"}', VersionNotFound),
        (READ_VERSION, 404, '{"error_code": 40406, "message": "soft-deleted"}', VersionNotFound),
        (READ_VERSION, 200, "null", RegistryUnavailable),
        (READ_VERSION, 200, '{"id": 1}', RegistryUnavailable),
        (READ_SCHEMA, 404, '{"error_code": 40403, "message": "no schema"}', SchemaNotFound),
        (READ_SCHEMA, 200, '{"schema": "{}", "schemaType": 7}', RegistryUnavailable),
        (READ_SCHEMA, 200, '{"schema": "{}", "references": [{"name": "a"}]}', RegistryUnavailable),
        (LOOKUP, 400, "plain words", SchemaRefused),
        (LOOKUP, 422, '{"error_code": 42201, "message": "invalid schema"}', SchemaRefused),
        (REGISTER, 409, '{"error_code": 409, "message": "incompatible"}', SchemaIncompatible),
        (REGISTER, 409, '{"error_code": 40901, "message": "incompatible"}', SchemaIncompatible),
        (REGISTER, 422, '{"error_code": 42205, "message": "read-only"}', SchemaRefused),
        (REGISTER, 404, '{"error_code": 40402, "message": "no such reference"}', SchemaRefused),
        (REGISTER, 200, "{}", RegistryUnavailable),
    ],
)
def test_each_refusal_has_its_error(call: Call, status: int, body: str, leaf: type[RegistryError]) -> None:
    """The status, code and shape of an answer decide the error, across the registries' dialects."""
    with serving(always(status, body)) as url:
        assert type(answer_to(call, url)) is leaf


@pytest.mark.parametrize(
    ("call", "leaf"),
    [
        (lambda registry: registry.schema(2**31), SchemaNotFound),
        (lambda registry: registry.registered("s", -1), VersionNotFound),
        (lambda registry: registry.registered(".", 1), SubjectNotFound),
        (lambda registry: registry.versions(".."), SubjectNotFound),
        (lambda registry: registry.lookup("", SCHEMA), SubjectNotFound),
        (lambda registry: registry.register("..", SCHEMA), SchemaRefused),
        (lambda registry: registry.register("s", Schema("<a/>", "OTHER")), SchemaRefused),
        (lambda registry: registry.lookup("s", Schema("<a/>", "OTHER")), SchemaRefused),
    ],
)
def test_what_no_registry_can_hold_is_not_asked_for(call: Call, leaf: type[RegistryError]) -> None:
    """A name, number or type that would make another question of it is answered without the registry."""
    assert type(answer_to(call, refused())) is leaf


def test_a_type_that_confluent_does_not_have_is_read_as_other() -> None:
    """A schema of a type that a registry has for itself is an answer, and no fault of the registry."""
    with serving(always(200, '{"schema": "<a/>", "schemaType": "XML"}')) as url:
        registry = open_confluent_registry(url)
        schema = registry.schema(1)
        registry.close()

    assert schema == Schema("<a/>", "OTHER")


def test_avro_may_be_named_or_left_out() -> None:
    """An answer with `schemaType: AVRO` and one without are the same schema."""
    kinds = []
    for body in ('{"schema": "\\"string\\"", "schemaType": "AVRO"}', '{"schema": "\\"string\\""}'):
        with serving(always(200, body)) as url:
            registry = open_confluent_registry(url)
            kinds.append(registry.schema(1).kind)
            registry.close()

    assert kinds == ["AVRO", "AVRO"]


def test_a_registry_that_drips_bytes_is_unavailable() -> None:
    """The time allowed covers the whole call, not the pause between two bytes."""
    with dripping(threading.Event()) as url:
        error = answer_to(LIST, url)

    assert isinstance(error, RegistryUnavailable)
    assert "0.2 s" in error.reason


def test_a_second_url_answers_when_the_first_does_not() -> None:
    """Several URLs are tried in turn."""
    content = MemoryRegistry()
    content.register("s", SCHEMA)
    with development(registry_app(content)) as url:
        registry = open_confluent_registry(f"{refused()},{url}")
        versions = registry.versions("s")
        registry.close()

    assert versions == (1,)


def with_credentials(url: str) -> str:
    return url.replace("http://", "http://ann:hunter%3A2%40@")


def test_credentials_reach_the_registry_from_either_place() -> None:
    """User and password may stand in the URL or beside it, and may hold any character."""
    expected = "Basic " + base64.b64encode(b"ann:hunter:2@").decode()
    with serving(guarded(expected)) as url:
        for registry in (
            open_confluent_registry(url, user="ann", password="hunter:2@"),
            open_confluent_registry(with_credentials(url)),
        ):
            assert registry.versions("s") == (1,)
            registry.close()


def test_a_password_is_never_shown() -> None:
    """Neither an error nor the identity repeats credentials that were given."""
    with serving(guarded("other")) as url:
        registry = open_confluent_registry(f"{with_credentials(url)}/")
        with pytest.raises(RegistryUnauthorized) as caught:
            registry.versions("s")
        registry.close()

    assert registry.identity == url
    assert "hunter" not in f"{caught.value!r} {caught.value} {registry!r}"
