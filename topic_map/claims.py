"""Which subjects a binding claims, and what a subject's identity is."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from topic_map.binding import Binding

Role = Literal["wire", "source", "key"]

DEFAULT_CONTEXT = "."


class SubjectId(NamedTuple):
    """What makes two subjects the same: the registry, the context in it, and the name in that."""

    registry: str
    context: str
    name: str


class Claim(NamedTuple):
    """The topic that a subject belongs to, and what the subject is to it."""

    topic: str
    role: Role


def subject_id(registry: str, subject: str) -> SubjectId:
    """Return the identity of a subject as Schema Registry spells it: ``name``, or ``:.context:name``.

    ``:.:name`` and ``name`` are the same subject: both stand in the default context ``.``.
    """
    if not subject.startswith(":."):
        return SubjectId(registry, DEFAULT_CONTEXT, subject)
    context, _, name = subject[1:].partition(":")
    return SubjectId(registry, context, name)


def claims_of(binding: Binding, registries: Mapping[str, str]) -> Iterator[tuple[SubjectId, Claim]]:
    """Yield what the binding claims; ``registries`` names each cluster's registry.

    A cluster that the settings no longer name is a registry of its own: its rows can be read and unbound.
    """
    registry = registries.get(binding.cluster, f"unknown cluster {binding.cluster}")
    yield subject_id(registry, binding.subject), Claim(binding.topic, "wire")
    if binding.source_subject is not None:
        yield subject_id(registry, binding.source_subject), Claim(binding.topic, "source")
    if binding.key_subject is not None:
        yield subject_id(registry, binding.key_subject), Claim(binding.topic, "key")
