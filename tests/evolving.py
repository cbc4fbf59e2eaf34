"""What changed from one version of a schema to the next, as tests compare it."""

import json

from jsonschema_bridge.evolution import schema_changes
from jsonschema_bridge.registry import SchemaKind
from jsonschema_bridge.registry.model import Schema
from tests.compiling import no_reference


def changes_told(kind: SchemaKind, old: object, new: object) -> list[tuple[str, str, bool]]:
    """Return the changes as tuples: pointer, message, whether it only adds."""
    found = schema_changes(Schema(json.dumps(old), kind), Schema(json.dumps(new), kind), no_reference)
    return [(each.pointer, each.message, each.additive) for each in found]
