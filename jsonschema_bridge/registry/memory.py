import json
import threading
from collections.abc import Iterator

from jsonschema_bridge.errors import (
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry.model import RegisteredSchema, Schema


class MemoryRegistry:
    """A Registry in this process: ids, versions and soft deletes as Confluent has them.

    Schemas are compared by their text and references. Compatibility is not checked, so SchemaIncompatible
    is never raised; a schema is refused when it is no JSON or refers to a version that is not there.
    """

    def __init__(self, identity: str = "memory:") -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._schemas: dict[int, Schema] = {}
        self._ids: dict[Schema, int] = {}
        self._subjects: dict[str, list[RegisteredSchema]] = {}
        self._deleted: set[tuple[str, int]] = set()

    @property
    def identity(self) -> str:
        return self._identity

    def schema(self, schema_id: int) -> Schema:
        with self._lock:
            try:
                return self._schemas[schema_id]
            except KeyError:
                raise SchemaNotFound(schema_id, registry=self._identity) from None

    def versions(self, subject: str) -> tuple[int, ...]:
        with self._lock:
            return tuple(entry.version for entry in self._present(subject))

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        with self._lock:
            for entry in self._present(subject):
                if entry.version == version:
                    return entry
        raise VersionNotFound(subject, version, registry=self._identity)

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        with self._lock:
            for entry in self._present(subject):
                if entry.schema == schema:
                    return entry
        raise SchemaNotInSubject(subject, registry=self._identity)

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        with self._lock:
            for entry in self._entries(subject):
                if entry.schema == schema:
                    return entry
            self._check(subject, schema)
            schema_id = self._ids.setdefault(schema, len(self._ids) + 1)
            self._schemas[schema_id] = schema
            versions = self._subjects.setdefault(subject, [])
            entry = RegisteredSchema(subject, len(versions) + 1, schema_id, schema)
            versions.append(entry)
            return entry

    def delete(self, subject: str, version: int | None = None) -> tuple[int, ...]:
        """Soft-delete one version, or all of them, and return which: they can still be read by id.

        Raises SubjectNotFound or VersionNotFound.
        """
        with self._lock:
            doomed = [entry.version for entry in self._present(subject) if version is None or entry.version == version]
            self._deleted.update((subject, each) for each in doomed)
        if version is not None and not doomed:
            raise VersionNotFound(subject, version, registry=self._identity)
        return tuple(doomed)

    def subjects(self) -> list[str]:
        """Return the subjects that have a version, in alphabetical order."""
        with self._lock:
            return sorted(subject for subject in self._subjects if any(self._entries(subject)))

    def ping(self) -> None:
        """Return at once: there is nobody to ask."""

    def close(self) -> None:
        """Do nothing: the content lives as long as the object."""

    def _entries(self, subject: str) -> Iterator[RegisteredSchema]:
        for entry in self._subjects.get(subject, ()):
            if (subject, entry.version) not in self._deleted:
                yield entry

    def _present(self, subject: str) -> list[RegisteredSchema]:
        entries = list(self._entries(subject))
        if not entries:
            raise SubjectNotFound(subject, registry=self._identity)
        return entries

    def _check(self, subject: str, schema: Schema) -> None:
        if schema.kind != "PROTOBUF":
            try:
                json.loads(schema.text)
            except ValueError as error:
                raise SchemaRefused(subject, f"it is no JSON: {error}", registry=self._identity) from error
        for reference in schema.references:
            if not any(entry.version == reference.version for entry in self._entries(reference.subject)):
                message = f"it refers to {reference.subject!r} version {reference.version}, which is not there"
                raise SchemaRefused(subject, message, registry=self._identity)
