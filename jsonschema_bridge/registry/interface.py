from typing import Protocol

from jsonschema_bridge.registry.model import RegisteredSchema, Schema


class Registry(Protocol):
    """A schema registry with Confluent's meaning of subject, version and id.

    Safe to call from many threads. Every call returns or raises within the implementation's timeout.
    Besides the errors named at each method, each may raise RegistryUnavailable (no usable answer) and
    RegistryUnauthorized; no other error leaves a method.
    """

    @property
    def identity(self) -> str:
        """What tells one registry from another: its URL without credentials and trailing slash."""
        ...

    def schema(self, schema_id: int) -> Schema:
        """Return the schema with this id, also when every version that has it is deleted.

        Raises SchemaNotFound.
        """
        ...

    def versions(self, subject: str) -> tuple[int, ...]:
        """Return the subject's versions, ascending, without the deleted ones; never empty.

        Raises SubjectNotFound, also when all versions are deleted.
        """
        ...

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        """Return one version of a subject, which must not be deleted.

        Raises VersionNotFound, or SubjectNotFound when the subject has no version at all.
        """
        ...

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        """Return the version of the subject that is this schema; its `schema` is the one that was passed.

        The same text is always found. Whether another spelling of it (white space, order) is found too is
        the registry's affair. Raises SchemaNotInSubject, SubjectNotFound, or SchemaRefused when the registry
        cannot read the schema.
        """
        ...

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        """Make the schema the subject's next version, creating the subject; for administration only.

        A schema that the subject already holds is answered with the version it has. Raises
        SchemaIncompatible, or SchemaRefused.
        """
        ...

    def subjects(self) -> list[str]:
        """Return the subjects that have a version that is not deleted, as far as the registry lists them.

        A registry may list some only, or those of its default context: what is missing here may be there.
        """
        ...

    def ping(self) -> None:
        """Return when the registry answers; asks for nothing that depends on its content."""
        ...

    def close(self) -> None:
        """Give up connections; the registry is not used afterwards. May be called again."""
        ...
