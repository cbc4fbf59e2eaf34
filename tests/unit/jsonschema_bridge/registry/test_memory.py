import pytest

from jsonschema_bridge.errors import SchemaRefused, SubjectNotFound, VersionNotFound
from jsonschema_bridge.registry import MemoryRegistry, Schema, SchemaReference

STRING = Schema('{"type":"string"}', "JSON")
NUMBER = Schema('{"type":"number"}', "JSON")


def test_a_schema_that_is_no_json_is_refused() -> None:
    """Broken text never gets an id."""
    with pytest.raises(SchemaRefused, match="no JSON"):
        MemoryRegistry().register("s", Schema("{", "JSON"))


def test_a_reference_to_nothing_is_refused() -> None:
    """A schema may only refer to a version that is there."""
    whole = Schema("{}", "JSON", (SchemaReference("part", "parts", 1),))

    with pytest.raises(SchemaRefused, match="'parts' version 1"):
        MemoryRegistry().register("s", whole)


def test_references_are_part_of_a_schemas_identity() -> None:
    """The same text with other references is another schema with another id."""
    registry = MemoryRegistry()
    registry.register("parts", STRING)
    registry.register("parts", NUMBER)
    ids = {
        registry.register("s", Schema("{}", "JSON", (SchemaReference("part", "parts", version),))).schema_id
        for version in (1, 2)
    }

    assert len(ids) == 2


def test_a_schema_registered_after_its_deletion_is_a_new_version_with_the_old_id() -> None:
    """Version numbers are never used twice; ids belong to the schema."""
    registry = MemoryRegistry()
    first = registry.register("s", STRING)
    registry.delete("s", 1)

    again = registry.register("s", STRING)

    assert (again.version, again.schema_id) == (2, first.schema_id)


def test_deleting_a_subject_deletes_all_its_versions() -> None:
    """Without a version the whole subject goes, and the answer says which versions that were."""
    registry = MemoryRegistry()
    registry.register("s", STRING)
    registry.register("s", NUMBER)

    assert registry.delete("s") == (1, 2)
    with pytest.raises(SubjectNotFound):
        registry.delete("s")


def test_deleting_an_unknown_version_is_an_error() -> None:
    """What is not there cannot be deleted, and nothing else is."""
    registry = MemoryRegistry()
    registry.register("s", STRING)

    with pytest.raises(VersionNotFound):
        registry.delete("s", 2)

    assert registry.versions("s") == (1,)
