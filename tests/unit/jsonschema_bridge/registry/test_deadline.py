import threading

import pytest

from jsonschema_bridge.registry.deadline import Deadline


def test_a_result_in_time_is_returned() -> None:
    """A call's result comes through."""
    assert Deadline(30).call(lambda: 7) == 7


def test_an_error_in_time_is_raised_as_it_is() -> None:
    """A call's own error comes through, a TimeoutError among them."""

    def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        Deadline(30).call(fail)


def test_a_late_call_is_abandoned() -> None:
    """A call that hangs costs the time allowed and says how much that was."""
    released = threading.Event()

    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        Deadline(0.01).call(released.wait)

    released.set()


def test_abandoned_calls_are_bounded() -> None:
    """When as many calls as allowed still hang, one more fails at once instead of starting a thread."""
    released, deadline = threading.Event(), Deadline(0.01, most=1)
    with pytest.raises(TimeoutError):
        deadline.call(released.wait)

    with pytest.raises(TimeoutError, match="too many earlier requests"):
        deadline.call(lambda: 7)

    released.set()
