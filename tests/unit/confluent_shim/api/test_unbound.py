"""Topics without a binding, where the settings let them pass: the shim is a REST Proxy for them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from jsonschema_bridge import RegisteredSchema, RegistryUnauthorized, RegistryUnavailable, Schema, SchemaIncompatible
from jsonschema_bridge.registry import MemoryRegistry
from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, Shim, memory_shim

PROTOBUF = "application/vnd.kafka.protobuf.v2+json"
INTEGER = '{"type":"integer"}'
POINT = '{"type":"record","name":"Point","fields":[{"name":"x","type":"int"}]}'


@pytest.fixture
def shim() -> Iterator[Shim]:
    """Yield a shim that lets unbound topics pass and whose producers register nothing."""
    with memory_shim(unbound="pass") as shim:
        yield shim


@pytest.fixture
def open_shim() -> Iterator[Shim]:
    """Yield one whose producers may register."""
    with memory_shim(unbound="pass", producers_may_register=True) as shim:
        yield shim


def value(value: object, **claims: object) -> dict[str, Any]:
    return {"records": [{"value": value}], **claims}


class TestWithoutSchema:
    def test_json_lands_as_it_was_sent(self, shim: Shim) -> None:
        answer = shim.produce("t", '{"records":[{"value":{"b": 1.10,"a":[ ]}},{"value":null}]}', JSON)
        assert answer.status_code == 200
        assert answer.get_json()["value_schema_id"] is None
        assert shim.landed("t") == [b'{"b": 1.10,"a":[ ]}', None]

    def test_what_is_said_of_schemas_is_ignored_as_confluent_ignores_it(self, shim: Shim) -> None:
        assert shim.produce("t", value("x", value_schema_id=999, value_schema="{"), JSON).status_code == 200

    def test_json_keys_are_written_as_confluent_writes_them(self, shim: Shim) -> None:
        shim.produce("t", '{"records":[{"key": {"k": 1e2},"value":1},{"key":1e400,"value":2}]}', JSON)
        assert sorted(record.key or b"" for record in shim.sink.landed("t")) == [b'"Infinity"', b'{"k":100.0}']

    def test_binary_is_any_bytes(self, shim: Shim) -> None:
        body = {"records": [{"key": "AAE", "value": "AP8="}, {"value": ""}]}
        assert shim.produce("t", body, BINARY).status_code == 200
        assert sorted((record.key, record.value) for record in shim.sink.landed("t") if record.key) == [
            (b"\0\1", b"\0\xff")
        ]
        assert b"" in shim.landed("t")

    def test_what_is_no_base64_is_refused_with_every_violation(self, shim: Shim) -> None:
        answer = shim.produce("t", {"records": [{"value": "A-_"}, {"value": 1}]}, BINARY)
        assert answer.status_code == 400
        assert [error["record"] for error in answer.get_json()["errors"]] == [0, 1]
        assert shim.landed("t") == []

    def test_lenient_requests_work_here_too(self, shim: Shim) -> None:
        answer = shim.produce("t", {"records": [{"value": 1}, {"value": "AA=="}]}, BINARY, Prefer="handling=lenient")
        assert [offset["error_code"] for offset in answer.get_json()["offsets"]] == [400, None]


class TestReading:
    @pytest.mark.parametrize(
        ("sent", "lands"),
        [
            ('{"records":[{"value":1,"value":2}]}', b"2"),
            ('{"records":[{"value":{"a":1,"a":2}}]}', b'{"a":1,"a":2}'),
            ('{"records":[],"records":[{"value":1e400}]}', b"1e400"),
            (r'{"records":[{"value":"\ud800"}]}', rb'"\uD800"'),
        ],
    )
    def test_what_has_several_readings_has_confluent_s(self, shim: Shim, sent: str, lands: bytes) -> None:
        assert shim.produce("t", sent, JSON).status_code == 200
        assert shim.landed("t") == [lands]

    @pytest.mark.parametrize(
        "sent",
        [
            b'{"records":[{"value":NaN}]}',
            b'{"records":[{"value":["\\ud800",NaN]}]}',
            b'{"records":[{"value":"\xff"}]}',
            b'{"records":[{"value":"\\ud800\xff"}]}',
            b'{"records":[{"value":' + b"[" * 300 + b"]" * 300 + b"}]}",
            b'{"records":[{"value":["\\ud800",' + b"[" * 300 + b"]" * 300 + b"]}]}",
        ],
    )
    def test_what_confluent_does_not_read_is_refused(self, shim: Shim, sent: bytes) -> None:
        answer = shim.produce("t", sent, JSON)
        assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)

    def test_a_schema_judges_no_half_of_a_surrogate_pair(self, open_shim: Shim) -> None:
        body = r'{"value_schema":"{}","records":[{"value":"\ud800"}]}'
        assert open_shim.produce("t", body, JSON_SCHEMA).status_code == 400

    def test_bound_topics_at_its_side_stay_strict(self, shim: Shim) -> None:
        shim.bind("orders")
        assert shim.produce("orders", '{"records":[{"value":{"id":1,"id":2}}]}').status_code == 400


class TestSchemas:
    @pytest.mark.parametrize(
        ("content_type", "schema", "sent", "lands"),
        [
            (JSON_SCHEMA, INTEGER, 7, b"\0\0\0\0\1" + b"7"),
            (AVRO, POINT, {"x": 7}, b"\0\0\0\0\1" + b"\x0e"),
        ],
    )
    def test_a_text_that_the_subject_holds_judges_and_frames(
        self, shim: Shim, content_type: str, schema: str, sent: object, lands: bytes
    ) -> None:
        shim.registry.register("t-value", Schema(schema, "AVRO" if content_type == AVRO else "JSON"))
        respelled = json.dumps(json.loads(schema), indent=1)
        for claims in ({"value_schema": schema}, {"value_schema": respelled}, {"value_schema_id": 1}):
            answer = shim.produce("t", value(sent, **claims), content_type)
            assert (answer.status_code, answer.get_json()["value_schema_id"]) == (200, 1)
        assert shim.landed("t") == [lands] * 3
        wrong = shim.produce("t", value("no number", value_schema_id=1), content_type)
        assert (wrong.status_code, wrong.get_json()["errors"][0]["keyword"]) == (400, "type")

    def test_keys_have_a_subject_of_their_own(self, open_shim: Shim) -> None:
        body = {"key_schema": '"string"', "value_schema": POINT, "records": [{"key": "k", "value": {"x": 1}}]}
        answer = open_shim.produce("t", body, AVRO)
        assert (answer.get_json()["key_schema_id"], answer.get_json()["value_schema_id"]) == (1, 2)
        assert open_shim.registry.subjects() == ["t-key", "t-value"]
        assert open_shim.sink.landed("t")[0].key == b"\0\0\0\0\1\2k"

    def test_a_null_is_a_tombstone_whatever_the_schema_says(self, open_shim: Shim) -> None:
        answer = open_shim.produce("t", value(None, value_schema=INTEGER), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["value_schema_id"]) == (200, 1)
        assert open_shim.landed("t") == [None]

    def test_nulls_alone_need_no_schema(self, shim: Shim) -> None:
        assert shim.produce("t", {"records": [{"key": None, "value": None}]}, AVRO).status_code == 200
        assert shim.landed("t") == [None]

    @pytest.mark.parametrize(
        ("record", "code", "part"), [({"key": 1, "value": 1}, 42201, "key"), ({"value": 1}, 42202, "value")]
    )
    def test_any_other_key_or_value_needs_one(
        self, shim: Shim, record: dict[str, object], code: int, part: str
    ) -> None:
        answer = shim.produce("t", {"records": [{"value": None}, record]}, JSON_SCHEMA)
        message = f"Request includes {part}s but does not include {part} schema"
        assert (answer.status_code, answer.get_json()) == (422, {"error_code": code, "message": message})

    def test_a_schema_that_cannot_be_had_comes_before_one_that_is_missing(self, shim: Shim) -> None:
        """Both schemas are looked for before any record is."""
        body = {"value_schema_id": 9, "records": [{"key": 1, "value": 1}]}
        assert shim.produce("t", body, AVRO).get_json()["error_code"] == 42207

    def test_what_no_field_of_avro_takes_is_refused_and_not_dropped(self, open_shim: Shim) -> None:
        answer = open_shim.produce("t", value({"x": 1, "y": 2}, value_schema=POINT), AVRO)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (400, "/y")
        assert open_shim.landed("t") == []

    def test_protobuf_needs_a_rest_proxy(self, shim: Shim) -> None:
        answer = shim.produce("t", value({"a": 1}, value_schema="message M {}"), PROTOBUF)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42290)
        assert "REST Proxy" in answer.get_json()["message"]


class TestRegistering:
    def test_a_text_is_registered_where_producers_may(self, open_shim: Shim) -> None:
        wider = POINT.replace("]}", ',{"name":"y","type":"int","default":0}]}')
        for schema, document in ((POINT, {"x": 1}), (wider, {"x": 1, "y": 2})):
            assert open_shim.produce("t", value(document, value_schema=schema), AVRO).status_code == 200
        assert open_shim.registry.versions("t-value") == (1, 2)

    @pytest.mark.parametrize("content_type", [AVRO, JSON_SCHEMA])
    def test_and_refused_in_confluent_s_words_where_they_may_not(self, shim: Shim, content_type: str) -> None:
        schema = '{ "type" : "string" }'
        answer = shim.produce("t", value("x", value_schema=schema), content_type)
        shown = 'format = AVRO, subject = t-value, schema = "string"'
        if content_type == JSON_SCHEMA:
            shown = 'format = JSONSCHEMA, subject = t-value, schema = {"type":"string"}'
        body = answer.get_json()
        assert (answer.status_code, body["error_code"]) == (422, 42207)
        assert body["message"].split("\n")[0] == (f"Error serializing message. Error when registering schema. {shown}")
        assert shim.registry.subjects() == []

    def test_nested_primitives_of_avro_are_shown_by_their_names(self, shim: Shim) -> None:
        date = {"type": "int", "logicalType": "date"}
        fields = [{"name": "a", "type": {"type": "array", "items": {"type": "int"}}}, {"name": "b", "type": date}]
        sent = json.dumps([{"type": "null"}, {"type": "record", "name": "R", "fields": fields}])
        message = shim.produce("t", value(None, value_schema=sent), AVRO).get_json()["message"]
        assert message.split("\n")[0].partition("schema = ")[2] == (
            '["null",{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"int"}},'
            '{"name":"b","type":{"type":"int","logicalType":"date"}}]}]'
        )

    def test_a_bound_topic_never_registers(self, open_shim: Shim) -> None:
        open_shim.bind("orders")
        answer = open_shim.produce("orders", value({"id": 1}, value_schema=INTEGER))
        assert answer.get_json()["error_code"] == 42207
        assert open_shim.registry.versions("orders-value") == (1,)

    def test_validating_registers_nothing_and_needs_a_binding(self, open_shim: Shim) -> None:
        answer = open_shim.client.post(
            "/-/bindings/t/validate", json=value(1, value_schema=INTEGER), headers={"Content-Type": JSON_SCHEMA}
        )
        assert (answer.status_code, answer.get_json()["error_code"]) == (404, 40401)
        assert open_shim.registry.subjects() == []

    @pytest.mark.parametrize(
        ("content_type", "schema", "code"),
        [
            (AVRO, "foobar", 42205),
            (AVRO, '{"type":"frob"}', 42205),
            (JSON_SCHEMA, "{", 42205),
            (JSON_SCHEMA, '{"type":"frob"}', 42207),
            (JSON_SCHEMA, '{"$ref":"nowhere.json"}', 42207),
        ],
    )
    def test_what_is_no_schema_is_refused(self, open_shim: Shim, content_type: str, schema: str, code: int) -> None:
        answer = open_shim.produce("t", value(1, value_schema=schema), content_type)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, code)
        assert open_shim.registry.subjects() == []


class TestWhatConfluentAnswersWith500:
    @pytest.mark.parametrize("part", ["key", "value"])
    def test_a_schema_that_is_named_twice_is_refused(self, shim: Shim, part: str) -> None:
        schema_id = shim.registry.register(f"t-{part}", Schema(INTEGER, "JSON")).schema_id
        claims = {f"{part}_schema": INTEGER, f"{part}_schema_id": schema_id}
        answer = shim.produce("t", {"records": [{"value": None}], **claims}, JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 422)

    def test_an_id_of_another_type_of_schema_is_refused(self, shim: Shim) -> None:
        shim.registry.register("t-value", Schema('"int"', "AVRO"))
        answer = shim.produce("t", value(1, value_schema_id=1), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)

    def test_unless_the_registry_has_one_id_for_both(self) -> None:
        registry = OneIdForTwoKinds()
        registry.register("t-value", Schema('{"type":"string"}', "AVRO"))
        with memory_shim(unbound="pass", registry=registry) as shim:
            answer = shim.produce("t", value("x", value_schema_id=1), JSON_SCHEMA)
        assert answer.status_code == 200
        assert shim.landed("t") == [b'\0\0\0\0\1"x"']

    def test_a_negative_partition_is_refused(self, shim: Shim) -> None:
        answer = shim.produce("t", {"records": [{"value": 1, "partition": -1}]}, JSON)
        assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)


class TestIds:
    def test_an_id_must_be_of_the_subject(self, shim: Shim) -> None:
        shim.registry.register("other-value", Schema('"string"', "AVRO"))
        answer = shim.produce("t", value("x", value_schema_id=1), AVRO)
        assert answer.status_code == 422
        assert answer.get_json() == {
            "error_code": 42207,
            "message": "Error serializing message. Error when fetching schema version. subject = t-value, "
            'schema = "string"\nSchema not found; error code: 40403',
        }

    @pytest.mark.parametrize("schema_id", [0, -1, 999])
    def test_an_id_must_be_there(self, shim: Shim, schema_id: int) -> None:
        answer = shim.produce("t", value("x", value_schema_id=schema_id), AVRO)
        assert answer.get_json()["message"] == (
            f"Error serializing message. Error when fetching schema by id. schemaId = {schema_id}\n"
            f"Schema {schema_id} not found; error code: 40403"
        )


class OneIdForTwoKinds(MemoryRegistry):
    """Finds a text whatever kind is meant, as some registries do."""

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        (entry,) = self._entries(subject)
        return replace(entry, schema=schema)


class Failing(MemoryRegistry):
    """Refuses to register, or anything at all, with one error."""

    def __init__(self, error: Exception, *, everything: bool = False) -> None:
        super().__init__()
        self._error = error
        self._everything = everything

    def lookup(self, subject: str, schema: Schema) -> RegisteredSchema:
        if self._everything:
            raise self._error
        return super().lookup(subject, schema)

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        del subject, schema
        raise self._error

    def schema(self, schema_id: int) -> Schema:
        del schema_id
        raise self._error


class TestTheRegistryRefuses:
    def test_an_incompatible_version_is_refused_with_its_reason(self) -> None:
        refused = SchemaIncompatible("t-value", "READER_FIELD_MISSING_DEFAULT_VALUE")
        with memory_shim(unbound="pass", producers_may_register=True, registry=Failing(refused)) as shim:
            answer = shim.produce("t", value(1, value_schema=INTEGER), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)
        assert answer.get_json()["message"].endswith("\nREADER_FIELD_MISSING_DEFAULT_VALUE; error code: 409")

    @pytest.mark.parametrize("everything", [True, False])
    @pytest.mark.parametrize("claims", [{"value_schema": INTEGER}, {"value_schema_id": 1}])
    def test_missing_rights_are_403(self, claims: dict[str, object], everything: bool) -> None:
        registry = Failing(RegistryUnauthorized("HTTP 403"), everything=everything)
        with memory_shim(unbound="pass", producers_may_register=True, registry=registry) as shim:
            answer = shim.produce("t", value(1, **claims), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (403, 40301)
        assert answer.get_json()["message"].startswith("Error when ")

    @pytest.mark.parametrize("claims", [{"value_schema": INTEGER}, {"value_schema_id": 1}])
    def test_silence_is_503_because_the_request_may_be_good(self, claims: dict[str, object]) -> None:
        registry = Failing(RegistryUnavailable("no answer"), everything=True)
        with memory_shim(unbound="pass", registry=registry) as shim:
            answer = shim.produce("t", value(1, **claims), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (503, 50391)

    def test_a_registered_schema_that_judges_nothing_is_refused(self, shim: Shim) -> None:
        shim.registry.register("t-value", Schema('{"type":"frob"}', "JSON"))
        answer = shim.produce("t", value(1, value_schema_id=1), JSON_SCHEMA)
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)


class TestKafka:
    @pytest.mark.parametrize("path", ["t%C3%A9", "%2E%2E", "a%20b", "x" * 250])
    def test_a_name_that_no_topic_can_have_is_an_error_of_each_record(self, shim: Shim, path: str) -> None:
        answer = shim.produce(path, {"records": [{"value": 1}, {"value": 2}]}, JSON)
        assert answer.status_code == 200
        assert [offset["error_code"] for offset in answer.get_json()["offsets"]] == [50002, 50002]

    def test_a_partition_that_is_not_there_is_one_too(self, shim: Shim) -> None:
        answer = shim.produce("t/partitions/99", {"records": [{"value": 1}, {"value": 2, "partition": 1}]}, JSON)
        assert [offset["error_code"] for offset in answer.get_json()["offsets"]] == [50003, None]

    def test_metrics_have_one_label_for_all_of_them(self, shim: Shim) -> None:
        shim.produce("some-name", value(1), JSON)
        shim.produce("other-name", value(1), BINARY)
        shim.produce("other-name", value(1), PROTOBUF)
        text = shim.client.get("/-/metrics").text
        assert 'confluent_shim_records_total{outcome="written",topic="(unbound)"} 1.0' in text
        assert 'confluent_shim_rejected_records_total{reason="base64",topic="(unbound)"} 1.0' in text
        assert 'confluent_shim_rejected_records_total{reason="FormatRefused",topic="(unbound)"} 1.0' in text
        assert "name" not in {line.partition('topic="')[2].partition('"')[0] for line in text.splitlines()}
