"""Binding and unbinding with the checks that stand before a change: topic, subject, schema."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from confluent_shim.adoption import subject_of
from confluent_shim.derivations import Derivation
from confluent_shim.enforcement import Enforcer, Verdict
from confluent_shim.errors import TopicAbsent
from confluent_shim.publishing import Publisher
from confluent_shim.records import ProduceRequest
from confluent_shim.registering import Registering, VersionsNow
from confluent_shim.sinks import Sink
from topic_map import (
    Bind,
    Binding,
    HistoryEntry,
    StaleRevision,
    Store,
    Table,
    TopicNotBound,
    Unbind,
    apply_changes,
    check,
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
        identities: Mapping[str, str],
        sinks: Mapping[str, Sink],
        enforcer: Enforcer,
        publisher: Publisher,
        registering: Registering,
    ) -> None:
        self._store = store
        self._identities = identities
        self._sinks = sinks
        self._enforcer = enforcer
        self._publisher = publisher
        self._registering = registering

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
        Raises BindingInvalid, TopicTaken, SubjectTaken, StaleRevision, TopicAbsent, SchemaInvalid,
        SchemaNotDerivable, SchemaIncompatible and the registry's other errors.
        """
        binding = check(binding)
        change = Bind(binding, replace=replace_existing)
        # What the table or the schema's own text refuses must not leave a registered version or a new topic behind.
        before = self._store.table()
        if expected_revision is not None and expected_revision != before.revision:
            raise StaleRevision(expected_revision, before.revision)
        apply_changes(before, [change], self._identities)
        if binding.bound_version is None:
            binding = replace(binding, bound_version=self._began_at(binding))
        if schema is not None:
            self._registering.check_text(binding, schema)
        self._registering.check_key_subject(binding)
        self._check_topic(binding, create_topic=create_topic)
        version = self._registering.begin(binding, schema)
        began = binding.bound_version or version
        change = Bind(replace(binding, bound_version=began), replace=replace_existing)
        self._store.change([change], expected_revision=expected_revision, who=author.who, why=author.why)
        return self.binding(binding.topic)

    def _began_at(self, binding: Binding) -> int | None:
        """Return where a binding begins that replaces one on the same subject: there where that one began.

        With another rule for versions it begins at the version that is in force: a new rule shall not bring back an
        older one.
        """
        old = self._store.table().get(binding.topic)
        if old is None or (old.cluster, subject_of(old, "value")) != (binding.cluster, subject_of(binding, "value")):
            return None
        if (old.compatibility, old.versions) == (binding.compatibility, binding.versions):
            return old.bound_version
        now = self._registering.versions(old).in_force
        return old.bound_version if now is None else now.version

    def unbind(self, topic: str, author: Author, *, expected_revision: int | None = None) -> int:
        """Unbind a topic and return the revision in force. Raises TopicNotBound, StaleRevision."""
        return self._store.change([Unbind(topic)], expected_revision=expected_revision, who=author.who, why=author.why)

    def derivation(self, topic: str) -> Derivation:
        """Return what is derived for `topic`. Raises TopicNotBound, and what Registering.derivation raises."""
        return self._registering.derivation(self.binding(topic))

    def derive(self, topic: str) -> Derivation:
        """Register the same. Raises TopicNotBound, and what Registering.derive raises."""
        return self._registering.derive(self.binding(topic))

    def versions(self, topic: str) -> VersionsNow:
        """Return which versions are in force for `topic`. Raises TopicNotBound and the registry's errors."""
        return self._registering.versions(self.binding(topic))

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
