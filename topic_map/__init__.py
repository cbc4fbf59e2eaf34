"""Which topic is bound to which subject, one to one in both directions."""

from topic_map.binding import (
    Binding,
    binding_from_json,
    binding_from_mapping,
    binding_to_json,
    check,
    is_topic_name,
    pinned_version,
)
from topic_map.claims import Claim, SubjectId, subject_id
from topic_map.errors import (
    BindingInvalid,
    StaleRevision,
    StoreTooNew,
    StoreUnavailable,
    SubjectTaken,
    TopicMapError,
    TopicNotBound,
    TopicTaken,
)
from topic_map.memory import MemoryStore
from topic_map.open import open_store
from topic_map.sqlite import SqliteStore, open_sqlite_store
from topic_map.store import HistoryEntry, Store
from topic_map.table import Bind, Change, Table, Unbind, apply_changes

__all__ = [
    "Bind",
    "Binding",
    "BindingInvalid",
    "Change",
    "Claim",
    "HistoryEntry",
    "MemoryStore",
    "SqliteStore",
    "StaleRevision",
    "Store",
    "StoreTooNew",
    "StoreUnavailable",
    "SubjectId",
    "SubjectTaken",
    "Table",
    "TopicMapError",
    "TopicNotBound",
    "TopicTaken",
    "Unbind",
    "apply_changes",
    "binding_from_json",
    "binding_from_mapping",
    "binding_to_json",
    "check",
    "is_topic_name",
    "open_sqlite_store",
    "open_store",
    "pinned_version",
    "subject_id",
]
