"""Where nobody may wait: on the thread that said so, and on no other."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from jsonschema_bridge.errors import RegistryUnavailable
from jsonschema_bridge.waiting import WouldWait, may_wait, never_wait_here, waits_here
from tests.doubles import NUMBER, SILENCE, STRING, CacheScene

T = TypeVar("T")

SECONDS = 30.0


class Loop:
    """A thread that serves everybody, and so never waits."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=never_wait_here)

    def call(self, function: Callable[[], T]) -> T:
        return self._thread.submit(function).result(SECONDS)

    def end(self) -> None:
        self._thread.shutdown()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.end()


@pytest.fixture
def scene() -> CacheScene:
    return CacheScene()


def test_a_thread_that_has_not_said_anything_may_wait() -> None:
    assert waits_here()
    may_wait()


def test_one_that_said_it_never_waits_is_stopped_before_it_does(loop: Loop) -> None:
    assert not loop.call(waits_here)
    for _ in range(2):
        with pytest.raises(WouldWait):
            loop.call(may_wait)


def test_other_threads_may_wait_all_the_same(loop: Loop) -> None:
    loop.call(waits_here)
    may_wait()
    with ThreadPoolExecutor(1) as other:
        other.submit(may_wait).result(SECONDS)


def test_nobody_who_answers_errors_takes_it_for_one(loop: Loop) -> None:
    def answering() -> str:
        try:
            may_wait()
        except Exception:  # noqa: BLE001 - as whoever answers a request does
            return "an error"
        return "nothing"

    with pytest.raises(WouldWait):
        loop.call(answering)


ASKED: dict[str, Callable[[CacheScene], object]] = {
    "schema": lambda scene: scene.cache.schema(1),
    "registered": lambda scene: scene.cache.registered("s", 1),
    "versions": lambda scene: scene.cache.versions("s"),
    "lookup": lambda scene: scene.cache.lookup("s", STRING),
}
NEVER_KEPT: dict[str, Callable[[CacheScene], object]] = {
    "subjects": lambda scene: scene.cache.subjects(),
    "ping": lambda scene: scene.cache.ping(),
    "register": lambda scene: scene.cache.register("s", NUMBER),
    "refresh": lambda scene: scene.cache.refresh("s"),
}


class TestRegistry:
    """What a registry said is asked for anywhere; the registry itself is asked where somebody may wait."""

    @pytest.mark.parametrize("name", ASKED)
    def test_what_would_be_asked_is_not_and_another_thread_gets_its_answer(
        self, loop: Loop, scene: CacheScene, name: str
    ) -> None:
        """Nobody is left who waits for one that never went to ask."""
        ask = ASKED[name]
        for _ in range(2):
            with pytest.raises(WouldWait):
                loop.call(lambda: ask(scene))
        assert scene.inner.calls == {}
        with ThreadPoolExecutor(1) as other:
            found = other.submit(ask, scene).result(SECONDS)
        assert scene.inner.calls[name] == 1
        assert loop.call(lambda: ask(scene)) == found
        assert scene.inner.calls[name] == 1

    @pytest.mark.parametrize("name", NEVER_KEPT)
    def test_what_is_not_kept_is_never_asked_for(self, loop: Loop, scene: CacheScene, name: str) -> None:
        with pytest.raises(WouldWait):
            loop.call(lambda: NEVER_KEPT[name](scene))
        assert scene.inner.calls == {}
        NEVER_KEPT[name](scene)

    def test_what_has_expired_is_asked_for_by_another_thread(self, loop: Loop, scene: CacheScene) -> None:
        scene.cache.versions("s")
        scene.inner.content.register("s", NUMBER)
        scene.clock.advance(5.0)
        with pytest.raises(WouldWait):
            loop.call(lambda: scene.cache.versions("s"))
        assert scene.cache.versions("s") == (1, 2)
        assert loop.call(lambda: scene.cache.versions("s")) == (1, 2)

    def test_what_has_expired_is_given_while_somebody_is_asking_for_it(self, loop: Loop, scene: CacheScene) -> None:
        """Else all that comes to the loop meanwhile would go to threads, of which there are not as many."""
        scene.cache.versions("s")
        scene.clock.advance(5.0)
        assert scene.inner.entered.acquire(timeout=SECONDS)
        scene.inner.gate = threading.Event()
        with ThreadPoolExecutor(1) as other:
            asking = other.submit(scene.cache.versions, "s")
            assert scene.inner.entered.acquire(timeout=SECONDS)
            assert loop.call(lambda: scene.cache.versions("s")) == (1,)
            assert not asking.done()
            scene.inner.gate.set()
        assert scene.inner.calls["versions"] == 2

    def test_nobody_is_waited_for_who_is_asking_just_then(self, loop: Loop, scene: CacheScene) -> None:
        scene.inner.gate = threading.Event()
        with ThreadPoolExecutor(1) as other:
            asking = other.submit(scene.cache.versions, "s")
            assert scene.inner.entered.acquire(timeout=SECONDS)
            with pytest.raises(WouldWait):
                loop.call(lambda: scene.cache.versions("s"))
            scene.inner.gate.set()
            assert asking.result(SECONDS) == (1,)

    def test_while_the_registry_is_down_what_has_expired_is_given_and_tried_again_in_the_background(
        self, loop: Loop, scene: CacheScene
    ) -> None:
        scene.cache.versions("s")
        scene.clock.advance(5.0)
        scene.fail_once()
        scene.clock.advance(60.0)
        assert loop.call(lambda: scene.cache.versions("s")) == (1,)
        scene.inner.failure = None
        scene.inner.content.register("s", NUMBER)
        scene.background.run()
        assert loop.call(lambda: scene.cache.versions("s")) == (1, 2)

    def test_what_was_never_known_of_one_that_is_down_is_told_by_a_thread_that_may_wait(
        self, loop: Loop, scene: CacheScene
    ) -> None:
        scene.fail_once()
        with pytest.raises(WouldWait):
            loop.call(lambda: scene.cache.versions("s"))
        with pytest.raises(RegistryUnavailable, match=SILENCE.reason):
            scene.cache.versions("s")
