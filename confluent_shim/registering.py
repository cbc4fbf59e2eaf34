"""What binding asks of subjects: that their schemas can judge, are registered, and evolve as the binding says."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from confluent_shim.adoption import Adoption, in_words, kind_that_judges, subject_of
from confluent_shim.derivations import Derivation, options_of
from confluent_shim.readings import check_schema
from confluent_shim.schemas import Schemas, strictness_of
from jsonschema_bridge import (
    RegisteredSchema,
    RegistryUnavailable,
    Schema,
    SchemaChange,
    SchemaIncompatible,
    SchemaInvalid,
    SchemaNotInSubject,
    SubjectNotFound,
    derive,
    references_of,
    schema_changes,
)
from jsonschema_bridge.registry import CachedRegistry
from topic_map import Binding, BindingInvalid, pinned_version

_TOLD = 100
"""As many changes of a version are listed at most."""


class VersionsNow(NamedTuple):
    """Which versions of its subject a binding takes now.

    `in_force` is the version that judges what names none, None where the binding takes nothing, and `lands` what its
    records land as where Avro is derived from it. `changes` tells what it changed since the version before, `since`.
    """

    binding: Binding
    adoption: Adoption
    in_force: RegisteredSchema | None
    lands: RegisteredSchema | None
    since: int | None
    changes: Sequence[SchemaChange]

    def told(self) -> dict[str, Any]:
        """Return what the admin API answers."""
        current = self.in_force
        return {
            "topic": self.binding.topic,
            "subject": subject_of(self.binding, "value"),
            "versions": self.binding.versions,
            "compatibility": self.binding.compatibility,
            "in_force": current and {**_told(current), "since": self.since, "changes": _changes(self.changes)},
            "lands": self.lands and {"subject": self.lands.subject, **_told(self.lands)},
            "not_adopted": [
                {**_told(each.found), "reason": each.reason, "changes": _changes(each.changes)}
                for each in self.adoption.not_adopted
            ],
        }


def _told(found: RegisteredSchema) -> dict[str, Any]:
    return {"version": found.version, "schema_id": found.schema_id}


def _changes(changes: Sequence[SchemaChange]) -> list[dict[str, Any]]:
    return [{"pointer": each.pointer, "message": each.message, "additive": each.additive} for each in changes[:_TOLD]]


class Registering:
    """Checks and registers the schemas of bindings, in the registries of their clusters."""

    def __init__(self, registries: Mapping[str, CachedRegistry], schemas: Schemas) -> None:
        self._registries = registries
        self._schemas = schemas

    def check_text(self, binding: Binding, text: str) -> None:
        """Check a schema that is about to be registered, as `binding` will use it.

        Raises SchemaInvalid, SchemaNotDerivable, SchemaIncompatible where the binding would not adopt it, and the
        registry's errors.
        """
        registry, schema = self._registries[binding.cluster], Schema(text, kind_that_judges(binding))
        if binding.source_subject is None:
            check_schema(schema, registry, strictness_of(binding))
        else:
            derive(schema, references_of(registry), options_of(binding))
        if binding.compatibility != "additive" or binding.versions != "latest" or binding.bound_version is None:
            return
        subject = subject_of(binding, "value")
        with suppress(SubjectNotFound):
            registry.refresh(subject)
            if not self._holds(registry, subject, schema):
                self._check_additive(binding, registry, schema)

    def _holds(self, registry: CachedRegistry, subject: str, schema: Schema) -> bool:
        try:
            registry.lookup(subject, schema)
        except SchemaNotInSubject:
            return False
        return True

    def _check_additive(self, binding: Binding, registry: CachedRegistry, schema: Schema) -> None:
        subject = subject_of(binding, "value")
        for version in self._schemas.adoption(binding, registered=False).taken[-1:]:
            last = registry.registered(subject, version)
            changes = schema_changes(last.schema, schema, references_of(registry))
            if breaking := [each for each in changes if not each.additive]:
                reason = f"compatibility is additive, and since version {version} {in_words(breaking)}"
                raise SchemaIncompatible(subject, reason, registry=registry.identity)

    def check_key_subject(self, binding: Binding) -> None:
        """Make sure that the newest version of the key subject, if there is one, can judge keys.

        Raises BindingInvalid, SchemaInvalid and the registry's errors.
        """
        if binding.key_subject is None:
            return
        registry = self._registries[binding.cluster]
        newest = registry.registered(binding.key_subject, registry.refresh(binding.key_subject)[-1])
        where = f"version {newest.version} of key subject {newest.subject!r}"
        if newest.schema.kind == "PROTOBUF":
            raise BindingInvalid("key_subject", f"{where} is PROTOBUF; keys take a schema of type JSON or AVRO")
        try:
            check_schema(newest.schema, registry, strictness_of(binding))
        except SchemaInvalid as error:
            raise SchemaInvalid(f"{where}: {error.reason}", error.pointer) from error

    def begin(self, binding: Binding, text: str | None) -> int:
        """Make sure that there is a version which can judge, and its Avro where that lands; return its number.

        With `text` that is registered first. Raises BindingInvalid, SchemaInvalid, SchemaNotDerivable and the
        registry's errors.
        """
        registry = self._registries[binding.cluster]
        subject, kind = subject_of(binding, "value"), kind_that_judges(binding)
        registered = None if text is None else self._register(registry, subject, Schema(text, kind))
        versions = registry.refresh(subject)
        if (binding.bound_version or 1) > versions[-1]:
            raise BindingInvalid("bound_version", f"{subject!r} has no version {binding.bound_version}")
        pinned = pinned_version(binding)
        if pinned is not None:
            registered = registry.registered(subject, pinned)
        elif binding.bound_version is not None and binding.versions == "latest":
            taken = self._schemas.adoption(binding, registered=False).taken or versions
            registered = registry.registered(subject, taken[-1])
        elif registered is None:
            registered = registry.registered(subject, versions[-1])
        if registered.schema.kind != kind:
            raise BindingInvalid(
                "source_subject" if binding.source_subject else "encoding",
                f"{binding.source_subject or binding.encoding!r} needs a schema of type {kind}; version "
                f"{registered.version} of subject {subject!r} is {registered.schema.kind}",
            )
        check_schema(registered.schema, registry, strictness_of(binding))
        if binding.source_subject is not None:
            self._register_avro(registry, binding, registered)
        return registered.version

    def derivation(self, binding: Binding) -> Derivation:
        """Return what the newest version of the source subject, or the pinned one, becomes in Avro.

        Raises BindingInvalid for a topic that has no source subject, SchemaNotDerivable, SchemaInvalid, SinkUnavailable
        for a cluster that is not configured, and the registry's errors.
        """
        registry, source = self._source(binding)
        return self._schemas.derivations.of(registry, binding, source)

    def derive(self, binding: Binding) -> Derivation:
        """Register the same under the wire subject: with that it judges, and lands.

        Raises the same, and SchemaIncompatible, also for a version that the binding would not adopt.
        """
        registry, source = self._source(binding)
        self._schemas.derivations.of(registry, binding, source)
        for each in self._schemas.adoption(binding, registered=False).not_adopted:
            if each.found == source:
                reason = f"the binding does not adopt version {source.version}: {each.reason}"
                raise SchemaIncompatible(source.subject, reason, registry=registry.identity)
        return self._register_avro(registry, binding, source)

    def versions(self, binding: Binding) -> VersionsNow:
        """Return which versions are in force and which are not adopted, as the registry has them now.

        Where it cannot be asked that is what judges meanwhile. Raises SinkUnavailable for a cluster that is not
        configured, and the registry's errors.
        """
        registry, subject = self._registry(binding), subject_of(binding, "value")
        for each in {subject, binding.subject}:
            with suppress(RegistryUnavailable):
                registry.refresh(each)
        adoption = self._schemas.adoption(binding)
        if not adoption.taken:
            return VersionsNow(binding, adoption, None, None, None, ())
        current = registry.registered(subject, adoption.taken[-1])
        lands = self._schemas.derivations.of(registry, binding, current).wire if binding.source_subject else None
        earlier = [version for version in registry.versions(subject) if version < current.version]
        before = registry.registered(subject, earlier[-1]) if earlier else None
        changes: Sequence[SchemaChange] = ()
        if before is not None:
            with suppress(SchemaInvalid):  # the one before may be of another kind, or no schema at all
                changes = self._schemas.changes(binding, before, current)
        return VersionsNow(binding, adoption, current, lands, before.version if before else None, changes)

    def _source(self, binding: Binding) -> tuple[CachedRegistry, RegisteredSchema]:
        if binding.source_subject is None:
            raise BindingInvalid("source_subject", f"is null: nothing is derived for topic {binding.topic!r}")
        registry = self._registry(binding)
        with suppress(SubjectNotFound):
            registry.refresh(binding.subject)
        version = pinned_version(binding) or registry.refresh(binding.source_subject)[-1]
        return registry, registry.registered(binding.source_subject, version)

    def _registry(self, binding: Binding) -> CachedRegistry:
        """Return the registry of a binding that is in the table. Raises SinkUnavailable."""
        self._schemas.registry(binding)
        return self._registries[binding.cluster]

    def _register(self, registry: CachedRegistry, subject: str, schema: Schema) -> RegisteredSchema:
        try:
            return registry.register(subject, schema)
        except SchemaIncompatible as error:
            newest = registry.registered(subject, registry.versions(subject)[-1])
            raise _explained(error, newest, schema, registry) from error

    def _register_avro(self, registry: CachedRegistry, binding: Binding, source: RegisteredSchema) -> Derivation:
        try:
            return self._schemas.derivations.register(registry, binding, source)
        except SchemaIncompatible as error:
            taken = self._schemas.adoption(binding).taken if binding.bound_version else ()
            if not taken:
                raise
            last = registry.registered(source.subject, taken[-1])
            raise _explained(error, last, source.schema, registry) from error


def _explained(
    error: SchemaIncompatible, old: RegisteredSchema, new: Schema, registry: CachedRegistry
) -> SchemaIncompatible:
    """Return the registry's verdict with what changed, the worst of it first."""
    try:
        changes = sorted(schema_changes(old.schema, new, references_of(registry)), key=lambda each: each.additive)
    except SchemaInvalid:  # of another kind than the new one
        return error
    reason = f"{error.message}; since version {old.version} of {old.subject} {in_words(changes) or 'nothing changed'}"
    return SchemaIncompatible(error.subject, reason, registry=error.registry)
