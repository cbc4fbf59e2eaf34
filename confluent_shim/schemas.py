"""Which schema judges the keys or the values of a request: a version of a subject that the binding names."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from confluent_shim.adoption import Adoption, Look, adopt, kind_that_judges, subject_of
from confluent_shim.cache import keep
from confluent_shim.claims import check_claim, claimed_version
from confluent_shim.derivations import Derivations
from confluent_shim.errors import FormatRefused, SchemaForeign, SchemaUnparsable, SinkUnavailable
from confluent_shim.readings import Compiled, Reading, binary, compiled, derived, framed
from confluent_shim.records import Claimed, EmbeddedFormat, Part
from jsonschema_bridge import (
    RegisteredSchema,
    Registry,
    SchemaChange,
    SchemaInvalid,
    SchemaNotDerivable,
    Strictness,
    SubjectNotFound,
    VersionNotFound,
    compile_json_schema,
    references_of,
    schema_changes,
)
from jsonschema_bridge.registry import SchemaKind
from jsonschema_bridge.strictness import CONFLUENT
from jsonschema_bridge.waiting import may_wait
from topic_map import Binding

_UNUSABLE = (SchemaInvalid, SchemaNotDerivable, SubjectNotFound, VersionNotFound)
"""Why a version cannot judge; the last two because of what it refers to."""

Watch = Callable[[Binding, Adoption | None, Adoption], None]
"""Is told which versions a binding takes when that is first found out, and whenever it is not what it was."""


class InForce(NamedTuple):
    """The schema that judges one part of a request, and how it reads the format in which that comes.

    `subject`, `version` and `schema_id` are those of what lands: of derived Avro where a JSON Schema judges.
    `carried_id` is the schema id in every frame that is made here: None where there is no frame, and in binary, where
    each record brings its own. `takes_null` tells whether null conforms to the schema.
    """

    subject: str
    version: int
    schema_id: int
    embedded_format: EmbeddedFormat
    carried_id: int | None
    takes_null: bool
    reading: Reading


class _Taken(NamedTuple):
    """What a binding takes while its subjects have these versions; the Avro that lands instead, where it is derived."""

    binding: Binding
    versions: Sequence[int]
    wire_versions: Sequence[int] | None
    adoption: Adoption
    wires: Mapping[int, RegisteredSchema] | None


class Schemas:
    """Finds the schema that is in force for a binding; for each use a schema id is compiled once.

    `derivations` is what derives Avro where that lands.
    """

    def __init__(
        self, registries: Mapping[str, Registry], derivations: Derivations, watch: Watch = lambda *_: None
    ) -> None:
        self._registries = registries
        self.derivations = derivations
        self._watch = watch
        self._derived: dict[tuple[str, int, int, Strictness], Compiled] = {}
        self._compiled: dict[tuple[str, int, SchemaKind, Part, bool, Strictness], Compiled | SchemaInvalid] = {}
        self._changes: dict[tuple[str, int, int], Sequence[SchemaChange]] = {}
        self._taken: dict[tuple[str, Part], _Taken] = {}
        self._current: dict[tuple[str, Part, EmbeddedFormat | None], tuple[_Taken, InForce]] = {}

    def registry(self, binding: Binding) -> Registry:
        """Return the registry of a binding's cluster. Raises SinkUnavailable when that is not configured."""
        registry = self._registries.get(binding.cluster)
        if registry is None:
            raise SinkUnavailable(
                f"topic {binding.topic} is bound on cluster {binding.cluster}, which the settings no longer name; "
                f"nothing of this request was sent"
            )
        return registry

    def in_force(
        self, binding: Binding, part: Part, embedded_format: EmbeddedFormat | None, claimed: Claimed
    ) -> InForce:
        """Return the version that `binding` takes and the request names; without a name it is the current one.

        Where no embedded format is named it is the schema's own. Raises SchemaForeign, SchemaUnknown, SchemaUnparsable,
        SchemaInvalid, FormatRefused, SinkUnavailable for a cluster that is not configured, and the registry's errors.
        """
        registry = self.registry(binding)
        taken = self._now(registry, binding, part)
        current = self._current.get((binding.topic, part, embedded_format))
        if current is not None and current[0] is taken and not claimed:
            return current[1]  # what most requests ask for, and nothing has changed since it was asked last
        schema = self._found(registry, binding, part, embedded_format, claimed, taken)
        if not claimed:
            keep(self._current, (binding.topic, part, embedded_format), (taken, schema))
        return schema

    def adoption(self, binding: Binding, *, registered: bool = True) -> Adoption:
        """Return which versions a binding takes for values; with all Avro taken for `registered` if that is false.

        Raises SinkUnavailable for a cluster that is not configured, and the registry's errors.
        """
        registry = self.registry(binding)
        if registered:
            return self._now(registry, binding, "value").adoption
        return self._adopted(registry, binding, registry.versions(subject_of(binding, "value")), registered=False)

    def changes(self, binding: Binding, old: RegisteredSchema, new: RegisteredSchema) -> Sequence[SchemaChange]:
        """Return what changed between two versions of a subject. Raises SchemaInvalid, the registry's errors."""
        known = (binding.cluster, old.schema_id, new.schema_id)
        found = self._changes.get(known)
        if found is None:
            found = schema_changes(old.schema, new.schema, references_of(self.registry(binding)))
            keep(self._changes, known, found)
        return found

    def _now(self, registry: Registry, binding: Binding, part: Part) -> _Taken:
        """Return what a binding takes, found out anew when the registry has been asked again."""
        versions = registry.versions(subject_of(binding, part))
        wire_versions = registry.versions(binding.subject) if _is_derived(binding, part) else None
        before = self._taken.get((binding.topic, part))
        if (
            before is not None
            and before.binding is binding
            and before.versions is versions
            and before.wire_versions is wire_versions
        ):
            return before
        may_wait()
        if part == "key":  # `pinned N` counts the versions of the other subject
            adoption = Adoption(versions if binding.versions == "any" else versions[-1:])
        else:
            adoption = self._adopted(registry, binding, versions, registered=True)
        wires = self._wires(registry, binding, adoption) if _is_derived(binding, part) else None
        if wires is not None:
            adoption = adoption._replace(taken=tuple(wires))
        taken = _Taken(binding, versions, wire_versions, adoption, wires)
        if part == "value" and (before is None or before.adoption != adoption):
            self._watch(binding, before.adoption if before else None, adoption)
        return keep(self._taken, (binding.topic, part), taken)

    def _adopted(self, registry: Registry, binding: Binding, versions: Sequence[int], *, registered: bool) -> Adoption:
        look = Look(
            registered=partial(registry.registered, subject_of(binding, "value")),
            unusable=partial(self._unusable, registry, binding),
            changes=partial(self.changes, binding),
        )
        if registered and binding.source_subject is not None:
            look = look._replace(waits=partial(self._waits, registry, binding))
        return adopt(binding, versions, look)

    def _unusable(self, registry: Registry, binding: Binding, found: RegisteredSchema) -> str | None:
        """Say why a version cannot judge values."""
        try:
            if binding.source_subject is None:
                self._of(registry, binding, "value", found, found)
            elif (wire := self.derivations.of(registry, binding, found).wire) is not None:
                self._of(registry, binding, "value", found, wire)
        except _UNUSABLE as error:
            return str(error)
        return None

    def _waits(self, registry: Registry, binding: Binding, found: RegisteredSchema) -> str | None:
        """Say what a version of the source subject still waits for."""
        if self.derivations.of(registry, binding, found).wire is not None:
            return None
        return f"the Avro derived from it is not registered: confluent-shim bindings derive {binding.topic}"

    def _wires(self, registry: Registry, binding: Binding, adoption: Adoption) -> dict[int, RegisteredSchema]:
        """Return what lands instead, by the versions that are taken."""
        found: dict[int, RegisteredSchema] = {}
        for version in adoption.taken:
            source = registry.registered(subject_of(binding, "value"), version)
            wire = self.derivations.of(registry, binding, source).wire
            if wire is not None:  # else it has been deleted in between
                found[version] = wire
        return found

    def _found(
        self,
        registry: Registry,
        binding: Binding,
        part: Part,
        embedded_format: EmbeddedFormat | None,
        claimed: Claimed,
        now: _Taken,
    ) -> InForce:
        subject, taken, wires = subject_of(binding, part), now.adoption.taken, now.wires
        if not taken:
            raise _nothing_taken(binding, subject, now.adoption)
        if claimed:
            numbered = now.versions if claimed.subject in (None, subject) else registry.versions(binding.subject)
            try:
                check_claim(binding, part, numbered, claimed)
                found = claimed_version(registry, binding, part, taken, claimed, wires)
            except (SchemaForeign, SchemaUnparsable):
                # That a format is not taken says more than that its schema is none of these.
                self._found(registry, binding, part, embedded_format, Claimed(), now)
                raise
        else:
            found = registry.registered(subject, taken[-1])
        lands = found if wires is None else wires[found.version]
        schema = self._of(registry, binding, part, found, lands)
        if embedded_format == "binary":
            named = [found] if claimed else [registry.registered(subject, version) for version in taken]
            landing = named if wires is None else [wires[each.version] for each in named]
            in_binary = self._binary(registry, binding, part, dict(zip(landing, named, strict=True)))
            return InForce(lands.subject, lands.version, lands.schema_id, "binary", None, schema.takes_null, in_binary)
        form = embedded_format or schema.own_format
        reading = schema.readings.get(form)
        if reading is None:
            raise _format_refused(binding, part, schema, form)
        return InForce(
            lands.subject, lands.version, lands.schema_id, form, schema.carried_id, schema.takes_null, reading
        )

    def _of(
        self, registry: Registry, binding: Binding, part: Part, found: RegisteredSchema, lands: RegisteredSchema
    ) -> Compiled:
        use = binding.encoding if part == "value" else "key"
        if not _suits(found, binding, part):
            # An Avro schema's text may well be a JSON Schema too, of another meaning.
            raise SchemaInvalid(
                f"version {found.version} of subject {found.subject!r} is {found.schema.kind}, which does not suit "
                f"the {part}s of topic {binding.topic!r} (encoding = {use})"
            )
        strictness = strictness_of(binding)
        if not _is_derived(binding, part):
            return self.compiled(registry, binding.cluster, found, part, strictness, framed=_framed(binding, part))
        known = (binding.cluster, found.schema_id, lands.schema_id, strictness)
        schema = self._derived.get(known)
        if schema is None:
            may_wait()
            form = self.derivations.of(registry, binding, found).form
            validator = compile_json_schema(found.schema, references_of(registry), strictness)
            schema = keep(self._derived, known, derived(validator, form, lands.schema_id))
        return schema

    def compiled(
        self,
        registry: Registry,
        cluster: str,
        found: RegisteredSchema,
        part: Part,
        strictness: Strictness = CONFLUENT,
        *,
        framed: bool = True,
    ) -> Compiled:
        """Return what a registered schema means for keys or values, with or without a frame.

        Raises SchemaInvalid, and the registry's errors.
        """
        # Some registries give one id to the same text as JSON Schema and as Avro.
        known = (cluster, found.schema_id, found.schema.kind, part, framed, strictness)
        schema = self._compiled.get(known)
        if schema is None:
            may_wait()
            try:
                schema = compiled(found.schema, registry, part, found.schema_id if framed else None, strictness)
            except SchemaInvalid as error:
                schema = error
            keep(self._compiled, known, schema)
        if isinstance(schema, SchemaInvalid):
            raise schema.with_traceback(None)  # it was raised before, and would remember that
        return schema

    def _binary(
        self, registry: Registry, binding: Binding, part: Part, judges: Mapping[RegisteredSchema, RegisteredSchema]
    ) -> Reading:
        """Return how bytes are read: by what `judges` the schema that their frame names.

        Bytes without a frame are judged by the last of them.
        """
        null = part == "value" and binding.nulls == "validate"
        *_, last = judges
        if not _framed(binding, part):
            schema = self._of(registry, binding, part, judges[last], last)
            return binary(lambda sent: (schema, sent), null=null)
        by_id = {each.schema_id: each for each in judges if _suits(judges[each], binding, part)}

        def schema_of(schema_id: int) -> Compiled | None:
            named = by_id.get(schema_id)
            return None if named is None else self._of(registry, binding, part, judges[named], named)

        taken = f"one of the {len(judges)} versions of subject {last.subject}"
        if len(judges) == 1:
            taken = f"version {last.version} of subject {last.subject}, which has id {last.schema_id}"
        return binary(framed(schema_of, taken), null=null)


