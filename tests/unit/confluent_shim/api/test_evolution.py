"""New versions of a subject, told through HTTP: what judges after them, and what is told of those that do not."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from jsonschema_bridge import RegisteredSchema, RegistryUnavailable, Schema, SchemaIncompatible
from jsonschema_bridge.registry import MemoryRegistry
from tests.parts import ORDER, Shim, memory_shim

PROPERTIES: Any = ORDER["properties"]
NOTED = {**ORDER, "properties": {**PROPERTIES, "more": {"type": "string"}}}
STRICTER = {**NOTED, "required": ["id", "more"]}
RENAMED = {**ORDER, "properties": {**PROPERTIES, "other": {"type": "string"}}}
BROKEN = {"type": "frob"}
FIELDS = [{"name": "id", "type": "long"}]
AVRO_ORDER = {"type": "record", "name": "Order", "fields": FIELDS}
NOT_ADOPTED = 'confluent_shim_versions_not_adopted{topic="orders"}'


class Strict(MemoryRegistry):
    """Refuses any version of a subject but the first, as a registry does by its own rule."""

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        if subject in self.subjects() and self.registered(subject, 1).schema != schema:
            raise SchemaIncompatible(subject, "its own words", registry=self.identity)
        return super().register(subject, schema)


class Silent(MemoryRegistry):
    """Does not answer while it is `silent`."""

    silent = False

    def versions(self, subject: str) -> tuple[int, ...]:
        if self.silent:
            raise RegistryUnavailable("silence", registry=self.identity)
        return super().versions(subject)


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        yield shim


def versions(shim: Shim, topic: str = "orders") -> dict[str, Any]:
    answer = shim.client.get(f"/-/bindings/{topic}/versions")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def takes(shim: Shim, **fields: object) -> bool:
    """Tell whether a record with these fields is taken."""
    return shim.send("orders", {"id": 1, **fields}).status_code == 200


class TestAdditive:
    def test_a_version_that_only_adds_comes_into_force(self, shim: Shim) -> None:
        """Without anybody's doing, and it is told what it added."""
        shim.bind("orders", compatibility="additive")
        assert not takes(shim, more="x")
        shim.register("orders-value", NOTED)

        assert takes(shim, more="x")
        assert versions(shim)["in_force"] == {
            "version": 2,
            "schema_id": 2,
            "since": 1,
            "changes": [{"pointer": "/properties/more", "message": "/more was added", "additive": True}],
        }

    def test_one_that_does_more_is_not_adopted(self, shim: Shim) -> None:
        """The last good one stays in force, and the reasons are told."""
        shim.bind("orders", compatibility="additive")
        shim.register("orders-value", STRICTER)

        assert takes(shim)
        told = versions(shim)
        assert told["in_force"]["version"] == 1
        assert told["not_adopted"] == [
            {
                "version": 2,
                "schema_id": 2,
                "reason": "/more became required",
                "changes": [{"pointer": "/required", "message": "/more became required", "additive": False}],
            }
        ]

    def test_a_later_one_is_compared_with_the_last_that_was_adopted(self, shim: Shim) -> None:
        """What was passed over counts for nothing."""
        shim.bind("orders", compatibility="additive")
        for schema in (NOTED, STRICTER, RENAMED):
            shim.register("orders-value", schema)

        assert takes(shim, more="x")
        told = versions(shim)
        assert told["in_force"]["version"] == 2
        assert [(each["version"], each["reason"]) for each in told["not_adopted"]] == [
            (3, "/more became required"),
            (4, "/more disappeared"),
        ]

    def test_avro_is_compared_as_avro(self, shim: Shim) -> None:
        """A field more needs a default."""
        shim.bind("orders", AVRO_ORDER, encoding="avro", compatibility="additive")
        more = {"name": "more", "type": "string"}
        for field in ({**more, "default": ""}, more):
            schema = {**AVRO_ORDER, "fields": [*FIELDS, field]}
            shim.registry.register("orders-value", Schema(json.dumps(schema), "AVRO"))

        told = versions(shim)
        assert (told["in_force"]["version"], told["in_force"]["changes"][0]["message"]) == (2, "/more was added")
        assert [each["reason"] for each in told["not_adopted"]] == ["/more has no default any more"]

    def test_a_version_after_one_of_another_kind_is_compared_with_nothing(self, shim: Shim) -> None:
        """It is told without changes."""
        shim.registry.register("orders-value", Schema('"string"', "AVRO"))
        shim.bind("orders")
        told = versions(shim)["in_force"]

        assert (told["since"], told["changes"]) == (1, [])

    def test_a_request_cannot_name_what_is_not_adopted(self, shim: Shim) -> None:
        """Only the version in force is taken."""
        shim.bind("orders", compatibility="additive")
        schema_id = shim.register("orders-value", STRICTER).schema_id
        answer = shim.produce("orders", {"value_schema_id": schema_id, "records": [{"value": {"id": 1, "more": ""}}]})

        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)

    def test_a_schema_that_would_not_be_adopted_is_not_registered(self, shim: Shim) -> None:
        """Binding again with it says what is wrong with it; with one that is there already it goes well."""
        row = shim.bind("orders", compatibility="additive")
        body = {"compatibility": "additive", "schema": STRICTER}
        answer = shim.admin("PUT", "orders", body, query="?replace=true")

        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42295)
        assert "since version 1 /more became required" in answer.get_json()["message"]
        assert shim.registry.versions("orders-value") == (1,)
        again = shim.admin("PUT", "orders", {**body, "schema": ORDER}, query="?replace=true").get_json()
        assert again == {**row, "revision": again["revision"]}

    def test_a_binding_begins_with_the_newest_version(self, shim: Shim) -> None:
        """What was before it is none of its affair."""
        shim.register("orders-value", ORDER)
        shim.register("orders-value", STRICTER)
        shim.sink.create_topic("orders")
        row = shim.admin("PUT", "orders", {"compatibility": "additive"}).get_json()

        assert (row["bound_version"], takes(shim)) == (2, False)

    def test_another_rule_does_not_bring_back_an_older_version(self, shim: Shim) -> None:
        """It begins with what is in force, unless the binding says otherwise."""
        shim.bind("orders")
        shim.register("orders-value", STRICTER)
        row = shim.admin("PUT", "orders", {"compatibility": "additive"}, query="?replace=true").get_json()
        back = {"compatibility": "additive", "bound_version": 1}

        assert (row["bound_version"], versions(shim)["in_force"]["version"]) == (2, 2)
        assert shim.admin("PUT", "orders", back, query="?replace=true").get_json()["bound_version"] == 1
        assert versions(shim)["in_force"]["version"] == 1

    @pytest.mark.parametrize("rule", ["pinned 1", "any"])
    def test_a_rule_that_named_its_versions_gives_way_to_one_that_walks(self, shim: Shim, rule: str) -> None:
        """From the version that judged what named none."""
        shim.register("orders-value", ORDER)
        shim.register("orders-value", STRICTER)
        shim.sink.create_topic("orders")
        shim.admin("PUT", "orders", {"versions": rule})
        row = shim.admin("PUT", "orders", {"compatibility": "additive"}, query="?replace=true").get_json()

        assert row["bound_version"] == (1 if rule == "pinned 1" else 2)

    def test_derived_avro_is_registered_for_what_is_adopted_only(self, shim: Shim) -> None:
        """Asked for, the reason is told; the one after it goes through."""
        shim.bind("orders", encoding="avro", source_subject="", compatibility="additive")
        shim.register("orders-value.source", STRICTER)
        refused = shim.admin("POST", "orders/derivation")
        shim.register("orders-value.source", NOTED)
        waiting = versions(shim)
        taken = shim.admin("POST", "orders/derivation")

        assert (refused.status_code, refused.get_json()["error_code"]) == (422, 42295)
        assert "does not adopt version 2: /more became required" in refused.get_json()["message"]
        assert [each["reason"] for each in waiting["not_adopted"]] == [
            "/more became required",
            "the Avro derived from it is not registered: confluent-shim bindings derive orders",
        ]
        assert (taken.status_code, takes(shim, more="x")) == (200, True)
        told = versions(shim)
        assert (told["in_force"]["version"], told["lands"], told["not_adopted"]) == (
            3,
            {"subject": "orders-value", "version": 2, "schema_id": taken.get_json()["schema_id"]},
            [],
        )

    def test_a_change_of_owner_is_not_held_up_by_a_version_that_is_not_adopted(self, shim: Shim) -> None:
        """Nor is the Avro of that version registered."""
        fields = {"encoding": "avro", "source_subject": "", "compatibility": "additive"}
        shim.bind("orders", **fields)
        shim.register("orders-value.source", STRICTER)
        answer = shim.admin("PUT", "orders", {**fields, "owner": "shop"}, query="?replace=true")

        assert (answer.status_code, answer.get_json()["owner"]) == (200, "shop")
        assert shim.registry.versions("orders-value") == (1,)


