import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topic_map import (
    Bind,
    Binding,
    BindingInvalid,
    Change,
    Claim,
    MemoryStore,
    SubjectTaken,
    Table,
    TopicMapError,
    Unbind,
    apply_changes,
    open_sqlite_store,
    subject_id,
)
from topic_map.claims import claims_of
from topic_map.table import table_of

REGISTRIES = {"default": "http://one", "analytics": "http://two", "mirror": "http://one"}

TOPICS = st.sampled_from(["a", "b", "c"])
ROWS = st.builds(
    Binding,
    topic=TOPICS,
    subject=st.sampled_from(["", "a-value", "x", ":.:x", ":.other:x"]),
    cluster=st.sampled_from(sorted(REGISTRIES)),
)
CHANGES: st.SearchStrategy[Change] = st.builds(Unbind, TOPICS) | st.builds(Bind, ROWS, st.booleans())


@given(st.lists(st.lists(CHANGES, max_size=3), max_size=8))
@settings(max_examples=60)
def test_no_sequence_of_changes_breaks_the_rule(sets: list[list[Change]]) -> None:
    """After any change sets the claims are those of the rows, each subject once, and all stores agree."""
    with tempfile.TemporaryDirectory() as folder:
        memory = MemoryStore(REGISTRIES, clock=lambda: 0.0)
        sqlite = open_sqlite_store(Path(folder) / "topics.db", REGISTRIES, clock=lambda: 0.0)
        for changes in sets:
            outcomes = []
            for store in (memory, sqlite):
                try:
                    outcomes.append(repr(store.change(changes, who="law", why="")))
                except TopicMapError as error:
                    outcomes.append(repr(error))
            assert outcomes[0] == outcomes[1]
        table = memory.table()
        claims = [claim for row in table.bindings.values() for claim in claims_of(row, REGISTRIES)]
        assert dict(claims) == table.claims
        assert len(claims) == len(table.claims)
        assert table == sqlite.table()
        assert memory.history() == sqlite.history()
        sqlite.close()


@given(
    st.lists(st.builds(Bind, ROWS), max_size=3).flatmap(lambda sets: st.tuples(st.just(sets), st.permutations(sets)))
)
def test_the_order_inside_a_set_does_not_matter(orders: tuple[list[Bind], list[Bind]]) -> None:
    """A set and any permutation of it give the same table, or are both refused."""
    outcomes: list[Table | None] = []
    for changes in orders:
        try:
            outcomes.append(apply_changes(Table(), changes, REGISTRIES))
        except TopicMapError:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


def test_a_key_subject_is_nobodys_wire_subject() -> None:
    """A subject that is claimed in one role is taken for every other role, and the refusal names both."""
    keyed = Binding(topic="orders", subject="orders-value", key="subject", key_subject="customer")
    table = table_of(4, [keyed], REGISTRIES)
    with pytest.raises(SubjectTaken, match=r"'customer'.*'orders' as its key.*'parcels'.*as its wire"):
        apply_changes(table, [Bind(Binding(topic="parcels", subject="customer"))], REGISTRIES)


def test_an_avro_binding_claims_its_source_too() -> None:
    """The source subject belongs to the topic as the wire subject does."""
    row = Binding(topic="o", subject="w", encoding="avro", source_subject=":.ctx:s")
    claims = {subject_id("http://one", "w"): Claim("o", "wire"), ("http://one", ".ctx", "s"): Claim("o", "source")}
    assert table_of(1, [row], REGISTRIES).claims == claims


def test_clusters_that_came_to_share_a_registry_are_noticed() -> None:
    """Stored rows that break the rule under new settings are refused, naming both topics."""
    rows = [Binding(topic="a", subject="s"), Binding(topic="b", subject="s", cluster="mirror")]
    with pytest.raises(SubjectTaken, match="'a' as its wire subject; topic 'b'"):
        table_of(2, rows, REGISTRIES)


def test_a_row_of_a_forgotten_cluster_can_be_unbound() -> None:
    """A cluster that left the settings does not lock its rows in."""
    table = table_of(2, [Binding(topic="a", subject="s", cluster="gone")], REGISTRIES)
    assert apply_changes(table, [Unbind("a")], REGISTRIES) == Table(3)


def test_an_unknown_cluster_is_refused_with_the_nearest_known_one() -> None:
    """A slip in a cluster's name is answered with the name that was meant, or with all names."""
    with pytest.raises(BindingInvalid, match="did you mean 'analytics'"):
        apply_changes(Table(), [Bind(Binding(topic="a", cluster="analytic"))], REGISTRIES)
    with pytest.raises(BindingInvalid, match="known: analytics, default, mirror"):
        apply_changes(Table(), [Bind(Binding(topic="a", cluster="zzz"))], REGISTRIES)


@pytest.mark.parametrize(
    ("subject", "identity"),
    [
        ("orders-value", ("r", ".", "orders-value")),
        (":.:orders-value", ("r", ".", "orders-value")),
        (":.ctx:orders:value", ("r", ".ctx", "orders:value")),
        (":orders", ("r", ".", ":orders")),
    ],
)
def test_a_subject_is_known_by_its_context(subject: str, identity: tuple[str, str, str]) -> None:
    """Contexts are read as Schema Registry reads them."""
    assert subject_id("r", subject) == identity
