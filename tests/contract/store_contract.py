"""What every store of the topic map promises; each implementation subclasses it with a `store` fixture."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypedDict

import pytest

from topic_map import (
    Bind,
    Binding,
    BindingInvalid,
    Change,
    StaleRevision,
    Store,
    StoreUnavailable,
    SubjectTaken,
    TopicNotBound,
    TopicTaken,
    Unbind,
)

REGISTRIES = {"default": "http://one", "analytics": "http://two", "mirror": "http://one"}
NOW = 1_700_000_000.5


class Author(TypedDict):
    who: str
    why: str


AUTHOR = Author(who="ann", why="a test")


def orders(**fields: Any) -> Binding:
    return Binding(**{"topic": "orders", **fields})


class StoreContract:
    def test_an_empty_store_has_revision_zero(self, store: Store) -> None:
        """A new table has no rows, no history and revision 0."""
        assert (store.table().revision, dict(store.table().bindings), store.history()) == (0, {}, [])

    def test_a_bound_topic_is_in_the_table(self, store: Store) -> None:
        """A binding that was answered is in the table, its defaults filled in."""
        revision = store.change([Bind(orders())], **AUTHOR)
        assert revision == store.table().revision == 1
        assert store.table().get("orders") == orders(subject="orders-value", revision=1)

    def test_an_unbound_topic_and_its_subject_are_free_again(self, store: Store) -> None:
        """Unbinding takes the row out and lets another topic have its subject."""
        store.change([Bind(orders())], **AUTHOR)
        store.change([Unbind("orders")], **AUTHOR)
        assert store.table().get("orders") is None
        assert store.change([Bind(Binding(topic="parcels", subject="orders-value"))], **AUTHOR) == 3

    def test_replacing_takes_the_new_row(self, store: Store) -> None:
        """A bound topic changes only where replacing was asked for."""
        store.change([Bind(orders())], **AUTHOR)
        with pytest.raises(TopicTaken) as refused:
            store.change([Bind(orders(subject="parcel"))], **AUTHOR)
        assert all(word in str(refused.value) for word in ("'orders'", "'orders-value'", "'parcel'"))
        store.change([Bind(orders(subject="parcel"), replace=True)], **AUTHOR)
        assert store.table().bindings["orders"].subject == "parcel"

    def test_a_change_that_changes_nothing_leaves_no_trace(self, store: Store) -> None:
        """An empty set, or an equal replacement, keeps revision and history."""
        store.change([Bind(orders())], **AUTHOR)
        assert store.change([], **AUTHOR) == 1
        assert store.change([Bind(orders(revision=7), replace=True)], **AUTHOR) == 1
        assert len(store.history()) == 1

    @pytest.mark.parametrize(
        "second",
        [
            Binding(topic="parcels", subject="orders-value"),
            Binding(topic="parcels", subject=":.:orders-value"),
            Binding(topic="parcels", subject="orders-value", cluster="mirror"),
        ],
        ids=["plain", "default context spelled out", "another cluster of the same registry"],
    )
    def test_a_subject_is_claimed_once(self, store: Store, second: Binding) -> None:
        """A second topic for one subject is refused, and the answer names both topics."""
        store.change([Bind(orders())], **AUTHOR)
        with pytest.raises(SubjectTaken) as refused:
            store.change([Bind(second)], **AUTHOR)
        error = refused.value
        assert (error.subject, error.claimed_by, error.role) == ("orders-value", "orders", "wire")
        assert all(word in str(error) for word in ("'orders-value'", "'orders'", "'parcels'"))

    @pytest.mark.parametrize(
        "second",
        [
            Binding(topic="parcels", subject=":.other:orders-value"),
            Binding(topic="parcels", subject="orders-value", cluster="analytics"),
        ],
        ids=["another context", "another registry"],
    )
    def test_subjects_that_differ_in_identity_do_not_meet(self, store: Store, second: Binding) -> None:
        """The same name in another context or registry is another subject."""
        store.change([Bind(orders()), Bind(second)], **AUTHOR)
        assert len(store.table().claims) == 2

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_set_is_judged_as_a_whole(self, store: Store, *, turned: bool) -> None:
        """Handing a subject from one topic to another works in one set, whatever its order."""
        store.change([Bind(orders())], **AUTHOR)
        handover: list[Change] = [Unbind("orders"), Bind(Binding(topic="parcels", subject="orders-value"))]
        store.change(handover[::-1] if turned else handover, **AUTHOR)
        assert list(store.table().bindings) == ["parcels"]

    def test_two_topics_can_swap_their_subjects(self, store: Store) -> None:
        """A swap in one set never meets itself."""
        store.change([Bind(orders(subject="a")), Bind(Binding(topic="parcels", subject="b"))], **AUTHOR)
        swap = [Bind(orders(subject="b"), replace=True), Bind(Binding(topic="parcels", subject="a"), replace=True)]
        assert store.change(swap, **AUTHOR) == 2
        assert {topic: row.subject for topic, row in store.table().bindings.items()} == {"orders": "b", "parcels": "a"}

    @pytest.mark.parametrize(
        ("bad", "error"),
        [
            (Bind(Binding(topic="parcels", subject="orders-value")), SubjectTaken),
            (Bind(orders()), BindingInvalid),
            (Bind(Binding(topic="parcels", cluster="analytic")), BindingInvalid),
            (Unbind("parcels"), TopicNotBound),
        ],
    )
    def test_a_set_is_applied_whole_or_not_at_all(
        self, store: Store, bad: Bind | Unbind, error: type[Exception]
    ) -> None:
        """One bad change refuses its whole set, and nothing of it stays."""
        with pytest.raises(error):
            store.change([Bind(orders()), bad], **AUTHOR)
        assert (store.table().revision, store.table().get("orders"), store.history()) == (0, None, [])

    def test_history_tells_before_and_after(self, store: Store) -> None:
        """Every change leaves who, why, when and both sides, the newest first."""
        store.change([Bind(orders())], who="ann", why="new")
        store.change([Bind(orders(owner="x"), replace=True), Bind(Binding(topic="b"))], who="bob", why="owner")
        store.change([Unbind("orders")], who="cy\udcff", why="gone")
        unbound, owned, bound = store.history("orders")
        first, second = (
            orders(subject="orders-value", revision=1),
            orders(subject="orders-value", owner="x", revision=2),
        )
        assert (bound.before, bound.after, bound.who, bound.why, bound.at) == (None, first, "ann", "new", NOW)
        assert (owned.before, owned.after, owned.revision) == (first, second, 2)
        assert (unbound.before, unbound.after, unbound.who) == (second, None, "cy?")
        assert [entry.topic for entry in store.history(limit=2)] == ["orders", "b"]
        assert store.history(limit=0) == store.history("nobody\ud800") == []

    def test_a_stale_revision_is_refused(self, store: Store) -> None:
        """Who expects another revision than the table's changes nothing."""
        store.change([Bind(orders())], expected_revision=0, **AUTHOR)
        with pytest.raises(StaleRevision) as refused:
            store.change([Unbind("orders")], expected_revision=0, **AUTHOR)
        assert (refused.value.expected, refused.value.actual) == (0, 1)
        assert store.change([Unbind("orders")], expected_revision=1, **AUTHOR) == 2

    def test_of_concurrent_binders_one_wins(self, store: Store) -> None:
        """Threads that want one subject at the same moment: one has it, the others are told who."""
        barrier = Barrier(8)

        def bind(number: int) -> bool:
            barrier.wait()
            try:
                store.change([Bind(Binding(topic=f"topic-{number}", subject="wanted"))], **AUTHOR)
            except SubjectTaken as error:
                return error.claimed_by not in store.table().bindings
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(bind, range(8))) == 1
        assert len(store.table().bindings) == len(store.history()) == 1

    def test_a_table_is_a_snapshot(self, store: Store) -> None:
        """A table that was read stays as it was, and nobody can write into it."""
        before = store.table()
        store.change([Bind(orders())], **AUTHOR)
        assert before.get("orders") is None
        writable: Any = store.table().bindings
        with pytest.raises(TypeError):
            writable["orders"] = orders()

    def test_a_closed_store_says_so(self, store: Store) -> None:
        """After close, every method answers that the store is unavailable; closing again is harmless."""
        store.ping()
        store.close()
        store.close()
        calls: list[Callable[[], object]] = [store.table, store.history, store.ping]
        calls.append(lambda: store.change([Bind(orders())], **AUTHOR))
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call()