class TestRegistry:
    @pytest.mark.parametrize(
        ("schema", "reason"),
        [
            (Schema(json.dumps(BROKEN), "JSON"), "/type: "),
            (Schema('"string"', "AVRO"), "is AVRO, which does not suit the values"),
        ],
    )
    def test_a_version_that_cannot_judge_is_not_adopted(self, shim: Shim, schema: Schema, reason: str) -> None:
        """The one before it judges on."""
        shim.bind("orders")
        shim.registry.register("orders-value", schema)

        assert takes(shim)
        [passed] = versions(shim)["not_adopted"]
        assert (passed["version"], reason in passed["reason"]) == (2, True), passed

    def test_whatever_the_registry_took_is_adopted(self, shim: Shim) -> None:
        """It compared it, by the level that the subject had then."""
        shim.bind("orders")
        shim.register("orders-value", STRICTER)

        assert not takes(shim)
        changes = versions(shim)["in_force"]["changes"]
        assert [each["message"] for each in changes] == ["/more was added", "/more became required"]

    def test_its_refusal_is_explained(self) -> None:
        """In its own words, and then by what changed, the worst first."""
        with memory_shim(registry=Strict()) as shim:
            shim.bind("orders")
            answer = shim.admin("PUT", "orders", {"schema": STRICTER}, query="?replace=true")

        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42295)
        words = "its own words; since version 1 of orders-value /more became required, /more was added"
        assert answer.get_json()["message"].endswith(words)

    def test_its_refusal_of_avro_is_explained_too(self) -> None:
        """In the words of Avro."""
        with memory_shim(registry=Strict()) as shim:
            shim.bind("orders", AVRO_ORDER, encoding="avro")
            body = {"encoding": "avro", "schema": {**AVRO_ORDER, "name": "Other"}}
            answer = shim.admin("PUT", "orders", body, query="?replace=true")

        words = 'since version 1 of orders-value the root: type changed from "record Order" to "record Other"'
        assert answer.get_json()["message"].endswith(words)

    def test_its_refusal_of_another_kind_is_its_own(self) -> None:
        """There is nothing to compare."""
        with memory_shim(registry=Strict()) as shim:
            shim.register("orders-value", ORDER)
            body = {"encoding": "avro", "schema": AVRO_ORDER}
            answer = shim.admin("PUT", "orders", body, query="?create_topic=true")

        assert answer.get_json()["message"].endswith("its own words")

    def test_its_refusal_of_derived_avro_is_explained_by_the_source(self) -> None:
        """Since the version that is in force."""
        with memory_shim(registry=Strict()) as shim:
            shim.bind("orders", encoding="avro", source_subject="")
            MemoryRegistry.register(shim.registry, "orders-value.source", Schema(json.dumps(STRICTER), "JSON"))
            answer = shim.admin("POST", "orders/derivation")

        assert answer.get_json()["error_code"] == 42295
        words = "its own words; since version 1 of orders-value.source /more became required, /more was added"
        assert answer.get_json()["message"].endswith(words)


