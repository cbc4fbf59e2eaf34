from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.evolution.avro import avro_changes
from jsonschema_bridge.evolution.change import SchemaChange
from jsonschema_bridge.evolution.json_schema import json_schema_changes
from jsonschema_bridge.references import Resolve
from jsonschema_bridge.registry.model import Schema


def schema_changes(old: Schema, new: Schema, resolve: Resolve) -> list[SchemaChange]:
    """Return what changed between two JSON Schemas, or two Avro schemas; what may change freely is left out.

    Raises SchemaInvalid for what is neither, and what `resolve` raises.
    """
    if old.kind == new.kind == "JSON":
        return json_schema_changes(old, new, resolve)
    if old.kind == new.kind == "AVRO":
        return avro_changes(old, new, resolve)
    raise SchemaInvalid(f"schemas of the types {old.kind} and {new.kind} cannot be compared")
