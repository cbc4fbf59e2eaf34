"""Requests that want to get past the rule, or to take a worker down."""

import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from confluent_shim.api.negotiation import answer_type, embedded_format
from confluent_shim.convention import Convention
from confluent_shim.derivations import Derivations
from confluent_shim.enforcement import Clocks, Enforcer
from confluent_shim.errors import SchemaForeign, SinkUnavailable
from confluent_shim.readings import json_schema
from confluent_shim.records import ANYBODY, AdmittedRecord, Claimed, Client, IncomingRecord, ProduceRequest
from confluent_shim.schemas import Schemas
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.settled import Settled
from jsonschema_bridge import RegisteredSchema, Schema, SchemaRefused
from jsonschema_bridge.registry import MemoryRegistry
from jsonschema_bridge.strictness import CONFLUENT
from jsonschema_bridge.waiting import WouldWait, never_wait_here
from tests.parts import JSON, JSON_SCHEMA, ORDER, TOKEN, V2, Shim, memory_shim
from topic_map import Bind, Binding, MemoryStore, Store

RECORD_BYTES = 1_000_000


def enforcing(store: Store, schemas: Schemas, clocks: Clocks | None = None) -> Enforcer:
    """Return an enforcer that refuses unbound topics."""
    convention = Convention(schemas, "default", may_register=False)
    return Enforcer(store.table, schemas, RECORD_BYTES, convention, pass_unbound=False, clocks=clocks)


AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


def test_an_avro_schema_that_becomes_the_subjects_version_never_judges_json(shim: Shim) -> None:
    shim.registry.register("orders-value", Schema('{"type":"string"}', "AVRO"))
    answer = shim.send("orders", "a text")
    assert (answer.status_code, [each["keyword"] for each in answer.get_json()["errors"]]) == (400, ["type"])
    assert shim.landed("orders") == []
    shim.registry.delete("orders-value", 1)
    answer = shim.send("orders", "a text")
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294)
    assert "AVRO" in answer.get_json()["message"]


def test_a_version_of_another_kind_stays_unused_though_another_topic_uses_the_same_schema(shim: Shim) -> None:
    shim.bind("texts", '{"type":"string"}', encoding="avro")
    assert shim.send("texts", "a text", content_type=JSON).status_code == 200
    shim.registry.register("orders-value", Schema('{"type":"string"}', "AVRO"))
    assert shim.send("orders", "a text", content_type=JSON).get_json()["error_code"] == 400
    assert shim.landed("orders") == []


def test_a_record_is_refused_by_the_verdict_even_when_nothing_explains_it(shim: Shim) -> None:
    class Speechless:
        def is_valid(self, _: object) -> bool:
            return False

        def violations(self, _: object) -> Iterator[object]:
            return iter(())

    schemas = Schemas(shim.services.registries, Derivations())
    speechless = json_schema(Speechless(), "value", 1)  # type: ignore[arg-type]
    schemas._compiled["default", 1, "JSON", "value", True, CONFLUENT] = speechless
    enforcer = enforcing(shim.services.store, schemas)
    record = IncomingRecord()
    request = ProduceRequest("orders", "json", "json", [record, record], [{"value": 1}, {"key": "k", "value": 1}])
    verdict = enforcer.judge(enforcer.binding("orders"), request)
    assert not verdict.admitted
    assert [found.keyword for violations in verdict.rejected.values() for found in violations] == ["schema"] * 2


def test_explanations_of_one_request_are_bounded_and_every_bad_record_is_still_counted(shim: Shim) -> None:
    answer = shim.send("orders", *[{"id": "x", "dt": 1}] * 1500)
    body = answer.get_json()
    assert answer.status_code == 400
    assert "at least 1000 violations in 1500 of 1500 records" in body["message"]
    assert body["errors_cut"] is True
    text = shim.client.get("/-/metrics").text
    assert 'confluent_shim_rejected_records_total{reason="(unexplained)",topic="orders"} 1000.0' in text


def test_explaining_ends_when_it_took_long_and_every_bad_record_is_still_refused(shim: Shim) -> None:
    seconds = itertools.count(0, 0.2)
    schemas = Schemas(shim.services.registries, Derivations())
    enforcer = enforcing(shim.services.store, schemas, Clocks(work=lambda: next(seconds)))
    request = ProduceRequest("orders", "json", "json", [IncomingRecord()] * 5, [{"value": {"id": "x"}}] * 5)
    verdict = enforcer.judge(enforcer.binding("orders"), request)
    assert [len(verdict.rejected[index]) for index in range(5)] == [1, 1, 1, 0, 0]
    assert verdict.cut