class TestTold:
    def test_what_is_not_adopted_is_logged_once_and_counted(self, shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
        """By the gauge, until a version is adopted that is newer."""
        caplog.set_level(logging.INFO, logger="confluent_shim.versions")
        shim.bind("orders", compatibility="additive")
        shim.register("orders-value", STRICTER)
        for _ in range(3):
            takes(shim)
        metrics = [shim.client.get("/-/metrics").text]
        shim.register("orders-value", NOTED)
        takes(shim)
        metrics.append(shim.client.get("/-/metrics").text)

        assert [line for text in metrics for line in text.splitlines() if line.startswith(NOT_ADOPTED)] == [
            f"{NOT_ADOPTED} 1.0",
            f"{NOT_ADOPTED} 0.0",
        ]
        lines = [(record.levelname, record.getMessage(), vars(record)["facts"]) for record in caplog.records]
        subject = {"topic": "orders", "subject": "orders-value"}
        assert lines == [
            (
                "WARNING",
                "a version is not adopted",
                {**subject, "in_force": 1, "version": 2, "reason": "/more became required"},
            ),
            ("INFO", "another version is in force", {**subject, "in_force": 3}),
        ]

    def test_what_is_unbound_is_not_counted_any_more(self, shim: Shim) -> None:
        """An alarm ends with its topic."""
        shim.bind("orders", compatibility="additive")
        shim.register("orders-value", STRICTER)
        takes(shim)
        before = shim.client.get("/-/metrics").text
        shim.admin("DELETE", "orders")

        assert f"{NOT_ADOPTED} 1.0" in before
        assert f"{NOT_ADOPTED} 0.0" in shim.client.get("/-/metrics").text

    def test_where_all_is_well_there_is_nothing_to_count(self, shim: Shim) -> None:
        """A topic has no series before it needs one."""
        shim.bind("orders")
        takes(shim)

        assert NOT_ADOPTED not in shim.client.get("/-/metrics").text

    def test_a_topic_that_takes_nothing_has_nothing_in_force(self, shim: Shim) -> None:
        """The binding is there all the same."""
        shim.bind("orders", versions="pinned 1")
        shim.register("orders-value", NOTED)
        shim.registry.delete("orders-value", 1)
        told = versions(shim)

        assert (told["in_force"], told["lands"], told["not_adopted"]) == (None, None, [])

    def test_a_topic_that_is_not_bound_has_no_versions(self, shim: Shim) -> None:
        assert shim.client.get("/-/bindings/orders/versions").status_code == 404

    def test_who_looks_while_the_registry_is_silent_takes_nothing_from_producers(self) -> None:
        """What judges meanwhile is told, and judges on."""
        registry = Silent()
        with memory_shim(registry=registry) as shim:
            shim.bind("orders")
            takes(shim)
            registry.silent = True

            assert versions(shim)["in_force"]["version"] == 1
            assert shim.admin("PUT", "orders", {"owner": "shop"}, query="?replace=true").status_code == 503
            assert takes(shim)
