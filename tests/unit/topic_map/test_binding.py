from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topic_map import (
    Binding,
    BindingInvalid,
    binding_from_json,
    binding_from_mapping,
    binding_to_json,
    check,
    pinned_version,
)


def test_a_topic_alone_makes_a_binding() -> None:
    """Everything but the topic has a default, and the wire subject follows Confluent's naming."""
    binding = check(binding_from_json(b'{"topic": "orders"}'))
    assert (binding.subject, binding.cluster, binding.versions) == ("orders-value", "default", "latest")
    assert check(binding) == binding


def test_a_binding_survives_its_json() -> None:
    """What is written as JSON is read back equal."""
    binding = check(Binding(topic="orders", versions="pinned 3", bound_version=2, labels={"team": "a"}, revision=9))
    assert binding_from_json(binding_to_json(binding)) == binding


def test_the_address_supplies_the_topic() -> None:
    """A document may leave out the topic that was addressed, and may not contradict it."""
    assert binding_from_json("{}", topic="orders").topic == "orders"
    assert binding_from_json('{"topic": "orders"}', topic="orders").topic == "orders"
    with pytest.raises(BindingInvalid, match="'parcels' in the document, but 'orders'"):
        binding_from_json('{"topic": "parcels"}', topic="orders")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "topic: is missing"),
        ({"topic": "a", "ownr": "b"}, "ownr: unknown field; did you mean 'owner'?"),
        ({"topic": "a", "mode": "strict"}, "mode: 'strict' is not one of enforce, observe"),
        ({"topic": "a", "labels": {"b": 1}}, "labels: Expected `str`"),
        ({"topic": "a", "bound_version": True}, "bound_version: Expected `int | null`"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(fields: dict[str, Any], message: str) -> None:
    """A wrong type or an unknown name is refused with the field and what was expected."""
    with pytest.raises(BindingInvalid) as refused:
        binding_from_mapping(fields)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("document", ["3", "[]", "null", "{", b"\xff"])
def test_what_is_no_object_is_no_binding(document: bytes | str) -> None:
    """Only a JSON object describes a binding."""
    with pytest.raises(BindingInvalid, match="binding: "):
        binding_from_json(document)


@given(st.binary() | st.text() | st.text().map(lambda text: f'{{"topic": "{text}"}}'))
def test_no_document_breaks_the_reader(document: bytes | str) -> None:
    """Whatever the bytes, reading and checking give a binding or BindingInvalid."""
    try:
        check(binding_from_json(document))
    except BindingInvalid as refused:
        assert refused.field in {"binding", "topic"}  # noqa: PT017 - most documents are refused, not all


@pytest.mark.parametrize(
    ("field", "binding"),
    [
        ("topic", Binding(topic="")),
        ("topic", Binding(topic="..")),
        ("topic", Binding(topic="a" * 250)),
        ("topic", Binding(topic="größe")),
        ("topic", Binding(topic="a\n")),
        ("subject", Binding(topic="a", subject="s" * 256)),
        ("subject", Binding(topic="a", subject="s\x7f")),
        ("subject", Binding(topic="a", subject="s\ud800")),
        ("subject", Binding(topic="a", subject=":.context:")),
        ("avro_extra", Binding(topic="a", encoding="avro", avro_extra="map")),
        ("avro_name", Binding(topic="a", encoding="avro", avro_name="Order")),
        ("avro_name", Binding(topic="a", encoding="avro", source_subject="", avro_name="an order")),
        ("avro_name", Binding(topic="a", encoding="avro", source_subject="", avro_name="a" * 256)),
        ("avro_namespace", Binding(topic="a", encoding="avro", source_subject="", avro_namespace="org..shop")),
        ("source_subject", Binding(topic="a", source_subject="s")),
        ("formats", Binding(topic="a", encoding="avro", formats="ignore")),
        ("cluster", Binding(topic="a", cluster="")),
        ("versions", Binding(topic="a", versions="pinned 0")),
        ("versions", Binding(topic="a", versions="pinned 2147483648")),
        ("versions", Binding(topic="a", versions="newest")),
        ("bound_version", Binding(topic="a", bound_version=0)),
        ("key_subject", Binding(topic="a", key="subject")),
        ("key_subject", Binding(topic="a", key_subject="s")),
        ("owner", Binding(topic="a", owner="o" * 257)),
        ("description", Binding(topic="a", description="d" * 4097)),
        ("labels", Binding(topic="a", labels={str(n): "" for n in range(65)})),
        ("labels", Binding(topic="a", labels={"": "nameless"})),
        ("labels", Binding(topic="a", labels={"long": "x" * 257})),
        ("labels", Binding(topic="a", labels={"bell": "\x07"})),
        ("revision", Binding(topic="a", revision=-1)),
    ],
)
def test_a_value_that_cannot_be_is_refused(field: str, binding: Binding) -> None:
    """Each field has its bounds, and the refusal names the field."""
    with pytest.raises(BindingInvalid) as refused:
        check(binding)
    assert refused.value.field == field


def test_keys_may_have_a_subject_of_their_own() -> None:
    """The rule and the subject go together, in every encoding of the values."""
    for encoding in ("json-schema", "avro", "json"):
        fields = {"topic": "a", "encoding": encoding, "key": "subject", "key_subject": "a-key"}
        assert check(binding_from_mapping(fields)).key_subject == "a-key"


def test_a_pinned_version_is_a_number() -> None:
    """Only 'pinned N' pins."""
    versions = [pinned_version(Binding(topic="a", versions=text)) for text in ("pinned 12", "latest", "any")]
    assert versions == [12, None, None]
