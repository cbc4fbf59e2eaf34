import hashlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from jsonschema_bridge.errors import (
    RegistryError,
    RegistryUnauthorized,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaNotInSubject,
    SchemaRefused,
)
from jsonschema_bridge.registry.answers import FOR_EVER, Answers, Background, Shared
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.model import RegisteredSchema, Schema, SchemaKind, SchemaReference
from jsonschema_bridge.registry.observer import LoggingObserver, RegistryObserver
from jsonschema_bridge.registry.outage import Outage
from jsonschema_bridge.waiting import may_wait

T = TypeVar("T")

_Fingerprint = tuple[SchemaKind, tuple[SchemaReference, ...], bytes]
_Found = tuple[int, int] | None  # version and id of a schema in a subject; None when the subject has no such


def start_daemon(function: Callable[[], None]) -> None:
    """Run a function in a thread of its own that does not keep the process alive."""
    threading.Thread(target=function, daemon=True, name="registry-probe").start()


class CachedRegistry:
    """A Registry before another one: asks rarely, never twice at once, and goes on while the other is down.

    What never changes is kept for ever: a schema by id, a version of a subject (also after it is deleted).
    Version lists and lookups, misses among them, are kept for `ttl` seconds; a change elsewhere is seen no
    later than `ttl` plus the time of one call. Each kind of answer has at most `capacity` entries.

    When the inner registry raises RegistryUnavailable, expired answers are given as they are, without
    waiting; without one the call raises RegistryUnavailable at once, saying since when and why. The registry
    is tried again after 1 s, then 2 s and so on up to 30 s, by one caller. An answer that it cannot serve one
    lookup (5xx) is not taken for an outage: the schema in it, perhaps a producer's, may be the cause.

    `clock` gives seconds and never goes back. `background` starts the attempts that no caller waits for.
    """

    def __init__(
        self,
        inner: Registry,
        *,
        ttl: float = 5.0,
        capacity: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
        observer: RegistryObserver | None = None,
        background: Background = start_daemon,
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._observer = observer if observer is not None else LoggingObserver(inner.identity)
        self._outage = Outage(inner.identity, clock)
        shared = Shared(capacity, clock, self._outage, self._observer, background)
        self._schemas: Answers[int, Schema] = Answers("schema", FOR_EVER, shared)
        self._registered: Answers[tuple[str, int], RegisteredSchema] = Answers("registered", FOR_EVER, shared)
        self._versions: Answers[str, tuple[int, ...]] = Answers("versions", ttl, shared)
        self._lookups: Answers[tuple[str, _Fingerprint], _Found] = Answers("lookup", ttl, shared)

    @property
    def identity(self) -> str:
        return self._inner.identity

    def schema(self, schema_id: int) -> Schema:
        return self._schemas.get(schema_id, lambda: self._reach("schema", lambda: self._inner.schema(schema_id)))

    def versions(self, subject: str) -> tuple[int, ...]:
        return self._versions.get(subject, lambda: self._reach("versions", lambda: self._inner.versions(subject)))

    def registered(self, subject: str, version: int) -> RegisteredSchema:
        return self._registered.get(
            (subject, version),
            lambda: self._reach("registered", lambda: self._inner.registered(subject, version)),
        )

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        def ask() -> _Found:
            try:
                found = self._reach("lookup", lambda: self._inner.lookup(subject, schema))
            except SchemaNotInSubject:
                return None
            return found.version, found.schema_id

        found = self._lookups.get((subject, _fingerprint(schema)), ask)
        if found is None:
            raise SchemaNotInSubject(subject, registry=self.identity)
        return RegisteredSchema(subject, *found, schema)

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        try:
            registered = self._reach("register", lambda: self._inner.register(subject, schema))
        except RegistryUnavailable:
            # It may have been carried out all the same. Until somebody can tell, what was known is better than nothing.
            self._versions.expire(lambda key: key == subject)
            self._lookups.expire(lambda key: key[0] == subject)
            raise
        self.invalidate(subject)
        return registered

    def refresh(self, subject: str) -> tuple[int, ...]:
        """Return the subject's versions as the registry has them now, and forget its lookups.

        When the registry cannot be asked, all that is remembered stays as it is. Raises what `versions` raises.
        """
        found = self._versions.renew(subject, lambda: self._reach("versions", lambda: self._inner.versions(subject)))
        self._lookups.forget(lambda key: key[0] == subject)
        return found

    def invalidate(self, subject: str) -> None:
        """Forget the subject's version list and its lookups: the next call asks the registry."""
        self._versions.forget(lambda key: key == subject)
        self._lookups.forget(lambda key: key[0] == subject)

    def subjects(self) -> list[str]:
        """Return the inner registry's list, which is not kept."""
        return self._reach("subjects", self._inner.subjects)

    def ping(self) -> None:
        """Return when the registry answers; while it is down and not due, fail at once with the reason."""
        self._reach("ping", self._inner.ping)

    def close(self) -> None:
        self._inner.close()

    def staleness(self) -> float:
        """Return the seconds since the registry last answered while it is down, 0.0 while it is up."""
        return self._outage.staleness()

    def _reach(self, operation: str, request: Callable[[], T]) -> T:
        """Ask the registry if it is not known to be down, and note what came of it."""
        may_wait()
        turn = self._outage.claim()
        started = self._clock()
        try:
            answer = request()
        except RegistryUnavailable as error:
            if operation == "lookup" and error.answered:
                self._outage.given_up(turn)
            else:
                self._outage.failed(turn, error.reason)
            self._observer.on_request(operation, "unavailable", self._clock() - started)
            raise
        except RegistryError as error:
            self._note_answer(operation, _outcome(error), started)
            raise
        except BaseException:
            self._outage.given_up(turn)
            raise
        self._note_answer(operation, "ok", started)
        return answer

    def _note_answer(self, operation: str, outcome: str, started: float) -> None:
        recovered = self._outage.answered()
        self._observer.on_request(operation, outcome, self._clock() - started)
        if recovered:
            self._observer.on_recovered()


def _outcome(error: RegistryError) -> str:
    if isinstance(error, RegistryUnauthorized):
        return "unauthorized"
    return "refused" if isinstance(error, SchemaIncompatible | SchemaRefused) else "not_found"


def _fingerprint(schema: Schema) -> _Fingerprint:
    """Return a key with a text of fixed size, since a producer chooses what is looked up and may send much."""
    text = hashlib.sha256(schema.text.encode("utf-8", "surrogatepass")).digest()
    return schema.kind, schema.references, text
