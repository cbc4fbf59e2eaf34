"""Which schema is in force, where registries give one id to two kinds of schema."""

from dataclasses import replace

import pytest

from confluent_shim.derivations import Derivations
from confluent_shim.records import Claimed
from confluent_shim.schemas import Schemas
from jsonschema_bridge import RegisteredSchema, Schema, SchemaInvalid
from jsonschema_bridge.registry import MemoryRegistry
from topic_map import Binding
from topic_map.binding import Encoding

BOTH = Schema('{"type": "string"}', "JSON")
"""A text that is a JSON Schema and an Avro schema."""


class OneIdForTwoKinds(MemoryRegistry):
    """Has the text of every subject named `avro` as Avro, with the id that it has as JSON Schema elsewhere."""

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        found = super().registered(subject, version)
        return replace(found, schema=replace(found.schema, kind="AVRO")) if subject.startswith("avro") else found


@pytest.mark.parametrize(("subject", "other", "encoding"), [("json", "avro", "json-schema"), ("avro", "json", "avro")])
def test_a_text_that_was_compiled_as_one_kind_is_not_taken_for_the_other(
    subject: str, other: str, encoding: Encoding
) -> None:
    registry = OneIdForTwoKinds()
    registry.register(subject, BOTH)
    registry.register(other, BOTH)
    schemas = Schemas({"default": registry}, Derivations())
    good = Binding(topic="good", subject=subject, encoding=encoding)
    foreign = Binding(topic="foreign", subject=other, encoding=encoding)
    assert schemas.in_force(good, "value", "json", Claimed()).schema_id == 1
    with pytest.raises(SchemaInvalid, match="does not suit"):
        schemas.in_force(foreign, "value", "json", Claimed())
