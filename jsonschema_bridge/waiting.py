"""Where nobody may wait: on an event loop, whose one thread serves everybody.

What is usually in memory is asked for there as everywhere. Only what has to be fetched, or takes long, says so, and
whoever runs the loop does the same once more on a thread that may wait.
"""

import threading


class WouldWait(BaseException):
    """Something takes its time, and here nobody may wait for it.

    It is no Exception: nobody who answers errors may take it for one.
    """


class _Here(threading.local):
    waits = True


_here = _Here()


def never_wait_here() -> None:
    """Say that this thread runs an event loop."""
    _here.waits = False


def waits_here() -> bool:
    """Tell whether this thread may wait."""
    return _here.waits


def may_wait() -> None:
    """Raise WouldWait where nobody may wait.

    To be called before what takes its time, and before anything was done that must not be done twice.
    """
    if not _here.waits:
        raise WouldWait
