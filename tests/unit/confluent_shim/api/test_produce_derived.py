"""Producing to a topic whose JSON Schema judges and whose Avro lands."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from jsonschema_bridge import Schema, frame, unframe
from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, ORDER, Shim, memory_shim

WITH_MORE = {**ORDER, "properties": {**ORDER["properties"], "more": {"type": "string"}}}  # type: ignore[dict-item]


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        yield shim


def bind(shim: Shim, schema: object = ORDER, **fields: object) -> dict[str, Any]:
    return shim.bind("orders", schema, encoding="avro", source_subject="", **fields)


def landed(shim: Shim) -> list[Any]:
    """Return what a consumer of Avro reads: each value by the schema that its frame names."""
    values = []
    for value in shim.landed("orders"):
        assert value is not None
        schema_id, payload = unframe(value)
        parsed = fastavro.parse_schema(json.loads(shim.registry.schema(schema_id).text))
        values.append(fastavro.schemaless_reader(io.BytesIO(payload), parsed, None))
    return values


def derivation(shim: Shim, method: str = "GET") -> dict[str, Any]:
    answer = shim.admin(method, "orders/derivation")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


class TestBinding:
    def test_the_json_schema_and_its_avro_are_registered(self, shim: Shim) -> None:
        """Each under its subject; versions are those of the source."""
        row = bind(shim)

        assert (row["subject"], row["source_subject"], row["bound_version"]) == (
            "orders-value",
            "orders-value.source",
            1,
        )
        assert shim.registry.registered("orders-value.source", 1).schema.kind == "JSON"
        assert shim.registry.registered("orders-value", 1).schema.kind == "AVRO"

    def test_what_is_derived_is_told_with_its_rules(self, shim: Shim) -> None:
        """The same without and with registering it again."""
        bind(shim)
        told = derivation(shim)

        assert told == derivation(shim, "POST")
        assert (told["source_version"], told["version"], told["schema"]["name"]) == (1, 1, "Value")
        assert told["schema_id"] == shim.registry.registered("orders-value", 1).schema_id
        assert [(rule["pointer"], rule["rule"]) for rule in told["carry_rules"]] == [("/properties/id", "int64")]

    def test_a_schema_without_an_avro_form_is_refused_before_anything_is_made(self, shim: Shim) -> None:
        """With the place and the reason."""
        fields = {"encoding": "avro", "source_subject": "", "schema": {"type": "object", "properties": {"a": {}}}}
        answer = shim.admin("PUT", "orders", fields, query="?create_topic=true")

        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294)
        assert "/properties/a: it gives no type" in answer.get_json()["message"]
        assert (shim.registry.subjects(), shim.sink.has_topic("orders")) == ([], False)

    def test_the_options_of_the_derivation_are_fields_of_the_binding(self, shim: Shim) -> None:
        """All four show in the schema."""
        schema = {"type": "object", "properties": {"a": {}}}
        bind(shim, schema, avro_extra="map", avro_untyped="json", avro_name="Order", avro_namespace="org.shop")

        told = derivation(shim)["schema"]
        assert (told["name"], [field["name"] for field in told["fields"]]) == (
            "org.shop.Order",
            ["a", "additionalProperties"],
        )

    def test_a_source_that_is_no_json_schema_is_refused(self, shim: Shim) -> None:
        """The message names the field."""
        shim.registry.register("orders-value.source", Schema('"string"', "AVRO"))
        shim.sink.create_topic("orders")
        answer = shim.admin("PUT", "orders", {"encoding": "avro", "source_subject": ""})

        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42292)
        assert "source_subject" in answer.get_json()["message"]

    @pytest.mark.parametrize(
        "fields", [{"subject": "orders-value.source"}, {"encoding": "avro", "source_subject": "orders-value"}]
    )
    def test_both_subjects_are_claimed(self, shim: Shim, fields: dict[str, object]) -> None:
        """No other topic has either of them, as whatever subject."""
        bind(shim)
        answer = shim.admin("PUT", "others", {**fields, "schema": ORDER}, query="?create_topic=true")

        assert (answer.status_code, "topic 'orders'" in answer.get_json()["message"]) == (409, True)

    def test_nothing_is_derived_for_another_topic(self, shim: Shim) -> None:
        """Neither for one that is not bound."""
        assert shim.admin("GET", "orders/derivation").status_code == 404
        shim.bind("orders")
        answer = shim.admin("GET", "orders/derivation")
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42292)

    def test_registering_needs_the_admin_token(self, shim: Shim) -> None:
        """Looking does not."""
        bind(shim)

        assert shim.client.get("/-/bindings/orders/derivation").status_code == 200
        assert shim.client.post("/-/bindings/orders/derivation").status_code == 401


class TestRecords:
    @pytest.mark.parametrize("content_type", [JSON, JSON_SCHEMA])
    def test_json_is_judged_by_the_json_schema_and_lands_as_avro(self, shim: Shim, content_type: str) -> None:
        """The answer has the id that stands in the frame."""
        bind(shim)
        answer = shim.send("orders", {"id": 1, "note": None}, {"id": 2, "note": "é"}, content_type=content_type)

        assert answer.status_code == 200, answer.text
        assert answer.get_json()["value_schema_id"] == shim.registry.registered("orders-value", 1).schema_id
        assert landed(shim) == [{"id": 1, "dt": None, "note": None}, {"id": 2, "dt": None, "note": "é"}]

    def test_what_breaks_the_json_schema_is_refused_in_its_words(self, shim: Shim) -> None:
        """A format is nothing that Avro could judge."""
        bind(shim)
        answer = shim.send("orders", {"id": 1, "dt": "yesterday"})

        assert answer.status_code == 400
        assert [(each["pointer"], each["keyword"]) for each in answer.get_json()["errors"]] == [("/dt", "format")]

    def test_what_breaks_a_carry_rule_is_refused_as_such(self, shim: Shim) -> None:
        """The violation leads into the JSON Schema."""
        bind(shim)
        answer = shim.send("orders", {"id": 2**63})

        assert answer.status_code == 400
        [violation] = answer.get_json()["errors"]
        assert (violation["pointer"], violation["keyword"], violation["schema_pointer"]) == (
            "/id",
            "carry",
            "/properties/id",
        )
        assert shim.landed("orders") == []

    def test_avro_json_is_not_taken(self, shim: Shim) -> None:
        """The schema that judges is JSON Schema."""
        bind(shim)

        assert shim.send("orders", {"id": 1}, content_type=AVRO).get_json()["error_code"] == 42290

    def test_binary_is_avro_in_a_frame_of_the_derived_schema(self, shim: Shim) -> None:
        """What it holds is judged by the JSON Schema; what is no Avro of that schema is refused."""
        bind(shim)
        wire = shim.registry.registered("orders-value", 1)
        source = shim.registry.registered("orders-value.source", 1)
        shim.send("orders", {"id": 1, "dt": "2026-01-01T00:00:00Z"})
        (good,) = shim.landed("orders")
        assert good is not None
        bad_format = good.replace(b"2026-01-01T00:00:00Z", b"2026-01-01 00:00:00Z")
        sent = [good, bad_format, good[:-1], frame(source.schema_id, good[5:])]
        keywords = []
        for data in sent:
            answer = shim.send("orders", base64.b64encode(data).decode(), content_type=BINARY).get_json()
            keywords.append([each["keyword"] for each in answer.get("errors", ())])

        assert keywords == [[], ["format"], ["avro"], ["schema-id"]]
        assert shim.landed("orders") == [good, good]
        assert unframe(good)[0] == wire.schema_id

    @pytest.mark.parametrize("named", ["text", "source id", "wire id"])
    def test_a_producer_may_name_the_schema(self, shim: Shim, named: str) -> None:
        """By the text or the id of the JSON Schema, or by the id of the Avro, which answers have."""
        bind(shim)
        claims: dict[str, dict[str, object]] = {
            "text": {"value_schema": json.dumps(ORDER)},
            "source id": {"value_schema_id": shim.registry.registered("orders-value.source", 1).schema_id},
            "wire id": {"value_schema_id": shim.registry.registered("orders-value", 1).schema_id},
        }
        answer = shim.produce("orders", {**claims[named], "records": [{"value": {"id": 1}}]})

        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize(
        ("subject", "version", "code"),
        [
            ("orders-value.source", 3, None),
            ("orders-value.source", 2, 422),
            ("orders-value", 2, None),
            ("orders-value", 1, 422),
            ("orders-value", 3, 400),
            ("orders-key", 1, 422),
        ],
    )
    def test_a_version_is_one_of_the_subject_that_is_named(
        self, shim: Shim, subject: str, version: int, code: int | None
    ) -> None:
        """The third JSON Schema lands as the second Avro: either says the same."""
        bind(shim)
        shim.register("orders-value.source", {**ORDER, "properties": {"id": {}}})
        shim.register("orders-value.source", WITH_MORE)
        derivation(shim, "POST")
        named = {"subject": subject, "schema_version": version, "data": {"id": 1, "more": "x"}}
        told = shim.batch("orders", {"value": named}).get_json()

        assert [each["error_code"] for each in told["failures"]] == ([] if code is None else [code])
        assert len(shim.landed("orders")) == len(told["successes"]) == (code is None)

    def test_a_batch_of_v3_lands_as_avro(self, shim: Shim) -> None:
        """Each entry has its own verdict."""
        bind(shim)
        sent = [{"id": 1, "note": "a"}, {"id": "one"}, {"id": 2**63}]
        answer = shim.batch("orders", *({"value": {"type": "JSONSCHEMA", "data": each}} for each in sent))

        told = answer.get_json()
        assert [each["id"] for each in told["successes"]] == ["0"]
        assert [each["errors"][0]["keyword"] for each in told["failures"]] == ["type", "carry"]
        assert landed(shim) == [{"id": 1, "dt": None, "note": "a"}]

    def test_a_stream_of_v3_lands_as_avro(self, shim: Shim) -> None:
        """Each record has its own verdict."""
        bind(shim)
        sent = [{"type": "JSONSCHEMA", "data": {"id": 1}}, {"type": "JSON", "data": {"id": 2**63}}]
        answer = shim.stream("orders", "".join(json.dumps({"value": each}) for each in sent))

        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["error_code"] for line in lines] == [200, 400]
        assert lines[1]["errors"][0]["keyword"] == "carry"
        assert landed(shim) == [{"id": 1, "dt": None, "note": None}]

    def test_a_binding_that_observes_tells_what_enforcing_would_have_said(self, shim: Shim) -> None:
        """The record goes the way of one for an unbound topic: as plain JSON."""
        bind(shim, mode="observe")
        answer = shim.send("orders", {"id": 1}, {"id": 2**63}, content_type=JSON)

        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (200, "reject; records=1")
        assert shim.landed("orders") == [b'{"id": 1}', b'{"id": 9223372036854775808}']

    def test_a_producer_registers_nothing(self, shim: Shim) -> None:
        """Neither a JSON Schema nor its Avro."""
        bind(shim)
        claim = {"value_schema": json.dumps(WITH_MORE), "records": [{"value": {"id": 1}}]}

        assert shim.produce("orders", claim).get_json()["error_code"] == 42207
        assert shim.registry.subjects() == ["orders-value", "orders-value.source"]
        assert [shim.registry.versions(subject) for subject in shim.registry.subjects()] == [(1,), (1,)]

    def test_another_schema_is_foreign(self, shim: Shim) -> None:
        """The message names the source subject."""
        bind(shim)
        answer = shim.produce("orders", {"value_schema_id": 99, "records": [{"value": {"id": 1}}]})

        assert answer.status_code == 422
        assert "orders-value.source" in answer.get_json()["message"]

    def test_a_null_without_a_schema_for_it_is_a_tombstone(self, shim: Shim) -> None:
        """As everywhere."""
        bind(shim)
        answer = shim.produce("orders", {"records": [{"key": "k", "value": None}]}, JSON)

        assert (answer.status_code, shim.landed("orders")) == (200, [None])

    def test_validate_judges_as_produce_would(self, shim: Shim) -> None:
        """It tells the version of the wire subject."""
        bind(shim)
        answer = shim.client.post("/-/bindings/orders/validate", json={"records": [{"value": {"id": 1}}]})

        assert answer.get_json()["value_schema_id"] == shim.registry.registered("orders-value", 1).schema_id


class TestVersions:
    def test_a_version_comes_into_force_when_its_avro_is_registered(self, shim: Shim) -> None:
        """Until then the last one stays."""
        bind(shim)
        shim.register("orders-value.source", WITH_MORE)

        assert shim.send("orders", {"id": 1, "more": "x"}).status_code == 400
        told = derivation(shim)
        assert (told["source_version"], told["version"], told["schema_id"]) == (2, None, None)
        assert derivation(shim, "POST")["version"] == 2
        assert shim.send("orders", {"id": 1, "more": "x"}).status_code == 200
        assert landed(shim) == [{"id": 1, "dt": None, "note": None, "more": "x"}]

    def test_a_version_that_has_no_avro_form_never_comes_into_force(self, shim: Shim) -> None:
        """Nor does it disturb the last one; asked for, the reason is told."""
        bind(shim)
        shim.register("orders-value.source", {**ORDER, "properties": {"id": {}}})

        assert shim.send("orders", {"id": 1}).status_code == 200
        assert shim.admin("POST", "orders/derivation").get_json()["error_code"] == 42294

    def test_a_version_with_the_same_avro_comes_into_force_at_once(self, shim: Shim) -> None:
        """Nothing has to be registered for it."""
        bind(shim)
        shim.register("orders-value.source", {**ORDER, "allOf": [{"properties": {"id": {"minimum": 5}}}]})

        assert shim.send("orders", {"id": 1}).status_code == 400
        assert shim.send("orders", {"id": 5}).status_code == 200
        assert shim.registry.versions("orders-value") == (1,)

    def test_binding_again_brings_the_newest_version_into_force(self, shim: Shim) -> None:
        """The versions before are left as they are."""
        bind(shim)
        shim.register("orders-value.source", WITH_MORE)
        row = shim.admin("PUT", "orders", {"encoding": "avro", "source_subject": ""}, query="?replace=true").get_json()

        assert row["bound_version"] == 1
        assert shim.send("orders", {"id": 1, "more": "x"}).status_code == 200

    def test_a_pinned_version_stays(self, shim: Shim) -> None:
        """It is a version of the source subject."""
        shim.register("orders-value.source", ORDER)
        shim.register("orders-value.source", WITH_MORE)
        shim.sink.create_topic("orders")
        fields = {"encoding": "avro", "source_subject": "", "versions": "pinned 1"}

        assert shim.admin("PUT", "orders", fields).status_code == 200
        assert shim.registry.versions("orders-value") == (1,)
        assert shim.send("orders", {"id": 1, "more": "x"}).status_code == 400
        assert shim.send("orders", {"id": 1}).status_code == 200

    def test_any_version_whose_avro_is_registered_may_be_named(self, shim: Shim) -> None:
        """The others may not."""
        bind(shim, versions="any")
        first = shim.registry.registered("orders-value", 1).schema_id
        second = shim.register("orders-value.source", WITH_MORE).schema_id
        body = {"value_schema_id": second, "records": [{"value": {"id": 1, "more": "x"}}]}

        assert shim.produce("orders", body).status_code == 422
        derivation(shim, "POST")
        assert shim.produce("orders", body).status_code == 200
        old = shim.produce("orders", {"value_schema_id": first, "records": [{"value": {"id": 1}}]})
        assert old.get_json()["value_schema_id"] == first
        both = [unframe(value)[0] for value in shim.landed("orders") if value]
        assert both == [shim.registry.registered("orders-value", 2).schema_id, first]
