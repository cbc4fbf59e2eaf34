"""What changed from one version of a schema to the next, and whether that only adds to it."""

from jsonschema_bridge.evolution.change import SchemaChange
from jsonschema_bridge.evolution.compare import schema_changes

__all__ = ["SchemaChange", "schema_changes"]
