"""Avro derived from the JSON Schemas of source subjects, and which of it is registered."""

from typing import Any, NamedTuple

import msgspec

from confluent_shim.cache import keep
from jsonschema_bridge import (
    DerivationOptions,
    Derived,
    RegisteredSchema,
    Registry,
    SchemaInvalid,
    SchemaNotDerivable,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    derive,
    references_of,
)
from topic_map import Binding


class Derivation(NamedTuple):
    """What a version of the source subject of a binding becomes in Avro.

    `wire` is the version of the wire subject that holds this Avro schema, None while it is not registered.
    """

    binding: Binding
    source: RegisteredSchema
    form: Derived
    wire: RegisteredSchema | None

    def told(self) -> dict[str, Any]:
        """Return what the admin API answers."""
        return {
            "topic": self.binding.topic,
            "source_subject": self.source.subject,
            "source_version": self.source.version,
            "subject": self.binding.subject,
            "version": self.wire.version if self.wire else None,
            "schema_id": self.wire.schema_id if self.wire else None,
            "schema": msgspec.json.decode(self.form.schema.text),
            "carry_rules": [
                {"pointer": each.pointer, "rule": each.rule, "message": each.message} for each in self.form.carry_rules
            ],
        }


class Derivations:
    """Derives each version of a source subject once for each choice of options. Safe to share between threads."""

    def __init__(self) -> None:
        self._forms: dict[tuple[str, int, DerivationOptions], Derived | SchemaNotDerivable | SchemaInvalid] = {}
        self._wires: dict[tuple[str, str, str], RegisteredSchema] = {}

    def of(self, registry: Registry, binding: Binding, source: RegisteredSchema) -> Derivation:
        """Return what `source` becomes. Raises SchemaNotDerivable, SchemaInvalid and the registry's errors."""
        form = self._form(registry, binding, source)
        known = (binding.cluster, binding.subject, form.schema.text)
        wire = self._wires.get(known)
        if wire is None or wire.version not in registry.versions(binding.subject):
            try:
                wire = registry.lookup(binding.subject, form.schema)
            except (SchemaNotInSubject, SubjectNotFound, SchemaRefused):
                return Derivation(binding, source, form, None)
            keep(self._wires, known, wire)
        return Derivation(binding, source, form, wire)

    def register(self, registry: Registry, binding: Binding, source: RegisteredSchema) -> Derivation:
        """Register what `source` becomes under the wire subject. Raises what `of` raises, and SchemaIncompatible."""
        form = self._form(registry, binding, source)
        return Derivation(binding, source, form, registry.register(binding.subject, form.schema))

    def _form(self, registry: Registry, binding: Binding, source: RegisteredSchema) -> Derived:
        options = options_of(binding)
        known = (binding.cluster, source.schema_id, options)
        found = self._forms.get(known)
        if found is None:
            try:
                found = derive(source.schema, references_of(registry), options)
            except (SchemaNotDerivable, SchemaInvalid) as error:
                found = error
            keep(self._forms, known, found)
        if isinstance(found, Derived):
            return found
        raise found.with_traceback(None)  # it was raised before, and would remember that


def options_of(binding: Binding) -> DerivationOptions:
    """Return how the Avro of a binding is derived."""
    return DerivationOptions(
        binding.avro_extra, binding.avro_untyped, binding.avro_name or None, binding.avro_namespace
    )