def test_explaining_one_record_ends_when_it_took_long_too(shim: Shim) -> None:
    seconds = itertools.count(0, 0.2)
    shim.bind("lists", {"type": "array", "items": {"type": "string"}})
    schemas = Schemas(shim.services.registries, Derivations())
    enforcer = enforcing(shim.services.store, schemas, Clocks(work=lambda: next(seconds)))
    request = ProduceRequest("lists", "json", "json", [IncomingRecord()], [{"value": [1] * 100}])
    verdict = enforcer.judge(enforcer.binding("lists"), request)
    assert len(verdict.rejected[0]) == 3
    assert verdict.cut


def test_judging_that_takes_long_leaves_the_event_loop_between_two_records() -> None:
    """One record is bounded by itself; a few KiB may have thousands, each of which takes as long as it may."""
    seconds = itertools.count(0, 0.02)
    with memory_shim(ttl=600.0) as shim, ThreadPoolExecutor(1, initializer=never_wait_here) as loop:
        shim.bind("orders")
        schemas = Schemas(shim.services.registries, Derivations())
        enforcer = enforcing(shim.services.store, schemas, Clocks(now=lambda: next(seconds)))

        def judge(records: int) -> int:
            parsed: list[dict[str, object]] = [{"value": {"id": 1}}] * records
            request = ProduceRequest("orders", "json", "json", [IncomingRecord()] * records, parsed)
            return len(enforcer.judge(enforcer.binding("orders"), request).admitted)

        assert judge(5) == 5
        assert [loop.submit(judge, records).result() for records in (1, 3)] == [1, 3]
        with pytest.raises(WouldWait):
            loop.submit(judge, 5).result()


def test_one_record_with_very_many_violations_is_bounded_too(shim: Shim) -> None:
    shim.bind("lists", {"type": "array", "items": {"type": "string"}})
    body = shim.send("lists", [1] * 5000).get_json()
    assert "at least 1000 violations in 1 of 1 records" in body["message"]
    assert len(body["errors"]) == 100
    assert body["errors_cut"] is True


def test_a_binding_that_changes_while_a_body_arrives_judges_that_body(shim: Shim) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            shim.admin("DELETE", "orders")
            return super().read(size)

    body = b'{"records":[{"value":{"id":1}}]}'
    answer = shim.client.post(
        "/topics/orders", input_stream=Slow(body), content_length=len(body), content_type=JSON_SCHEMA
    )
    assert answer.get_json()["error_code"] == 40401
    assert shim.landed("orders") == []


@pytest.mark.parametrize("body", [b'{"schema":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"owner":"\xff"}', b"", b"null"])
def test_a_binding_that_cannot_be_read_is_the_clients_fault_and_changes_nothing(shim: Shim, body: bytes) -> None:
    before = shim.client.get("/-/bindings").get_json()
    answer = shim.client.put("/-/bindings/orders?replace=true", data=body, headers=AUTHORIZED)
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)
    assert shim.client.get("/-/bindings").get_json() == before


def test_a_schemas_numbers_are_registered_as_they_were_sent(shim: Shim) -> None:
    shim.bind("numbers", {"maximum": 10**30 + 1})
    assert str(10**30 + 1) in shim.registry.registered("numbers-value", 1).schema.text


@pytest.mark.parametrize("limit", ["9" * 5000, "-1", "x", "٣"])
def test_a_limit_that_is_no_number_of_entries_is_the_clients_fault(shim: Shim, limit: str) -> None:
    assert shim.client.get("/-/history", query_string={"limit": limit}).status_code == 400


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer", 401),
        ("Bearer é", 401),
    ],
)
def test_the_admin_token_counts_only_as_a_bearer_token(shim: Shim, authorization: str, status: int) -> None:
    answer = shim.client.delete("/-/bindings/orders", headers={"Authorization": authorization})
    assert answer.status_code == status
    assert answer.headers.get("WWW-Authenticate") == (None if status == 200 else "Bearer")


@pytest.mark.parametrize("tag", ["*", 'W/"1"', '"1", "2"', "", "1_0", "\u0667", '"1', "9" * 5000])
def test_an_entity_tag_that_is_no_revision_is_refused(shim: Shim, tag: str) -> None:
    answer = shim.client.delete("/-/bindings/orders", headers={**AUTHORIZED, "If-Match": tag})
    assert answer.status_code == 400
    assert shim.client.get("/-/bindings/orders").status_code == 200


def test_a_change_that_is_stale_or_has_no_schema_leaves_neither_topic_nor_version_behind(shim: Shim) -> None:
    stale = shim.client.put(
        "/-/bindings/new?create_topic=true", json={"schema": ORDER}, headers={**AUTHORIZED, "If-Match": '"9"'}
    )
    bad = shim.admin("PUT", "new", {"schema": {"type": "frob"}}, query="?create_topic=true")
    assert (stale.status_code, bad.status_code) == (412, 422)
    assert not shim.sink.has_topic("new")
    assert shim.registry.subjects() == ["orders-value"]


