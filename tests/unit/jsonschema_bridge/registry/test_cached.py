import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from jsonschema_bridge.errors import (
    RegistryUnauthorized,
    RegistryUnavailable,
    SchemaNotFound,
    SchemaNotInSubject,
    SubjectNotFound,
)
from jsonschema_bridge.registry import CachedRegistry, Schema
from jsonschema_bridge.registry.cached import start_daemon
from tests.doubles import FrozenClock, HeldBack, RecordingObserver, ScriptedRegistry

STRING = Schema('{"type":"string"}', "JSON")
NUMBER = Schema('{"type":"number"}', "JSON")
SILENCE = RegistryUnavailable("no answer within 2 s")


class Scene:
    """A cache of 5 s and 3 entries before a scripted registry in which subject `s` holds STRING."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.inner = ScriptedRegistry()
        self.observer = RecordingObserver()
        self.background = HeldBack()
        self.inner.content.register("s", STRING)
        self.cache = CachedRegistry(
            self.inner,
            capacity=3,
            clock=self.clock,
            observer=self.observer,
            background=self.background,
        )

    def fail_once(self) -> None:
        """Let the registry fall silent and the cache notice."""
        self.inner.failure = SILENCE
        with pytest.raises(RegistryUnavailable):
            self.cache.ping()

    def together(self, callers: int) -> list[Future[tuple[int, ...]]]:
        """List the versions of `s` from several threads, of which the first is held inside the registry."""
        self.inner.gate = threading.Event()
        with ThreadPoolExecutor(callers) as pool:
            first = pool.submit(self.cache.versions, "s")
            assert self.inner.entered.acquire(timeout=30)
            others = [pool.submit(self.cache.versions, "s") for _ in range(callers - 1)]
            self.inner.gate.set()
        return [first, *others]


@pytest.fixture
def scene() -> Scene:
    return Scene()


class TestWhileUp:
    def test_what_never_changes_is_asked_once(self, scene: Scene) -> None:
        """A schema by id and a version of a subject are kept for ever."""
        for _ in range(3):
            assert scene.cache.schema(1) == STRING
            assert scene.cache.registered("s", 1).schema == STRING
            scene.clock.advance(1_000_000)

        assert scene.inner.calls == {"schema": 1, "registered": 1}

    def test_the_bound_drops_what_was_answered_longest_ago(self, scene: Scene) -> None:
        """Beyond the capacity the oldest answer goes, the others stay."""
        for number in range(3):
            scene.inner.content.register("s", Schema(str(number), "JSON"))
        for schema_id in (1, 2, 3, 4, 2, 3, 4):
            scene.cache.schema(schema_id)
        assert scene.inner.calls["schema"] == 4

        scene.cache.schema(1)

        assert scene.inner.calls["schema"] == 5

    def test_a_new_version_is_seen_after_the_time_to_live(self, scene: Scene) -> None:
        """A list is believed for 5 s and asked again after that."""
        scene.cache.versions("s")
        scene.inner.content.register("s", NUMBER)

        scene.clock.advance(4.9)
        assert scene.cache.versions("s") == (1,)
        scene.clock.advance(0.1)
        assert scene.cache.versions("s") == (1, 2)

    def test_a_registered_version_is_seen_at_once(self, scene: Scene) -> None:
        """Who registers through the cache finds the version in the list and in lookups."""
        scene.cache.versions("s")
        with pytest.raises(SchemaNotInSubject):
            scene.cache.lookup("s", NUMBER)

        entry = scene.cache.register("s", NUMBER)

        assert scene.cache.versions("s") == (1, 2)
        assert scene.cache.lookup("s", NUMBER) == entry

    def test_hits_and_misses_of_lookups_live_as_long_as_lists(self, scene: Scene) -> None:
        """Both verdicts on a schema are asked for once in 5 s."""
        for seconds in (0, 4.9, 0.1):
            scene.clock.advance(seconds)
            assert scene.cache.lookup("s", STRING).version == 1
            with pytest.raises(SchemaNotInSubject):
                scene.cache.lookup("s", NUMBER)

        assert scene.inner.calls["lookup"] == 4

    def test_an_unknown_subject_or_id_is_asked_each_time(self, scene: Scene) -> None:
        """What is not there now may be there in a moment, so its absence is not kept."""
        for _ in range(2):
            with pytest.raises(SubjectNotFound):
                scene.cache.versions("new")
            with pytest.raises(SchemaNotFound):
                scene.cache.schema(99)

        assert scene.inner.calls == {"versions": 2, "schema": 2}

    def test_callers_at_the_same_time_cause_one_call(self, scene: Scene) -> None:
        """While one caller asks, the others wait for the same answer."""
        answers = [future.result() for future in scene.together(8)]

        assert answers == [(1,)] * 8
        assert scene.inner.calls["versions"] == 1

    def test_callers_with_an_expired_answer_do_not_wait_for_the_one_who_asks(self, scene: Scene) -> None:
        """A list that is being renewed is still given, as it was."""
        scene.cache.versions("s")
        assert scene.inner.entered.acquire(timeout=30)
        scene.clock.advance(5)
        scene.inner.gate = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(scene.cache.versions, "s")
            assert scene.inner.entered.acquire(timeout=30)

            assert scene.cache.versions("s") == (1,)

            assert not asking.done()
            scene.inner.gate.set()
        assert scene.observer.stale == []

    def test_an_answer_overtaken_by_an_invalidation_is_not_kept(self, scene: Scene) -> None:
        """A list read before a change and delivered after it does not come back to life."""
        scene.inner.gate = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(scene.cache.versions, "s")
            assert scene.inner.entered.acquire(timeout=30)
            scene.inner.content.register("s", NUMBER)
            scene.cache.invalidate("s")
            scene.inner.gate.set()
            assert asking.result() == (1,)

        assert scene.cache.versions("s") == (1, 2)

    def test_requests_are_told_and_hits_are_not(self, scene: Scene) -> None:
        """The observer hears of each call that reached the registry and of its outcome."""
        scene.cache.versions("s")
        scene.cache.versions("s")
        with pytest.raises(SubjectNotFound):
            scene.cache.versions("new")

        assert scene.observer.requests == [("versions", "ok"), ("versions", "not_found")]

    def test_closing_closes_the_registry(self, scene: Scene) -> None:
        """The cache owns what it stands before."""
        scene.cache.close()

        assert scene.inner.closed


class TestWhileDown:
    def test_an_expired_answer_is_given_and_told(self, scene: Scene) -> None:
        """The list outlives its time, and the observer hears how old it is."""
        scene.cache.versions("s")
        scene.clock.advance(6)
        scene.inner.failure = SILENCE

        assert scene.cache.versions("s") == (1,)
        assert scene.observer.stale == [("versions", 6.0)]
        assert scene.cache.staleness() == 6.0

    def test_without_an_answer_the_error_says_since_when_and_why(self, scene: Scene) -> None:
        """Who has nothing to go by fails at once, without asking, and learns the last reason."""
        scene.fail_once()
        scene.clock.advance(0.5)

        with pytest.raises(RegistryUnavailable, match=r"registry\.test.*down for 0\.5 s.*no answer within 2 s"):
            scene.cache.versions("s")
        assert scene.inner.calls == {"ping": 1}

    def test_all_keys_share_the_wait(self, scene: Scene) -> None:
        """One failure keeps every kind of call from trying for a second."""
        scene.fail_once()

        for call in (
            lambda: scene.cache.schema(1),
            lambda: scene.cache.registered("s", 1),
            lambda: scene.cache.lookup("s", STRING),
            lambda: scene.cache.register("s", STRING),
            scene.cache.ping,
        ):
            with pytest.raises(RegistryUnavailable):
                call()
        assert scene.inner.calls == {"ping": 1}

    def test_nobody_with_a_stale_answer_waits_for_the_next_attempt(self, scene: Scene) -> None:
        """The next attempt is made in the background; what it finds is there for the next caller."""
        scene.cache.versions("s")
        scene.clock.advance(5)
        scene.fail_once()
        scene.clock.advance(1)
        scene.inner.failure = None
        scene.inner.content.register("s", NUMBER)

        assert scene.cache.versions("s") == (1,)
        assert scene.cache.versions("s") == (1,)
        assert len(scene.background.waiting) == 1
        scene.background.run()

        assert scene.cache.versions("s") == (1, 2)
        assert scene.observer.recoveries == 1
        assert scene.cache.staleness() == 0.0

    def test_a_failed_attempt_in_the_background_changes_nothing(self, scene: Scene) -> None:
        """Silence again: the stale answer stays, and the next attempt waits twice as long."""
        scene.cache.versions("s")
        scene.clock.advance(5)
        scene.fail_once()
        scene.clock.advance(1)
        scene.cache.versions("s")
        scene.background.run()

        scene.clock.advance(1.9)
        assert scene.cache.versions("s") == (1,)
        assert scene.background.waiting == []

    def test_waiting_callers_get_the_error_of_the_one_who_asked(self, scene: Scene) -> None:
        """A registry that hangs is paid for once, by all at the same time."""
        scene.inner.failure = SILENCE

        errors = [future.exception() for future in scene.together(4)]

        assert all(isinstance(error, RegistryUnavailable) for error in errors)
        assert scene.inner.calls["versions"] == 1

    def test_a_subject_that_is_gone_is_not_answered_from_memory(self, scene: Scene) -> None:
        """An answer that says no replaces the expired one, also when the registry is down later."""
        scene.cache.versions("s")
        scene.inner.content.delete("s")
        scene.clock.advance(5)
        with pytest.raises(SubjectNotFound):
            scene.cache.versions("s")
        scene.inner.failure = SILENCE

        with pytest.raises(RegistryUnavailable):
            scene.cache.versions("s")

    def test_missing_rights_are_no_outage(self, scene: Scene) -> None:
        """A registry that answers 401 is there: the error goes to the caller and nothing is held back."""
        scene.inner.failure = RegistryUnauthorized("HTTP 401")
        for _ in range(2):
            with pytest.raises(RegistryUnauthorized):
                scene.cache.versions("s")

        assert scene.inner.calls["versions"] == 2
        assert scene.observer.requests == [("versions", "unauthorized")] * 2

    def test_one_lookup_that_breaks_the_registry_is_no_outage(self, scene: Scene) -> None:
        """A producer's odd schema that is answered with a 500 does not cut everybody else off."""
        scene.inner.failure = RegistryUnavailable("HTTP 500", answered=True)
        with pytest.raises(RegistryUnavailable):
            scene.cache.lookup("s", NUMBER)
        scene.inner.failure = None

        assert scene.cache.versions("s") == (1,)

    def test_a_defect_leaves_no_trace(self, scene: Scene) -> None:
        """An error that is not the registry's reaches the caller, and the next call works."""
        scene.inner.failure = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            scene.cache.versions("s")
        scene.inner.failure = None

        assert scene.cache.versions("s") == (1,)

    def test_a_background_that_cannot_be_started_is_tried_again(self) -> None:
        """A process out of threads still answers stale, and a later caller starts the attempt."""
        attempts: list[str] = []

        def out_of_threads(function: object) -> None:
            attempts.append(repr(function))
            raise RuntimeError("can't start new thread")

        clock, inner = FrozenClock(), ScriptedRegistry()
        inner.content.register("s", STRING)
        cache = CachedRegistry(inner, clock=clock, observer=RecordingObserver(), background=out_of_threads)
        cache.versions("s")
        clock.advance(5)
        inner.failure = SILENCE
        cache.versions("s")
        clock.advance(1)

        assert [cache.versions("s"), cache.versions("s")] == [(1,), (1,)]
        assert len(attempts) == 2


def test_the_background_is_a_thread_that_does_not_keep_the_process_alive() -> None:
    """An attempt that nobody waits for runs beside its caller, in a daemon."""
    seen: Future[threading.Thread] = Future()

    start_daemon(lambda: seen.set_result(threading.current_thread()))

    assert seen.result(30).daemon
    assert seen.result() is not threading.current_thread()
