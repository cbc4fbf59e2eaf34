"""Binding and unbinding with the checks that stand before a change: topic, subject, schema."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from confluent_shim.derivations import Derivation, Derivations, options_of
from confluent_shim.enforcement import Enforcer, Verdict
from confluent_shim.errors import TopicAbsent
from confluent_shim.publishing import Publisher
from confluent_shim.readings import check_schema
from confluent_shim.records import ProduceRequest
from confluent_shim.schemas import kind_that_judges, strictness_of, subject_of
from confluent_shim.sinks import Sink
from jsonschema_bridge import RegisteredSchema, Schema, SchemaInvalid, derive, references_of
from jsonschema_bridge.registry import CachedRegistry
from topic_map import (
    Bind,
    Binding,
    BindingInvalid,
    HistoryEntry,
    StaleRevision,
    Store,
    Table,
    TopicNotBound,
    Unbind,
    apply_changes,
    check,
    pinned_version,
)


class Author(NamedTuple):
    """Who changes the table, and why; both go into its history."""

    who: str
    why: str = ""


class Administration:
    """What the admin API and the command line do to bindings; the rule itself is the store's."""

    def __init__(
        self,
        store: Store,
        registries: Mapping[str, CachedRegistry],
        identities: Mapping[str, str],
        sinks: Mapping[str, Sink],
        enforcer: Enforcer,
        publisher: Publisher,
        derivations: Derivations,
    ) -> None:
        self._store = store
        self._registries = registries
        self._identities = identities
        self._sinks = sinks
        self._enforcer = enforcer
        self._publisher = publisher
        self._derivations = derivations

    def table(self) -> Table:
        """Return the table in force."""
        return self._store.table()

    def binding(self, topic: str) -> Binding:
        """Return the binding of `topic`. Raises TopicNotBound."""
        found = self._store.table().get(topic)
        if found is None:
            raise TopicNotBound(topic)
        return found

    def history(self, topic: str | None, limit: int) -> Sequence[HistoryEntry]:
        """Return what happened to `topic`, or to all, the newest first."""
        return self._store.history(topic, limit)

    def bind(
        self,
        binding: Binding,
        author: Author,
        *,
        schema: str | None = None,
        create_topic: bool = False,
        replace_existing: bool = False,
        expected_revision: int | None = None,
    ) -> Binding:
        """Bind a topic and return the row that is now in force.

        With `schema` its text is registered as the subject's next version first, the source subject's if there is one;
        what is derived from that is registered in any case; with `create_topic` a missing topic is created. All that
        happens before the table changes, so a change that the store refuses may leave it behind.
        Raises BindingInvalid, NotYetSupported, TopicTaken, SubjectTaken, StaleRevision, TopicAbsent, SchemaInvalid,
        SchemaNotDerivable and the registry's errors.
        """
        binding = check(binding)
        change = Bind(binding, replace=replace_existing)
        # What the table or the schema's own text refuses must not leave a registered version or a new topic behind.
        before = self._store.table()
        if expected_revision is not None and expected_revision != before.revision:
            raise StaleRevision(expected_revision, before.revision)
        apply_changes(before, [change], self._identities)
        if schema is not None:
            self._check_text(binding, Schema(schema, kind_that_judges(binding)))
        self._check_key_subject(binding)
        self._check_topic(binding, create_topic=create_topic)
        version = self._check_subject(binding, schema)
        if binding.bound_version is None:
            began = self._began_at(binding) or version
            change = Bind(replace(binding, bound_version=began), replace=replace_existing)
        self._store.change([change], expected_revision=expected_revision, who=author.who, why=author.why)
        return self.binding(binding.topic)

    def _began_at(self, binding: Binding) -> int | None:
        """Return where the binding that this one replaces began, when it is on the same subject."""
        old = self._store.table().get(binding.topic)
        if old is None or (old.cluster, subject_of(old, "value")) != (binding.cluster, subject_of(binding, "value")):
            return None
        return old.bound_version

    def unbind(self, topic: str, author: Author, *, expected_revision: int | None = None) -> int:
        """Unbind a topic and return the revision in force. Raises TopicNotBound, StaleRevision."""
        return self._store.change([Unbind(topic)], expected_revision=expected_revision, who=author.who, why=author.why)

    def derivation(self, topic: str) -> Derivation:
        """Return what the newest version of the source subject, or the pinned one, becomes in Avro.

        Raises TopicNotBound, BindingInvalid for a topic that has no source subject, SchemaNotDerivable, SchemaInvalid
        and the registry's errors.
        """
        binding, registry, source = self._source(topic)
        return self._derivations.of(registry, binding, source)

    def derive(self, topic: str) -> Derivation:
        """Register the same under the wire subject: with that it judges, and lands. Raises the same."""
        binding, registry, source = self._source(topic)
        return self._derivations.register(registry, binding, source)

    def _source(self, topic: str) -> tuple[Binding, CachedRegistry, RegisteredSchema]:
        binding = self.binding(topic)
        if binding.source_subject is None:
            raise BindingInvalid("source_subject", f"is null: nothing is derived for topic {topic!r}")
        registry = self._registries[binding.cluster]
        registry.invalidate(binding.source_subject)
        registry.invalidate(binding.subject)
        version = pinned_version(binding) or registry.versions(binding.source_subject)[-1]
        return binding, registry, registry.registered(binding.source_subject, version)

    def validate(self, request: ProduceRequest) -> Verdict:
        """Judge `request` as a produce would, and send nothing. Raises what producing raises."""
        return self._publisher.check(self._enforcer.bound(request.topic), request)

    def _check_topic(self, binding: Binding, *, create_topic: bool) -> None:
        sink = self._sinks[binding.cluster]
        if sink.has_topic(binding.topic):
            return
        if not create_topic:
            raise TopicAbsent(
                f"Kafka cluster {binding.cluster} has no topic {binding.topic}. "
                f"Create it, or ask for it with create_topic (--create-topic)."
            )
        sink.create_topic(binding.topic)

    def _check_text(self, binding: Binding, schema: Schema) -> None:
        """Check a schema that is not registered yet."""
        registry = self._registries[binding.cluster]
        if binding.source_subject is None:
            check_schema(schema, registry, strictness_of(binding))
        else:
            derive(schema, references_of(registry), options_of(binding))

    def _check_key_subject(self, binding: Binding) -> None:
        """Make sure that the newest version of the key subject, if there is one, can judge keys."""
        if binding.key_subject is None:
            return
        registry = self._registries[binding.cluster]
        registry.invalidate(binding.key_subject)
        newest = registry.registered(binding.key_subject, registry.versions(binding.key_subject)[-1])
        where = f"version {newest.version} of key subject {newest.subject!r}"
        if newest.schema.kind == "PROTOBUF":
            raise BindingInvalid("key_subject", f"{where} is PROTOBUF; keys take a schema of type JSON or AVRO")
        try:
            check_schema(newest.schema, registry, strictness_of(binding))
        except SchemaInvalid as error:
            raise SchemaInvalid(f"{where}: {error.reason}", error.pointer) from error

    def _check_subject(self, binding: Binding, schema: str | None) -> int:
        """Make sure that the version to begin with exists and compiles, and return its number."""
        registry = self._registries[binding.cluster]
        subject, kind = subject_of(binding, "value"), kind_that_judges(binding)
        registered: RegisteredSchema
        if schema is not None:
            registered = registry.register(subject, Schema(schema, kind))
        registry.invalidate(subject)
        versions = registry.versions(subject)
        if (binding.bound_version or 1) > versions[-1]:
            raise BindingInvalid("bound_version", f"{subject!r} has no version {binding.bound_version}")
        pinned = pinned_version(binding)
        if schema is None or pinned is not None:
            registered = registry.registered(subject, pinned or versions[-1])
        if registered.schema.kind != kind:
            raise BindingInvalid(
                "source_subject" if binding.source_subject else "encoding",
                f"{binding.source_subject or binding.encoding!r} needs a schema of type {kind}; version "
                f"{registered.version} of subject {subject!r} is {registered.schema.kind}",
            )
        check_schema(registered.schema, registry, strictness_of(binding))
        if binding.source_subject is not None:
            self._derivations.register(registry, binding, registered)
        return registered.version