@pytest.mark.parametrize("fields", [{"bound_version": 9}, {"versions": "pinned 9"}])
def test_a_binding_to_a_version_that_is_not_there_is_refused(shim: Shim, fields: dict[str, object]) -> None:
    answer = shim.admin("PUT", "orders", {"schema": ORDER, **fields}, query="?replace=true")
    assert 400 <= answer.status_code < 500
    assert shim.send("orders", {"id": 1}).status_code == 200


def test_validate_takes_plain_json_with_parameters(shim: Shim) -> None:
    answer = shim.client.post(
        "/-/bindings/orders/validate",
        data=b'{"records":[{"value":{"id":1}}]}',
        content_type="application/json; charset=utf-8",
    )
    assert answer.status_code == 200


def test_metrics_are_told_while_the_topic_map_is_down(shim: Shim) -> None:
    shim.services.store.close()
    answer = shim.client.get("/-/metrics")
    assert answer.status_code == 200
    assert "confluent_shim_requests_total" in answer.text


def test_a_doubled_slash_is_no_path_of_ours_and_redirects_nobody(shim: Shim) -> None:
    answer = shim.client.get("/-//live")
    assert (answer.status_code, answer.get_json(force=True)["error_code"]) == (404, 404)


def test_a_body_that_ends_early_is_answered_in_json(shim: Shim) -> None:
    answer = shim.client.put(
        "/-/bindings/orders?replace=true", input_stream=io.BytesIO(b"{"), content_length=100, headers=AUTHORIZED
    )
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)


def test_a_defect_is_logged_under_the_request_id_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemorySink):
        def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Settled:
            del topic, records, client
            raise RuntimeError("secret detail")

    with memory_shim({"default": Broken()}) as shim:
        shim.bind("orders")
        answer = shim.produce("orders", {"records": [{"value": {"id": 1}}]}, X_Request_Id="mine")
    assert answer.get_json() == {"error_code": 500, "message": "Internal Server Error"}
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.facts == {"request_id": "mine"}  # type: ignore[attr-defined]


def test_long_headers_are_read_and_not_remembered() -> None:
    long = f"{JSON};x={'a' * 1000}"
    before = sys.getrefcount(long)
    assert embedded_format(long) == "json"
    assert sys.getrefcount(long) == before
    asked = f"{V2};x={'a' * 1000}"
    before = sys.getrefcount(asked)
    assert answer_type(asked) == asked
    assert sys.getrefcount(asked) == before


def test_an_answer_does_not_repeat_a_long_name_for_every_violation_under_it(shim: Shim) -> None:
    shim.bind("maps", {"additionalProperties": {"items": {"type": "string"}}})
    answer = shim.send("maps", {"A" * 100_000: [1] * 50})
    assert answer.status_code == 400
    assert len(answer.data) < 100_000


def test_a_topic_on_a_cluster_that_the_settings_no_longer_name_is_unavailable() -> None:
    settings = {"gone": "memory:"}
    with memory_shim() as shim:
        store = MemoryStore(settings)
        store.change([Bind(Binding(topic="orders", cluster="gone"))], who="test", why="")
        enforcer = enforcing(store, Schemas(shim.services.registries, Derivations()))
        with pytest.raises(SinkUnavailable, match="gone"):
            enforcer.judge(enforcer.binding("orders"), ProduceRequest("orders", "json", "json", [], []))


def test_an_inline_schema_that_the_registry_refuses_to_look_up_is_not_the_topics(shim: Shim) -> None:
    class Refusing(MemoryRegistry):
        def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
            raise SchemaRefused(subject, f"cannot be parsed: {schema.text}", registry=self.identity)

    registry = Refusing()
    registry.register("orders-value", Schema("{}", "JSON"))
    enforcer = enforcing(shim.services.store, Schemas({"default": registry}, Derivations()))
    request = ProduceRequest("orders", "json", "json", [], [], value_schema=Claimed(schema='{"type":"frob"}'))
    with pytest.raises(SchemaForeign):
        enforcer.judge(enforcer.binding("orders"), request)


@pytest.mark.parametrize("number", ["1_0", "\u0661", "1.0", "0x1", "9" * 5000])
def test_a_text_is_an_integer_only_where_it_is_one_in_java(shim: Shim, number: str) -> None:
    answer = shim.produce("orders", {"value_schema_id": number, "records": [{"value": {"id": 1}}]})
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)
