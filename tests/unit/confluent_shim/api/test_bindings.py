"""The topic map over HTTP."""

from collections.abc import Iterator

import pytest

from tests.parts import ORDER, TOKEN, Shim, memory_shim


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        yield shim


def test_a_binding_is_made_listed_changed_and_removed(shim: Shim) -> None:
    made = shim.bind("orders", owner="shop")
    assert (made["subject"], made["bound_version"], made["revision"]) == ("orders-value", 1, 1)
    assert shim.client.get("/-/bindings").get_json() == {"revision": 1, "bindings": [made]}
    assert shim.client.get("/-/bindings/orders").get_json() == made
    assert shim.admin("PUT", "orders", {"owner": "shop 2"}, query="?replace=true").get_json()["owner"] == "shop 2"
    assert shim.admin("DELETE", "orders").get_json() == {"topic": "orders", "revision": 3}
    assert shim.client.get("/-/bindings/orders").status_code == 404


def test_history_tells_who_changed_what_and_why(shim: Shim) -> None:
    shim.bind("orders")
    shim.admin("DELETE", "orders", query="?who=ann&why=wrong+name")
    newest, oldest = shim.client.get("/-/bindings/orders/history").get_json()["history"]
    assert (newest["who"], newest["why"], newest["after"]) == ("ann", "wrong name", None)
    assert newest["before"] == oldest["after"]
    assert oldest["before"] is None


def test_changes_need_the_admin_token(shim: Shim) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        for method in ("PUT", "DELETE"):
            answer = shim.client.open("/-/bindings/orders", method=method, json={}, headers=headers)
            assert (answer.status_code, answer.get_json()["error_code"]) == (401, 40190)


def test_without_a_configured_token_changes_are_off_and_the_answer_says_how_to_switch_them_on() -> None:
    with memory_shim(admin_token=None) as shim:
        answer = shim.admin("PUT", "orders", {})
    assert (answer.status_code, answer.get_json()["error_code"]) == (403, 40390)
    assert "SHIM_ADMIN_TOKEN" in answer.get_json()["message"]


def test_a_missing_topic_or_subject_is_named_and_nothing_changes(shim: Shim) -> None:
    answer = shim.admin("PUT", "orders", {"schema": ORDER})
    assert (answer.status_code, answer.get_json()["error_code"]) == (404, 40492)
    shim.sink.create_topic("orders")
    answer = shim.admin("PUT", "orders", {})
    assert (answer.status_code, answer.get_json()["error_code"]) == (404, 40491)
    assert shim.client.get("/-/bindings").get_json()["bindings"] == []


def test_a_conflict_names_both_sides_and_registers_nothing(shim: Shim) -> None:
    shim.bind("orders")
    answer = shim.admin("PUT", "copies", {"subject": "orders-value", "schema": ORDER}, query="?create_topic=true")
    assert (answer.status_code, answer.get_json()["error_code"]) == (409, 40991)
    assert "'orders'" in answer.get_json()["message"]
    assert "'copies'" in answer.get_json()["message"]
    assert shim.registry.versions("orders-value") == (1,)
    assert not shim.sink.has_topic("copies")
    answer = shim.admin("PUT", "orders", {"subject": "other"})
    assert (answer.status_code, answer.get_json()["error_code"]) == (409, 40990)


def test_a_stale_revision_is_refused(shim: Shim) -> None:
    shim.bind("orders")
    answer = shim.client.delete("/-/bindings/orders", headers={"Authorization": f"Bearer {TOKEN}", "If-Match": '"7"'})
    assert (answer.status_code, answer.get_json()["error_code"]) == (412, 41290)
    assert shim.client.get("/-/bindings/orders").status_code == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"versions": "newest"}, 42292),
        ({"ownr": "x"}, 42292),
        ({"cluster": "moon"}, 42292),
        ({"topic": "other"}, 400),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(shim: Shim, fields: dict[str, object], code: int) -> None:
    answer = shim.admin("PUT", "orders", fields)
    assert answer.get_json()["error_code"] == code
    assert list(fields)[-1] in answer.get_json()["message"]


@pytest.mark.parametrize(
    "schema", ['{"type": "frob"}', "no json", '{"minimum": "a"}', '{"$ref": "https://elsewhere.example/x.json"}', "[]"]
)
def test_a_schema_that_cannot_judge_is_refused_before_it_is_registered(shim: Shim, schema: str) -> None:
    answer = shim.admin("PUT", "orders", {"schema": schema}, query="?create_topic=true")
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294)
    assert shim.registry.subjects() == []


def test_validate_judges_as_produce_would_and_sends_nothing(shim: Shim) -> None:
    shim.bind("orders")
    good = shim.client.post("/-/bindings/orders/validate", json={"records": [{"value": {"id": 1}}]})
    assert good.get_json() == {
        "topic": "orders", "records": 1, "subject": "orders-value", "version": 1, "value_schema_id": 1,
    }  # fmt: skip
    bad = shim.client.post("/-/bindings/orders/validate", json={"records": [{"value": {"id": "x"}}]})
    assert bad.get_json() == shim.send("orders", {"id": "x"}).get_json()
    assert shim.landed("orders") == []


def test_a_body_that_is_no_object_is_a_clients_fault(shim: Shim) -> None:
    answer = shim.client.put("/-/bindings/x", data=b"[1]", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)


def test_a_changed_binding_still_begins_at_the_version_it_was_bound_at(shim: Shim) -> None:
    shim.bind("orders")
    shim.register("orders-value", {"type": "object"})
    changed = shim.admin("PUT", "orders", {"owner": "shop"}, query="?replace=true").get_json()
    assert changed["bound_version"] == 1
    shim.register("other-value", {"type": "object"})
    shim.register("other-value", {"type": "array"})
    moved = shim.admin("PUT", "orders", {"subject": "other-value"}, query="?replace=true").get_json()
    assert moved["bound_version"] == 2


def test_the_list_carries_the_revision_as_the_tag_that_if_match_takes(shim: Shim) -> None:
    shim.bind("orders")
    tag = shim.client.get("/-/bindings").headers["ETag"]
    headers = {"Authorization": f"Bearer {TOKEN}", "If-Match": tag}
    assert shim.client.delete("/-/bindings/orders", headers=headers).status_code == 200
