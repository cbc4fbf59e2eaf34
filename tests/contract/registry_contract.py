"""What every Registry promises, whatever is behind it.

A subclass supplies a fixture `registry` and, where the default does not fit, `delete_version`. Subject names are new
in every test, so that one registry can serve all of them.
"""

import json
import uuid
from abc import ABC, abstractmethod

import pytest

from jsonschema_bridge.errors import (
    SchemaNotFound,
    SchemaNotInSubject,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry import RegisteredSchema, Registry, Schema, SchemaReference

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
NO_SUCH_IDS = [-1, 2_000_000_000, 2**31, 2**32 - 1]
NO_SUCH_VERSIONS = [-1, 0, 7, 2**31 - 1, 2**31]


def new_subject() -> str:
    """Return a subject name that no registry has seen."""
    return f"contract-{uuid.uuid4().hex}-value"


def new_schema(**keywords: object) -> Schema:
    """Return a JSON Schema that no registry has seen, written as registries write it: compact."""
    document = {"$schema": DRAFT_7, "title": f"T{uuid.uuid4().hex}", "type": "object", **keywords}
    return Schema(json.dumps(document, separators=(",", ":")), "JSON")


def next_version(schema: Schema) -> Schema:
    """Return a schema that every compatibility rule but FULL accepts after this one: one property more."""
    document = json.loads(schema.text)
    document["properties"] = {**document["properties"], "added": {"type": "string"}}
    return Schema(json.dumps(document, separators=(",", ":")), "JSON")


def closed_schema() -> Schema:
    """Return a new schema of a closed content model, to which a property may be added."""
    return new_schema(properties={"id": {"type": "string"}}, additionalProperties=False)


class RegistryContract(ABC):
    """One behaviour, many registries."""

    @abstractmethod
    def delete_version(self, registry: Registry, subject: str, version: int) -> None:
        """Soft-delete one version, by whatever way the registry under test offers."""

    def test_what_was_registered_is_read_back_by_id(self, registry: Registry) -> None:
        """An id leads to the text and the type that were registered."""
        schema = new_schema()

        entry = registry.register(new_subject(), schema)

        assert registry.schema(entry.schema_id) == schema

    def test_what_was_registered_is_read_back_by_version(self, registry: Registry) -> None:
        """A subject's first version is 1 and holds what was registered."""
        subject, schema = new_subject(), new_schema()

        entry = registry.register(subject, schema)

        assert entry == RegisteredSchema(subject, 1, entry.schema_id, schema)
        assert registry.registered(subject, 1) == entry

    def test_avro_is_read_back_as_avro(self, registry: Registry) -> None:
        """The type survives although registries may leave it out for Avro."""
        name = f"R{uuid.uuid4().hex}"
        schema = Schema(f'{{"type":"record","name":"{name}","fields":[]}}', "AVRO")

        entry = registry.register(new_subject(), schema)

        assert registry.schema(entry.schema_id) == schema

    def test_versions_are_listed_ascending(self, registry: Registry) -> None:
        """Each new schema becomes the next version of the list."""
        subject, first = new_subject(), closed_schema()
        registry.register(subject, first)
        assert registry.versions(subject) == (1,)

        registry.register(subject, next_version(first))

        assert registry.versions(subject) == (1, 2)

    def test_registering_again_changes_nothing(self, registry: Registry) -> None:
        """The same schema is answered with the version it already has."""
        subject, schema = new_subject(), new_schema()
        entry = registry.register(subject, schema)

        assert registry.register(subject, schema) == entry
        assert registry.versions(subject) == (1,)

    def test_one_schema_has_one_id_in_all_subjects(self, registry: Registry) -> None:
        """Sharing a schema between subjects costs no second id."""
        schema = new_schema()

        one = registry.register(new_subject(), schema)
        other = registry.register(new_subject(), schema)

        assert one.schema_id == other.schema_id

    def test_lookup_finds_the_version_of_a_registered_text(self, registry: Registry) -> None:
        """The text of an older version is found as that version."""
        subject, first = new_subject(), closed_schema()
        entry = registry.register(subject, first)
        registry.register(subject, next_version(first))

        assert registry.lookup(subject, first) == entry

    def test_lookup_of_another_subjects_schema_finds_nothing(self, registry: Registry) -> None:
        """A schema that the registry knows is not found in a subject that does not hold it."""
        subject, elsewhere = new_subject(), new_schema()
        registry.register(subject, new_schema())
        registry.register(new_subject(), elsewhere)

        with pytest.raises(SchemaNotInSubject) as caught:
            registry.lookup(subject, elsewhere)

        assert caught.value.subject == subject

    def test_references_are_kept(self, registry: Registry) -> None:
        """A schema comes back with the references it was registered with, and is looked up with them."""
        part, subject = new_subject(), new_subject()
        registry.register(part, new_schema())
        whole = Schema(
            new_schema(properties={"part": {"$ref": "part.json"}}).text,
            "JSON",
            (SchemaReference("part.json", part, 1),),
        )

        entry = registry.register(subject, whole)

        assert registry.schema(entry.schema_id) == whole
        assert registry.registered(subject, 1).schema == whole
        assert registry.lookup(subject, whole) == entry

    def test_an_unknown_subject_is_said_to_be_unknown(self, registry: Registry) -> None:
        """List, version and lookup all name the subject that is not there, and the registry."""
        subject = new_subject()

        with pytest.raises(SubjectNotFound, match=subject) as caught:
            registry.versions(subject)
        with pytest.raises(SubjectNotFound, match=subject):
            registry.registered(subject, 1)
        with pytest.raises(SubjectNotFound, match=subject):
            registry.lookup(subject, new_schema())
        assert registry.identity in str(caught.value)

    @pytest.mark.parametrize("version", NO_SUCH_VERSIONS)
    def test_an_unknown_version_is_said_to_be_unknown(self, registry: Registry, version: int) -> None:
        """A version that is not in the list is an error that names subject and version; -1 is no other name for one."""
        subject = new_subject()
        registry.register(subject, new_schema())

        with pytest.raises(VersionNotFound) as caught:
            registry.registered(subject, version)

        assert (caught.value.subject, caught.value.version) == (subject, version)

    @pytest.mark.parametrize("schema_id", NO_SUCH_IDS)
    def test_an_unknown_id_is_said_to_be_unknown(self, registry: Registry, schema_id: int) -> None:
        """An id that nobody was given is an error that names it, whatever four bytes before a payload may say."""
        with pytest.raises(SchemaNotFound, match=str(schema_id)):
            registry.schema(schema_id)

    def test_a_deleted_version_leaves_the_list_and_keeps_its_id(self, registry: Registry) -> None:
        """After a soft delete only the id still leads to the schema."""
        subject, first = new_subject(), closed_schema()
        entry = registry.register(subject, first)
        registry.register(subject, next_version(first))
        assert registry.versions(subject) == (1, 2)
        assert registry.lookup(subject, first).version == 1

        self.delete_version(registry, subject, 1)

        assert registry.versions(subject) == (2,)
        assert registry.schema(entry.schema_id) == first
        with pytest.raises(SchemaNotInSubject):
            registry.lookup(subject, first)

    def test_a_subject_without_versions_left_is_not_there(self, registry: Registry) -> None:
        """Deleting the only version makes the subject unknown."""
        subject = new_subject()
        registry.register(subject, new_schema())

        self.delete_version(registry, subject, 1)

        with pytest.raises(SubjectNotFound):
            registry.versions(subject)

    def test_subject_names_may_hold_any_character(self, registry: Registry) -> None:
        """Spaces, signs and letters of all scripts in a name reach the registry as they are."""
        subject = f"größe & co + 50% ?#{new_subject()}"

        entry = registry.register(subject, new_schema())

        assert entry.subject == subject
        assert registry.versions(subject) == (1,)

    def test_subjects_are_listed_as_long_as_they_have_a_version(self, registry: Registry) -> None:
        """A subject is in the list from its first version until its last one is deleted."""
        subject, other = new_subject(), new_subject()
        registry.register(subject, new_schema())
        registry.register(other, new_schema())
        assert {subject, other} <= set(registry.subjects())

        self.delete_version(registry, subject, 1)

        assert subject not in registry.subjects()
        assert other in registry.subjects()

    def test_a_living_registry_answers_a_ping(self, registry: Registry) -> None:
        """A ping returns without complaint."""
        registry.ping()
