"""What is there of the topics and subjects of bindings."""

from collections.abc import Iterator

import pytest

from confluent_shim.errors import MetadataUnavailable
from confluent_shim.inventory import SECONDS, Absences, Inventory, in_words
from confluent_shim.sinks.memory import MemoryMetadata, MemorySink
from confluent_shim.sinks.metadata import ClusterMetadata
from jsonschema_bridge import RegistryUnavailable, Schema
from jsonschema_bridge.registry import CachedRegistry
from tests.doubles import FrozenClock, ScriptedRegistry
from topic_map import Bind, Binding, MemoryStore


class CountingMetadata(MemoryMetadata):
    """Counts how often it is asked, and does not answer where a test says so."""

    asked = 0
    away = False

    def read(self) -> ClusterMetadata:
        self.asked += 1
        if self.away:
            raise MetadataUnavailable("Kafka is away")
        return super().read()


class Scene:
    """A topic map with the topics that a test binds, and what is behind it."""

    def __init__(self) -> None:
        self.store = MemoryStore({"default": "http://registry.test"})
        self.registry = ScriptedRegistry()
        self.sink = MemorySink()
        self.sink.metadata = self.metadata = CountingMetadata(self.sink, "c")
        self.clock = FrozenClock()
        cached = CachedRegistry(self.registry, ttl=0.0, clock=self.clock)
        self.inventory = Inventory(self.store, {"default": cached}, {"default": self.sink}, self.clock)

    def bind(self, topic: str, **fields: object) -> None:
        binding = Binding(topic=topic, **fields)  # type: ignore[arg-type]
        self.store.change([Bind(binding)], expected_revision=None, who="test", why="")

    def bind_whole(self, topic: str) -> None:
        """Bind a topic that is there to a subject that is there."""
        self.sink.create_topic(topic)
        self.registry.content.register(f"{topic}-value", Schema("{}", "JSON"))
        self.bind(topic)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.store.close()


def test_nothing_is_gone_where_all_is_there(scene: Scene) -> None:
    scene.bind_whole("orders")
    assert scene.inventory.absences() == Absences()
    assert in_words(scene.inventory.absences()) == "ok"


def test_topics_and_subjects_of_all_kinds_are_missed(scene: Scene) -> None:
    scene.bind_whole("orders")
    scene.bind("events", key="subject", key_subject="events-key")
    assert scene.inventory.absences().gone == {"events": ["topic", "subject events-value", "subject events-key"]}


def test_each_part_is_asked_once_however_many_bindings_and_probes_there_are(scene: Scene) -> None:
    for number in range(50):
        scene.bind_whole(f"t{number}")
    for _ in range(10):
        scene.inventory.absences()
    assert (scene.metadata.asked, scene.registry.calls) == (1, {"subjects": 1})


def test_an_answer_is_given_again_for_a_while_and_not_beyond_a_change(scene: Scene) -> None:
    scene.bind_whole("orders")
    scene.inventory.absences()
    scene.sink.delete_topic("orders")
    assert scene.inventory.absences().gone == {}
    scene.clock.now += SECONDS
    assert scene.inventory.absences().gone == {"orders": ["topic"]}
    scene.bind("events")
    assert list(scene.inventory.absences().gone) == ["events", "orders"]


def test_a_subject_that_no_list_has_is_asked_for_before_it_is_missed(scene: Scene) -> None:
    """Registries may cut their lists, or list the default context alone."""
    for subject in (":.other:orders", ":.:events-value"):
        scene.registry.content.register(subject, Schema("{}", "JSON"))
    scene.sink.create_topic("orders")
    scene.sink.create_topic("events")
    scene.bind("orders", subject=":.other:orders")
    scene.bind("events")
    scene.registry.subjects = lambda: [":.:events-value"]  # type: ignore[method-assign]
    assert scene.inventory.absences().gone == {}


def test_no_more_than_some_are_asked_for(scene: Scene) -> None:
    for number in range(150):
        scene.sink.create_topic(f"t{number}")
        scene.bind(f"t{number}")
    assert len(scene.inventory.absences().gone) == 150
    assert scene.registry.calls["versions"] == 100


def test_of_what_does_not_answer_nothing_is_known_and_that_is_told(scene: Scene) -> None:
    scene.bind("orders")
    scene.metadata.away = True
    scene.registry.failure = RegistryUnavailable("gone fishing")
    found = scene.inventory.absences()
    assert found.gone == {}
    assert [part.partition(":")[0] for part in found.unasked] == ["kafka default", "registry default"]
    assert "unknown: kafka default: Kafka is away" in in_words(found)


def test_a_cluster_that_the_settings_do_not_have_is_told() -> None:
    store = MemoryStore({"default": "http://registry.test", "old": "http://other"})
    store.change([Bind(Binding(topic="orders", cluster="old"))], expected_revision=None, who="test", why="")
    found = Inventory(store, {}, {}).absences()
    assert found.unasked[0] == "kafka old: the settings have no such cluster"


def test_a_long_list_is_cut_in_words() -> None:
    gone = {f"t{number}": ["topic"] for number in range(25)}
    assert in_words(Absences(gone)).endswith("; and 5 more")
