"""Which bound topics and subjects are there, as whole lists tell: one question for each Kafka and each registry."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from confluent_shim.errors import MetadataForbidden, MetadataUnavailable, TopicNotHosted
from confluent_shim.sinks import Sink
from jsonschema_bridge import RegistryError, SubjectNotFound
from jsonschema_bridge.registry import CachedRegistry
from topic_map import Binding, Store

SECONDS = 30.0
"""How long an answer is given again: probes come often, and what is gone stays so for a while."""

_MOST_CONFIRMED = 100
_MOST_TOLD = 20
_DEFAULT_CONTEXT = ":.:"


class Absences(msgspec.Struct, frozen=True):
    """What is not there: `gone` says it of each topic of whose binding something is missing.

    `unasked` says which parts did not answer, so that nothing is known of what they hold.
    """

    gone: dict[str, list[str]] = {}
    unasked: list[str] = []


class Inventory:
    """Compares the topic map with what Kafka and the registries hold. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        registries: Mapping[str, CachedRegistry],
        sinks: Mapping[str, Sink],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._registries = registries
        self._sinks = sinks
        self._clock = clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._revision = -1
        self._found = Absences()

    def absences(self) -> Absences:
        """Return what is gone now, or was within the last SECONDS. Raises TopicMapError."""
        table = self._store.table()
        with self._lock:
            if self._revision != table.revision or self._clock() >= self._until:
                self._found = self._look(list(table.bindings.values()))
                self._revision, self._until = table.revision, self._clock() + SECONDS
            return self._found

    def _look(self, bindings: Sequence[Binding]) -> Absences:
        gone: dict[str, list[str]] = {}
        unasked: list[str] = []
        for name in sorted({binding.cluster for binding in bindings}):
            those = [binding for binding in bindings if binding.cluster == name]
            topics = _asked(f"kafka {name}", partial(self._topics, name), unasked)
            absent = _asked(f"registry {name}", partial(self._absent, name, those), unasked)
            for binding in those:
                missing = [] if topics is None or binding.topic in topics else ["topic"]
                missing += [f"subject {each}" for each in _subjects_of(binding) if absent and each in absent]
                if missing:
                    gone[binding.topic] = missing
        return Absences(dict(sorted(gone.items())), unasked)

    def _topics(self, cluster: str) -> Collection[str]:
        return self._sinks[cluster].metadata.read().topics

    def _absent(self, cluster: str, bindings: Sequence[Binding]) -> Collection[str]:
        """Return those subjects of `bindings` that the registry does not have.

        A list may be cut, or leave out other contexts: the first of those that are not in it are asked for.
        """
        registry = self._registries[cluster]
        listed = set(map(_bare, registry.subjects()))
        absent = [each for binding in bindings for each in _subjects_of(binding) if _bare(each) not in listed]
        there = {each for each in absent[:_MOST_CONFIRMED] if _has(registry, each)}
        return set(absent) - there


def _asked(part: str, question: Callable[[], Collection[str]], unasked: list[str]) -> Collection[str] | None:
    try:
        return question()
    except KeyError:
        unasked.append(f"{part}: the settings have no such cluster")
    except (MetadataUnavailable, MetadataForbidden, TopicNotHosted, RegistryError) as error:
        unasked.append(f"{part}: {error}")
    return None


def _has(registry: CachedRegistry, subject: str) -> bool:
    try:
        return bool(registry.versions(subject))
    except SubjectNotFound:
        return False


def _subjects_of(binding: Binding) -> Iterator[str]:
    yield from (each for each in (binding.subject, binding.source_subject, binding.key_subject) if each)


def _bare(subject: str) -> str:
    """Return the name of a subject without the default context, which may be written or not."""
    return subject.removeprefix(_DEFAULT_CONTEXT)


def in_words(absences: Absences) -> str:
    """Say in a line what is gone, "ok" where nothing is."""
    told = [f"{topic}: {', '.join(missing)} gone" for topic, missing in absences.gone.items()]
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return "; ".join([*told[:_MOST_TOLD], *more, *(f"unknown: {part}" for part in absences.unasked)]) or "ok"
