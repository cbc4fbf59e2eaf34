"""What a schema means for bytes: compile, validate, frame, and talk to the schema registry."""

from jsonschema_bridge.avro import AvroCodec, avro_identity, compile_avro
from jsonschema_bridge.derivation import CarryRule, Derived, derive
from jsonschema_bridge.derivation import Options as DerivationOptions
from jsonschema_bridge.errors import (
    AvroUndecodable,
    BridgeError,
    JsonUnreadable,
    NotFramed,
    Refusal,
    RegistryError,
    RegistryUnauthorized,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaInvalid,
    SchemaNotDerivable,
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.evolution import SchemaChange, schema_changes
from jsonschema_bridge.framing import frame, unframe
from jsonschema_bridge.framing import prefix as frame_prefix
from jsonschema_bridge.json_text import confluent_text, encoding_of, read_json, read_json_loosely, utf8
from jsonschema_bridge.lint import Lint, lint_json_schema
from jsonschema_bridge.references import read_schema, references_of
from jsonschema_bridge.registry import RegisteredSchema, Registry, Schema, SchemaReference
from jsonschema_bridge.strictness import Strictness
from jsonschema_bridge.validation import JsonSchemaValidator, check_json_schema, compile_json_schema
from jsonschema_bridge.violation import Violation

__all__ = [
    "AvroCodec",
    "AvroUndecodable",
    "BridgeError",
    "CarryRule",
    "DerivationOptions",
    "Derived",
    "JsonSchemaValidator",
    "JsonUnreadable",
    "Lint",
    "NotFramed",
    "Refusal",
    "RegisteredSchema",
    "Registry",
    "RegistryError",
    "RegistryUnauthorized",
    "RegistryUnavailable",
    "Schema",
    "SchemaChange",
    "SchemaIncompatible",
    "SchemaInvalid",
    "SchemaNotDerivable",
    "SchemaNotFound",
    "SchemaNotInSubject",
    "SchemaReference",
    "SchemaRefused",
    "Strictness",
    "SubjectNotFound",
    "VersionNotFound",
    "Violation",
    "avro_identity",
    "check_json_schema",
    "compile_avro",
    "compile_json_schema",
    "confluent_text",
    "derive",
    "encoding_of",
    "frame",
    "frame_prefix",
    "lint_json_schema",
    "read_json",
    "read_json_loosely",
    "read_schema",
    "references_of",
    "schema_changes",
    "unframe",
    "utf8",
]
