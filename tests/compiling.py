"""Schemas compiled for tests, with references that are not there: whoever follows one fails."""

import json

from jsonschema_bridge import AvroCodec, JsonSchemaValidator, Schema, SchemaReference, compile_avro, compile_json_schema


def no_reference(reference: SchemaReference) -> Schema:
    """Resolve nothing."""
    raise AssertionError(reference)


def avro(document: object) -> AvroCodec:
    """Compile an Avro schema."""
    return compile_avro(Schema(json.dumps(document), "AVRO"), no_reference)


def json_schema(document: object) -> JsonSchemaValidator:
    """Compile a JSON Schema."""
    return compile_json_schema(Schema(json.dumps(document), "JSON"), no_reference)
