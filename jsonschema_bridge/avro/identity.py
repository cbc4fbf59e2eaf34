import json

from jsonschema_bridge.avro.schema import parse
from jsonschema_bridge.references import Resolve
from jsonschema_bridge.registry.model import Schema


def avro_identity(schema: Schema, resolve: Resolve) -> str:
    """Return a text that two spellings of one Avro schema share: names resolved, defaults and logical types kept.

    Raises SchemaInvalid, and what `resolve` raises.
    """
    return json.dumps(parse(schema, resolve).root, sort_keys=True)