def strictness_of(binding: Binding) -> Strictness:
    """Return how strictly the JSON Schemas of a binding are read."""
    return Strictness(binding.unknown_fields, binding.whole_floats, binding.large_integers, binding.formats)


def _is_derived(binding: Binding, part: Part) -> bool:
    return part == "value" and binding.source_subject is not None


def _framed(binding: Binding, part: Part) -> bool:
    return part == "key" or binding.encoding != "json"


def _suits(found: RegisteredSchema, binding: Binding, part: Part) -> bool:
    if part == "key":
        return found.schema.kind in ("JSON", "AVRO")
    return found.schema.kind == kind_that_judges(binding)


def _format_refused(binding: Binding, part: Part, schema: Compiled, embedded_format: str) -> FormatRefused:
    *names, last = sorted({*schema.readings, "binary"} - {"string"})  # a string is JSON of one type
    return FormatRefused(
        f"The {part}s of topic {binding.topic} are bound to subject {subject_of(binding, part)}, which takes them in "
        f"the embedded formats {', '.join(names)} and {last}, not in {embedded_format}."
    )


def _nothing_taken(binding: Binding, subject: str, adoption: Adoption) -> SchemaForeign | SchemaInvalid:
    if adoption.not_adopted:
        newest = adoption.not_adopted[-1]
        return SchemaInvalid(f"version {newest.found.version} of subject {subject!r}: {newest.reason}")
    return SchemaForeign(
        f"Subject {subject} has no version that the binding of {binding.topic} takes (versions = {binding.versions})."
    )
