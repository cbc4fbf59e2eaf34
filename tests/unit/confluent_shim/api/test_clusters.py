"""Which cluster is meant, and what happens when one of several is away."""

from collections.abc import Iterator

import pytest

from confluent_shim.api.clusters import Clusters
from confluent_shim.errors import ClusterNotFound, MetadataUnavailable
from confluent_shim.sinks.memory import MemorySink
from tests.parts import Shim, memory_shim


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim({"analytics": MemorySink(["clicks"], cluster_id="second")}) as shim:
        yield shim


def ids(clusters: Clusters) -> list[str]:
    return [cluster.cluster_id for cluster in clusters.every()]


def test_a_list_begins_with_the_default_cluster(shim: Shim) -> None:
    assert ids(Clusters(shim.services)) == ["memory", "second"]


def test_names_that_lead_to_the_same_kafka_are_one_cluster() -> None:
    with memory_shim({"twin": MemorySink()}) as shim:
        assert ids(Clusters(shim.services)) == ["memory"]


def test_a_cluster_that_is_away_takes_no_other_with_it(shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
    shim.sink.close()
    assert ids(Clusters(shim.services)) == ["second"]
    assert "cluster default is left out" in caplog.text


def test_a_list_of_nothing_is_no_answer(shim: Shim) -> None:
    for sink in shim.services.sinks.values():
        sink.close()
    with pytest.raises(MetadataUnavailable):
        Clusters(shim.services).every()


def test_a_cluster_is_found_by_kafkas_id(shim: Shim) -> None:
    assert "clicks" in Clusters(shim.services).by_id("second").topics
    with pytest.raises(ClusterNotFound):
        Clusters(shim.services).by_id("analytics")


def test_a_cluster_that_does_not_answer_might_be_the_one(shim: Shim) -> None:
    shim.sink.close()
    clusters = Clusters(shim.services)
    assert clusters.by_id("second").cluster_id == "second"
    with pytest.raises(MetadataUnavailable):
        clusters.by_id("memory")


def test_a_cluster_that_was_seen_is_asked_first(shim: Shim) -> None:
    clusters = Clusters(shim.services)
    clusters.by_id("second")
    sinks = shim.services.sinks
    assert isinstance(sinks, dict)
    del sinks["default"]  # would fail, were it asked
    assert clusters.by_id("second").cluster_id == "second"


def test_a_cluster_that_was_set_up_anew_is_found_under_its_new_id(shim: Shim) -> None:
    clusters = Clusters(shim.services)
    clusters.by_id("second")
    sinks = shim.services.sinks
    assert isinstance(sinks, dict)
    sinks["analytics"] = MemorySink(cluster_id="third")
    assert clusters.by_id("third").cluster_id == "third"
    with pytest.raises(ClusterNotFound):
        clusters.by_id("second")


def test_a_topic_is_in_the_cluster_of_its_binding_and_in_the_default_one_without(shim: Shim) -> None:
    shim.bind("clicks", cluster="analytics")
    clusters = Clusters(shim.services)
    assert (clusters.of_topic("clicks"), clusters.of_topic("orders")) == ("analytics", "default")
