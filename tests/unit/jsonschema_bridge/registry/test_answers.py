import pytest

from jsonschema_bridge.errors import (
    RegistryUnauthorized,
    RegistryUnavailable,
    SubjectNotFound,
)
from jsonschema_bridge.registry import CachedRegistry
from tests.doubles import NUMBER, SILENCE, STRING, CacheScene, FrozenClock, RecordingObserver, ScriptedRegistry


@pytest.fixture
def scene() -> CacheScene:
    return CacheScene()


class TestWhileDown:
    def test_an_expired_answer_is_given_and_told(self, scene: CacheScene) -> None:
        """The list outlives its time, and the observer hears how old it is."""
        scene.cache.versions("s")
        scene.clock.advance(6)
        scene.inner.failure = SILENCE

        assert scene.cache.versions("s") == (1,)
        assert scene.observer.stale == [("versions", 6.0)]
        assert scene.cache.staleness() == 6.0

    def test_without_an_answer_the_error_says_since_when_and_why(self, scene: CacheScene) -> None:
        """Who has nothing to go by fails at once, without asking, and learns the last reason."""
        scene.fail_once()
        scene.clock.advance(0.5)

        with pytest.raises(RegistryUnavailable, match=r"registry\.test.*down for 0\.5 s.*no answer within 2 s"):
            scene.cache.versions("s")
        assert scene.inner.calls == {"ping": 1}

    def test_all_keys_share_the_wait(self, scene: CacheScene) -> None:
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

    def test_nobody_with_a_stale_answer_waits_for_the_next_attempt(self, scene: CacheScene) -> None:
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

    def test_a_failed_attempt_in_the_background_changes_nothing(self, scene: CacheScene) -> None:
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

    def test_waiting_callers_get_the_error_of_the_one_who_asked(self, scene: CacheScene) -> None:
        """A registry that hangs is paid for once, by all at the same time."""
        scene.inner.failure = SILENCE

        errors = [future.exception() for future in scene.together(4)]

        assert all(isinstance(error, RegistryUnavailable) for error in errors)
        assert scene.inner.calls["versions"] == 1

    def test_who_asks_anew_or_registers_takes_nothing_from_the_others(self, scene: CacheScene) -> None:
        """They fail, and what was known judges on."""
        scene.cache.versions("s")
        scene.cache.lookup("s", STRING)
        scene.inner.failure = SILENCE
        for call in (lambda: scene.cache.refresh("s"), lambda: scene.cache.register("s", NUMBER)):
            with pytest.raises(RegistryUnavailable):
                call()

        assert scene.cache.versions("s") == (1,)
        assert scene.cache.lookup("s", STRING).version == 1

    def test_what_may_have_been_registered_is_asked_for_when_the_registry_is_back(self, scene: CacheScene) -> None:
        """A request that timed out may have been carried out."""
        scene.cache.versions("s")
        scene.inner.failure = SILENCE
        with pytest.raises(RegistryUnavailable):
            scene.cache.register("s", NUMBER)
        scene.inner.failure = None
        scene.inner.content.register("s", NUMBER)
        scene.clock.advance(1)
        scene.cache.ping()

        assert scene.cache.versions("s") == (1, 2)

    def test_a_subject_that_is_gone_is_not_answered_from_memory(self, scene: CacheScene) -> None:
        """An answer that says no replaces the expired one, also when the registry is down later."""
        scene.cache.versions("s")
        scene.inner.content.delete("s")
        scene.clock.advance(5)
        with pytest.raises(SubjectNotFound):
            scene.cache.versions("s")
        scene.inner.failure = SILENCE

        with pytest.raises(RegistryUnavailable):
            scene.cache.versions("s")

    def test_missing_rights_are_no_outage(self, scene: CacheScene) -> None:
        """A registry that answers 401 is there: the error goes to the caller and nothing is held back."""
        scene.inner.failure = RegistryUnauthorized("HTTP 401")
        for _ in range(2):
            with pytest.raises(RegistryUnauthorized):
                scene.cache.versions("s")

        assert scene.inner.calls["versions"] == 2
        assert scene.observer.requests == [("versions", "unauthorized")] * 2

    def test_one_lookup_that_breaks_the_registry_is_no_outage(self, scene: CacheScene) -> None:
        """A producer's odd schema that is answered with a 500 does not cut everybody else off."""
        scene.inner.failure = RegistryUnavailable("HTTP 500", answered=True)
        with pytest.raises(RegistryUnavailable):
            scene.cache.lookup("s", NUMBER)
        scene.inner.failure = None

        assert scene.cache.versions("s") == (1,)

    def test_a_defect_leaves_no_trace(self, scene: CacheScene) -> None:
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
