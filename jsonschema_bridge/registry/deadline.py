import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Runs calls, each within `seconds` of wall time, whatever it hangs on: names, connecting, dripping.

    A call runs in a daemon thread of its own, because no timeout of a socket covers all of these. A call that
    is late is abandoned, not ended: its thread lives on until the call itself gives up. At most `most` calls
    run at the same time, abandoned ones included; one more is late at once.
    """

    def __init__(self, seconds: float, most: int = 32) -> None:
        self._seconds = seconds
        self._running = threading.BoundedSemaphore(most)

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns or raise what it raises; TimeoutError when it is late."""
        if not self._running.acquire(blocking=False):
            raise TimeoutError("too many earlier requests are still waiting for an answer")
        future: Future[T] = Future()
        try:
            threading.Thread(target=self._run, args=(function, future), daemon=True, name="registry-call").start()
        except RuntimeError:
            self._running.release()
            raise
        try:
            return future.result(self._seconds)
        except TimeoutError:
            if future.done():
                raise
            raise TimeoutError(f"no answer within {self._seconds:g} s") from None

    def _run(self, function: Callable[[], T], future: Future[T]) -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the call was made
            future.set_exception(error)
        finally:
            self._running.release()
