import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from jsonschema_bridge.errors import (
    SchemaNotFound,
    SchemaNotInSubject,
    SubjectNotFound,
)
from jsonschema_bridge.registry import Schema
from jsonschema_bridge.registry.cached import start_daemon
from tests.doubles import NUMBER, STRING, CacheScene


@pytest.fixture
def scene() -> CacheScene:
    return CacheScene()


class TestWhileUp:
    def test_what_never_changes_is_asked_once(self, scene: CacheScene) -> None:
        """A schema by id and a version of a subject are kept for ever."""
        for _ in range(3):
            assert scene.cache.schema(1) == STRING
            assert scene.cache.registered("s", 1).schema == STRING
            scene.clock.advance(1_000_000)

        assert scene.inner.calls == {"schema": 1, "registered": 1}

    def test_the_bound_drops_what_was_answered_longest_ago(self, scene: CacheScene) -> None:
        """Beyond the capacity the oldest answer goes, the others stay."""
        for number in range(3):
            scene.inner.content.register("s", Schema(str(number), "JSON"))
        for schema_id in (1, 2, 3, 4, 2, 3, 4):
            scene.cache.schema(schema_id)
        assert scene.inner.calls["schema"] == 4

        scene.cache.schema(1)

        assert scene.inner.calls["schema"] == 5

    def test_a_new_version_is_seen_after_the_time_to_live(self, scene: CacheScene) -> None:
        """A list is believed for 5 s and asked again after that."""
        scene.cache.versions("s")
        scene.inner.content.register("s", NUMBER)

        scene.clock.advance(4.9)
        assert scene.cache.versions("s") == (1,)
        scene.clock.advance(0.1)
        assert scene.cache.versions("s") == (1, 2)

    def test_a_registered_version_is_seen_at_once(self, scene: CacheScene) -> None:
        """Who registers through the cache finds the version in the list and in lookups."""
        scene.cache.versions("s")
        with pytest.raises(SchemaNotInSubject):
            scene.cache.lookup("s", NUMBER)

        entry = scene.cache.register("s", NUMBER)

        assert scene.cache.versions("s") == (1, 2)
        assert scene.cache.lookup("s", NUMBER) == entry

    def test_hits_and_misses_of_lookups_live_as_long_as_lists(self, scene: CacheScene) -> None:
        """Both verdicts on a schema are asked for once in 5 s."""
        for seconds in (0, 4.9, 0.1):
            scene.clock.advance(seconds)
            assert scene.cache.lookup("s", STRING).version == 1
            with pytest.raises(SchemaNotInSubject):
                scene.cache.lookup("s", NUMBER)

        assert scene.inner.calls["lookup"] == 4

    def test_an_unknown_subject_or_id_is_asked_each_time(self, scene: CacheScene) -> None:
        """What is not there now may be there in a moment, so its absence is not kept."""
        for _ in range(2):
            with pytest.raises(SubjectNotFound):
                scene.cache.versions("new")
            with pytest.raises(SchemaNotFound):
                scene.cache.schema(99)

        assert scene.inner.calls == {"versions": 2, "schema": 2}

    def test_callers_at_the_same_time_cause_one_call(self, scene: CacheScene) -> None:
        """While one caller asks, the others wait for the same answer."""
        answers = [future.result() for future in scene.together(8)]

        assert answers == [(1,)] * 8
        assert scene.inner.calls["versions"] == 1

    def test_callers_with_an_expired_answer_do_not_wait_for_the_one_who_asks(self, scene: CacheScene) -> None:
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

    def test_an_answer_overtaken_by_an_invalidation_is_not_kept(self, scene: CacheScene) -> None:
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

    def test_a_refreshed_list_is_the_newest_and_its_lookups_are_asked_anew(self, scene: CacheScene) -> None:
        """Whatever is still fresh, or on its way."""
        assert scene.cache.versions("s") == (1,)
        with pytest.raises(SchemaNotInSubject):
            scene.cache.lookup("s", NUMBER)
        scene.inner.content.register("s", NUMBER)

        assert scene.cache.refresh("s") == (1, 2)
        assert scene.cache.versions("s") == (1, 2)
        assert scene.cache.lookup("s", NUMBER).version == 2

    def test_a_list_that_is_on_its_way_does_not_replace_a_refreshed_one(self, scene: CacheScene) -> None:
        """It may have been read before."""
        scene.inner.gate = gate = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(scene.cache.versions, "s")
            assert scene.inner.entered.acquire(timeout=30)
            scene.inner.content.register("s", NUMBER)
            scene.inner.gate = None
            assert scene.cache.refresh("s") == (1, 2)
            gate.set()
            asking.result()

        assert scene.cache.versions("s") == (1, 2)

    def test_requests_are_told_and_hits_are_not(self, scene: CacheScene) -> None:
        """The observer hears of each call that reached the registry and of its outcome."""
        scene.cache.versions("s")
        scene.cache.versions("s")
        with pytest.raises(SubjectNotFound):
            scene.cache.versions("new")

        assert scene.observer.requests == [("versions", "ok"), ("versions", "not_found")]

    def test_closing_closes_the_registry(self, scene: CacheScene) -> None:
        """The cache owns what it stands before."""
        scene.cache.close()

        assert scene.inner.closed


def test_the_background_is_a_thread_that_does_not_keep_the_process_alive() -> None:
    """An attempt that nobody waits for runs beside its caller, in a daemon."""
    seen: Future[threading.Thread] = Future()

    start_daemon(lambda: seen.set_result(threading.current_thread()))

    assert seen.result(30).daemon
    assert seen.result() is not threading.current_thread()
