"""What can go wrong with the topic map: a closed tree.

::

    TopicMapError
    ├── BindingInvalid      a field of a binding has a value it cannot have
    ├── TopicTaken          the topic is bound already
    ├── SubjectTaken        the subject is claimed already
    ├── TopicNotBound       the topic is not bound
    ├── StaleRevision       the table has changed since the caller looked
    ├── StoreUnavailable    the store cannot be read or written (the driver's error is the cause)
    └── StoreTooNew         the store was written by a later release

Only leaves are raised. Nothing here knows HTTP: a front end gives each leaf its status.
"""


class TopicMapError(Exception):
    """Base of everything that this package raises on purpose."""


class BindingInvalid(TopicMapError):
    """The field named ``field`` cannot have this value, for ``reason``."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class TopicTaken(TopicMapError):
    """``topic`` is bound to ``bound_to`` already, while ``asked`` was asked for (both in words)."""

    def __init__(self, topic: str, bound_to: str, asked: str) -> None:
        super().__init__(f"topic {topic!r} is bound to {bound_to} already; asked for {asked}")
        self.topic = topic
        self.bound_to = bound_to
        self.asked = asked


class SubjectTaken(TopicMapError):
    """``subject`` belongs to topic ``claimed_by`` as its ``role`` subject; topic ``asked_by`` asks for it.

    ``role`` and ``asked_role`` are ``wire``, ``source`` or ``key``.
    """

    def __init__(self, subject: str, claimed_by: str, role: str, asked_by: str, asked_role: str) -> None:
        super().__init__(
            f"subject {subject!r} is claimed already by topic {claimed_by!r} as its {role} subject; "
            f"topic {asked_by!r} asks for it as its {asked_role} subject"
        )
        self.subject = subject
        self.claimed_by = claimed_by
        self.role = role
        self.asked_by = asked_by
        self.asked_role = asked_role


class TopicNotBound(TopicMapError):
    """``topic`` is not in the table."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic!r} is not bound")
        self.topic = topic


class StaleRevision(TopicMapError):
    """The caller expected the table at revision ``expected``; it is at ``actual``."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"expected the table at revision {expected}, but it is at revision {actual}")
        self.expected = expected
        self.actual = actual


class StoreUnavailable(TopicMapError):
    """The store cannot do its work, for ``reason``; a driver's error is kept as ``__cause__``."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the topic map's store is unavailable: {reason}")
        self.reason = reason


class StoreTooNew(TopicMapError):
    """The store has format ``found``; this release knows formats up to ``known``."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the topic map's store has format {found}, this release knows up to {known}; use a later release"
        )
        self.found = found
        self.known = known
