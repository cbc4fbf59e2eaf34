"""What commands tell of the versions that a topic takes."""

from typing import TYPE_CHECKING

from confluent_shim.cli.exits import explained
from confluent_shim.cli.output import note

if TYPE_CHECKING:
    from confluent_shim.cli.backend import Backend, Version

_LISTED = 5


def tell_versions(backend: "Backend", topic: str, *, news_only: bool = False) -> None:
    """Tell on standard error which version is in force and which are not adopted, or why that cannot be told.

    With `news_only` say nothing of a version in force that changed nothing.
    """
    try:
        now = backend.versions(topic)
    except Exception as error:  # noqa: BLE001 - the binding was found all the same
        note(f"which version is in force cannot be told: {explained(error)[0]}")
        return
    current = now.in_force
    if current is None:
        note(f"no version of subject {now.subject!r} is in force: the topic takes no records")
    elif current.changes or not news_only:
        note(f"version {current.version} of subject {now.subject!r} is in force{_since(current)}")
    for each in now.not_adopted:
        note(f"version {each.version} is not adopted: {each.reason}")


def _since(current: "Version") -> str:
    """Say what it changed since the version before it."""
    if not current.changes:
        return ""
    rest = len(current.changes) - _LISTED
    words = ", ".join(each.message for each in current.changes[:_LISTED])
    return f"; since version {current.since}: {words}" + (f" (and {rest} more)" if rest > 0 else "")
