"""Where two real registries differ: each test shows the difference, and that the client copes with it."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from jsonschema_bridge.errors import SchemaIncompatible, SchemaNotInSubject, SchemaRefused, SubjectNotFound
from jsonschema_bridge.registry import CachedRegistry, Registry, Schema, SchemaKind, SchemaReference
from jsonschema_bridge.registry.confluent import open_confluent_registry
from tests.contract.registry_contract import DRAFT_7, closed_schema, new_schema, new_subject
from tests.stack import AxonOpsRegistry, Stack

AXONOPS, APICURIO = "axonops", "apicurio"
_JSON = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


class Real(NamedTuple):
    """A running registry, our client for it, and a way to ask it without that client."""

    name: str
    client: Registry

    def raw(self, method: str, path: str, body: object = None) -> requests.Response:
        """Send a request; bytes go as they are."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return requests.request(method, self.client.identity + path, data=data, headers=_JSON, timeout=10)

    def compatibility(self, subject: str, rule: str) -> None:
        """Give a subject, which is there, its compatibility rule."""
        assert self.raw("PUT", f"/config/{subject}", {"compatibility": rule}).ok


@pytest.fixture(params=[AXONOPS, APICURIO])
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    """Give each of the two registries in turn."""
    if request.param == AXONOPS:
        stack: Stack = request.getfixturevalue("real_stack")
        if stack.registry is None:
            pytest.skip("an external registry may be of any kind")
        url = stack.registry.url
    else:
        url = request.getfixturevalue("apicurio").url
    client = open_confluent_registry(url)
    yield Real(request.param, client)
    client.close()


def with_id_of(kind: str) -> Schema:
    """Return a schema of one title for all kinds, so that only the property's type differs."""
    document = {"$schema": DRAFT_7, "title": "Order", "type": "object", "properties": {"id": {"type": kind}}}
    return Schema(json.dumps(document), "JSON")


def test_what_may_follow_without_a_rule_of_the_subjects_own_is_the_registrys_default(real: Real) -> None:
    subject = new_subject()
    assert real.raw("GET", "/config").json()["compatibilityLevel"] == {AXONOPS: "BACKWARD", APICURIO: "NONE"}[real.name]
    real.client.register(subject, with_id_of("string"))
    if real.name == APICURIO:
        assert real.client.register(subject, with_id_of("integer")).version == 2
    else:
        with pytest.raises(SchemaIncompatible):
            real.client.register(subject, with_id_of("integer"))
        assert real.client.versions(subject) == (1,)


def test_an_incompatible_version_is_refused_in_the_registrys_own_words(real: Real) -> None:
    subject = new_subject()
    real.client.register(subject, with_id_of("string"))
    real.compatibility(subject, "BACKWARD")
    verbose = real.raw(
        "POST",
        f"/compatibility/subjects/{subject}/versions/latest?verbose=true",
        {"schemaType": "JSON", "schema": with_id_of("integer").text},
    )
    assert bool(verbose.json().get("messages")) == (real.name == AXONOPS)
    with pytest.raises(SchemaIncompatible) as caught:
        real.client.register(subject, with_id_of("integer"))
    assert "incompatible" in caught.value.message.lower()
    assert real.client.versions(subject) == (1,)


def test_a_subject_is_not_taken_for_another_whose_name_goes_on(real: Real) -> None:
    subject = new_subject()
    real.client.register(f"{subject}.source", new_schema())
    others = real.raw("GET", f"/subjects?subjectPrefix={uuid.uuid4().hex}").json() or []
    assert bool(others) == (real.name == APICURIO)  # it does not filter
    with pytest.raises(SubjectNotFound):
        real.client.versions(subject)


@pytest.mark.parametrize("kind", ["JSON", "AVRO"])
@pytest.mark.parametrize("text", ["", "{", "no schema at all"])
def test_a_text_that_is_no_schema_is_refused(real: Real, kind: SchemaKind, text: str) -> None:
    subject = new_subject()
    with pytest.raises(SchemaRefused):
        real.client.register(subject, Schema(text, kind))
    with pytest.raises(SubjectNotFound):
        real.client.versions(subject)


def test_a_json_schema_that_does_not_say_what_it_is_is_refused_or_taken_but_never_taken_for_another(real: Real) -> None:
    # A text of its own: to some registries one that was registered as Avro before is the same schema.
    subject, schema = new_subject(), Schema(f'{{"type":"string","title":"{uuid.uuid4().hex}"}}', "JSON")
    if real.name == APICURIO:  # it looks into the text for the type that it was told
        with pytest.raises(SchemaRefused, match="not from type"):
            real.client.register(subject, schema)
    else:
        assert real.client.schema(real.client.register(subject, schema).schema_id) == schema


def test_a_type_that_confluent_does_not_have_is_no_outage(real: Real) -> None:
    subject, text = new_subject(), f"<order-{uuid.uuid4().hex}/>"
    sent = real.raw("POST", f"/subjects/{subject}/versions", {"schemaType": "XML", "schema": text})
    assert sent.status_code == {AXONOPS: 422, APICURIO: 200}[real.name]
    cached = CachedRegistry(real.client)
    if sent.ok:
        assert cached.registered(subject, 1).schema == Schema(text, "OTHER")
        assert cached.schema(sent.json()["id"]).kind == "OTHER"
    with pytest.raises(SchemaRefused):
        cached.register(new_subject(), Schema(text, "OTHER"))
    assert cached.staleness() == 0


