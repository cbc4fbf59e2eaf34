"""What a schema registry holds, as frozen values that can be compared and used as keys."""

from dataclasses import dataclass
from typing import Literal

SchemaKind = Literal["JSON", "AVRO", "PROTOBUF", "OTHER"]
"""The type of a schema; OTHER is one that Confluent does not have (Apicurio keeps XML, for instance)."""


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """A schema that another one needs: `name` is what the other calls it (for JSON Schema, its `$ref`)."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema as it is written: `text` is what the registry stores, not parsed and not rearranged."""

    text: str
    kind: SchemaKind
    references: tuple[SchemaReference, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """One version of one subject. Versions count from 1; the same schema has one id in all subjects."""

    subject: str
    version: int
    schema_id: int
    schema: Schema