def test_a_type_that_nobody_has_is_told_in_each_registrys_way(real: Real) -> None:
    answer = real.raw("POST", f"/subjects/{new_subject()}/versions", {"schemaType": "OTHER", "schema": "{}"})
    assert (answer.status_code, answer.json()["error_code"]) == {AXONOPS: (422, 42201), APICURIO: (500, 0)}[real.name]


def test_a_request_that_cannot_be_read_is_refused_in_a_body_or_in_plain_text(real: Real) -> None:
    broken = real.raw("POST", f"/subjects/{new_subject()}/versions", b'{"schema":')
    assert broken.status_code == 400
    assert broken.text.startswith("{") == (real.name == AXONOPS)
    # The one way to make such a request of what the client sends: a number that the registry's type cannot hold.
    beyond = SchemaReference("part.json", new_subject(), 2**31)
    with pytest.raises(SchemaRefused):
        real.client.register(new_subject(), Schema(new_schema().text, "JSON", (beyond,)))


def test_whether_an_id_is_a_subjects_is_told_where_nobody_can_be_asked_for_the_subjects_of_an_id(real: Real) -> None:
    subject, other = new_subject(), new_subject()
    ours, theirs = real.client.register(subject, new_schema()), real.client.register(other, new_schema())
    asked = real.raw("GET", f"/schemas/ids/{ours.schema_id}/subjects")
    assert asked.status_code == {AXONOPS: 200, APICURIO: 404}[real.name]
    ids = {real.client.registered(subject, version).schema_id for version in real.client.versions(subject)}
    assert ids == {ours.schema_id}
    assert theirs.schema_id not in ids


def test_a_subject_that_is_closed_for_writing_refuses_where_subjects_have_a_mode(real: Real) -> None:
    subject, first = new_subject(), closed_schema()
    entry = real.client.register(subject, first)
    mode = real.raw("PUT", f"/mode/{subject}", {"mode": "READONLY"})
    assert mode.status_code == {AXONOPS: 200, APICURIO: 404}[real.name]
    if mode.ok:
        with pytest.raises(SchemaRefused, match="READONLY"):
            real.client.register(subject, new_schema())
    assert real.client.lookup(subject, first) == entry


def test_a_version_that_cannot_be_is_absent_whichever_code_says_so(real: Real) -> None:
    """The contract suite asks the client for such versions; here is why that is worth a test."""
    subject = new_subject()
    real.client.register(subject, new_schema())
    answer = real.raw("GET", f"/subjects/{subject}/versions/0")
    assert answer.json()["error_code"] == {AXONOPS: 42202, APICURIO: 40402}[real.name]
    assert real.raw("GET", f"/subjects/{subject}/versions/-1").json()["version"] == 1  # the latest, by another name


def test_another_spelling_of_a_schema_is_found_or_new_and_either_way_what_is_answered_is_there(real: Real) -> None:
    subject, schema = new_subject(), new_schema()
    spaced = Schema(json.dumps(json.loads(schema.text), indent=2), "JSON")
    first = real.client.register(subject, schema)
    with_spaces = real.client.register(subject, spaced)
    assert (with_spaces.schema_id == first.schema_id) == (real.name == AXONOPS)
    assert real.client.versions(subject) == {AXONOPS: (1,), APICURIO: (1, 2)}[real.name]
    assert real.client.registered(subject, with_spaces.version).schema_id == with_spaces.schema_id
    assert real.client.lookup(subject, spaced) == with_spaces
    assert real.client.lookup(subject, schema) == first


def test_another_spelling_that_was_never_registered_is_found_only_where_texts_are_parsed(real: Real) -> None:
    subject, schema = new_subject(), new_schema()
    entry = real.client.register(subject, schema)
    spaced = Schema(json.dumps(json.loads(schema.text), indent=2), "JSON")
    if real.name == AXONOPS:
        assert real.client.lookup(subject, spaced) == replace(entry, schema=spaced)
    else:
        with pytest.raises(SchemaNotInSubject):
            real.client.lookup(subject, spaced)


def test_avro_is_avro_whether_or_not_an_answer_says_so(real: Real) -> None:
    subject = new_subject()
    schema = Schema(f'{{"type":"record","name":"R{uuid.uuid4().hex}","fields":[]}}', "AVRO")
    entry = real.client.register(subject, schema)
    answer: dict[str, Any] = real.raw("GET", f"/subjects/{subject}/versions/1").json()
    assert ("schemaType" in answer) == (real.name == AXONOPS)
    assert real.client.registered(subject, 1) == entry
    assert entry.schema.kind == "AVRO"


def test_a_slash_in_a_name_leads_back_to_what_was_registered(real: Real) -> None:
    subject, schema = f"shop/{new_subject()}", new_schema()
    entry = real.client.register(subject, schema)
    names = real.raw("GET", "/subjects").json()
    assert {AXONOPS: subject.replace("/", "%2F"), APICURIO: subject}[real.name] in names
    assert real.client.versions(subject) == (1,)
    assert real.client.registered(subject, 1) == entry
    assert real.client.lookup(subject, schema) == entry


@pytest.mark.usefixtures("real_stack")
def test_a_registry_in_which_nothing_was_ever_registered_is_there_and_empty(tmp_path: Path) -> None:
    registry = AxonOpsRegistry(tmp_path)
    registry.start()
    client = open_confluent_registry(registry.url)
    try:
        assert Real(AXONOPS, client).raw("GET", "/subjects").json() is None  # where Confluent and Apicurio say []
        client.ping()
        with pytest.raises(SubjectNotFound):
            client.versions(new_subject())
    finally:
        client.close()
        registry.stop()
