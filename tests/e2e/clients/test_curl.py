"""curl as people use it: what it sends by itself, and what an exit status and a body tell a script."""

import json
import uuid
from base64 import b64encode
from collections.abc import Sequence

import pytest

from tests.e2e.clients import confluent
from tests.e2e.clients.curl import REFUSED, Curl, of_type
from tests.e2e.server import Server
from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, V2
from tests.stack import Stack

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
RECORD = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}
GOOD, BAD = b'{"records":[{"value":{"id":7}}]}', b'{"records":[{"value":{"id":"7"}}]}'


@pytest.fixture
def topic(server: Server, stack: Stack) -> str:
    """Give a topic bound to a JSON Schema."""
    return _bound(server, stack, SCHEMA, "json-schema")


def _bound(server: Server, stack: Stack, schema: object, encoding: str) -> str:
    name = f"curled-{uuid.uuid4().hex[:8]}"
    stack.create_topic(name, partitions=4)
    server.bind(name, schema=schema, encoding=encoding)
    return name


@pytest.mark.parametrize(
    ("content_type", "encoding", "payload"),
    [(JSON, "json-schema", b'{"id":7}'), (JSON_SCHEMA, "json-schema", b'{"id":7}'), (AVRO, "avro", b"\x0e")],
    ids=["json", "jsonschema", "avro"],
)
def test_a_script_writes_what_conforms_and_learns_why_the_rest_was_refused(
    curl: Curl, server: Server, stack: Stack, content_type: str, encoding: str, payload: bytes
) -> None:
    topic = _bound(server, stack, SCHEMA if encoding == "json-schema" else RECORD, encoding)
    address = f"{server.url}/topics/{topic}"
    written = curl("--fail-with-body", *of_type(content_type), "--data", GOOD.decode(), address)
    refused = curl("--fail-with-body", *of_type(content_type), "--data", BAD.decode(), address)

    assert (written.exit, written.facts["content_type"]) == (0, V2)
    (offset,) = written.document["offsets"]
    assert (refused.exit, refused.facts["http_code"]) == (REFUSED, 400)
    assert "record 0, /id" in refused.document["message"]
    (record,) = stack.read_all(topic)
    assert (record.partition, record.offset) == (offset["partition"], offset["offset"])
    assert record.value == b"\0" + written.document["value_schema_id"].to_bytes(4, "big") + payload


def test_bytes_are_written_as_they_are_when_they_conform(curl: Curl, server: Server, stack: Stack, topic: str) -> None:
    address = f"{server.url}/topics/{topic}/partitions/2"
    schema_id = curl(*of_type(JSON), "--data", GOOD.decode(), address).document["value_schema_id"]
    framed = b"\0" + schema_id.to_bytes(4, "big") + b'{ "id": 8 }'
    written = curl("--fail-with-body", *of_type(BINARY), "--data", _bytes(framed), address)
    refused = curl("--fail-with-body", *of_type(BINARY), "--data", _bytes(b'{"id":8}'), address)
    assert (written.exit, refused.exit) == (0, REFUSED), written.output
    assert [record.value for record in stack.read_all(topic)][1:] == [framed]
    assert {record.partition for record in stack.read_all(topic)} == {2}


def _bytes(value: bytes) -> str:
    return json.dumps({"records": [{"value": b64encode(value).decode()}]})


@pytest.mark.parametrize(
    ("options", "version"),
    [
        (["--header", "Transfer-Encoding: chunked", "--data-binary", "@-"], "1.1"),
        (["--request", "POST", "--upload-file", "-"], "1.1"),
        (["--http1.0", "--data-binary", "@-"], "1"),
        (["--http2-prior-knowledge", "--data-binary", "@-"], "2"),
    ],
    ids=["chunked", "upload", "http1.0", "http2"],
)
def test_a_body_is_judged_however_it_travels(
    curl: Curl, server: Server, stack: Stack, topic: str, options: Sequence[str], version: str
) -> None:
    address = f"{server.url}/topics/{topic}"
    written, refused = (curl(*of_type(JSON), *options, address, stdin=body) for body in (GOOD, BAD))
    assert [(ran.facts["http_code"], ran.facts["http_version"]) for ran in (written, refused)] == [
        (200, version),
        (400, version),
    ]
    assert [record.value[5:] for record in stack.read_all(topic) if record.value] == [b'{"id":7}']


def test_a_client_that_waits_for_100_continue_gets_it(curl: Curl, server: Server, topic: str) -> None:
    # Without the interim answer curl would wait longer than it has.
    patient = ["--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "60"]
    ran = curl(*patient, *of_type(JSON), "--data", GOOD.decode(), f"{server.url}/topics/{topic}")
    assert ran.facts["http_code"] == 200, ran.errors
    assert "< HTTP/1.1 100 Continue" in ran.errors


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(curl: Curl, server: Server, topic: str) -> None:
    # curl asks by itself before it sends a megabyte and more.
    body = b'{"records":[{"value":{"id":7}}' + b" " * 11_000_000 + b"]}"
    patient = ["--expect100-timeout", "60", "--data-binary", "@-"]
    ran = curl(*patient, *of_type(JSON), f"{server.url}/topics/{topic}", stdin=body)
    assert (ran.facts["http_code"], ran.facts["size_upload"]) == (413, 0)
    assert ran.document["error_code"] == 413


def test_requests_of_one_run_share_a_connection(curl: Curl, server: Server, stack: Stack, topic: str) -> None:
    address = f"{server.url}/topics/{topic}"
    ran = curl("--compressed", *of_type(JSON), "--data", GOOD.decode(), address, address, address)
    assert ran.facts["num_connects"] == 0
    assert stack.end_offsets(topic) == 3


@pytest.mark.parametrize("option", ["--data", "--json"])
def test_without_a_content_type_of_its_own_the_answer_is_415_as_in_confluent(
    curl: Curl, server: Server, topic: str, option: str
) -> None:
    ran = curl(option, GOOD.decode(), f"{server.url}/topics/{topic}")
    assert (ran.facts["http_code"], ran.document) == confluent.to_a_content_type_it_does_not_have()


def test_topics_and_clusters_are_told(curl: Curl, server: Server, topic: str) -> None:
    listed = curl(f"{server.url}/topics")
    told = curl(f"{server.url}/topics/{topic}").document
    (cluster,) = curl("--header", "Accept: application/json", f"{server.url}/v3/clusters").document["data"]
    assert topic in listed.document
    assert [partition["partition"] for partition in told["partitions"]] == [0, 1, 2, 3]
    found = curl(f"{cluster['topics']['related']}/{topic}").document
    assert (found["topic_name"], found["partitions_count"]) == (topic, 4)


def test_a_head_has_the_headers_of_the_get_and_no_body(curl: Curl, server: Server, topic: str) -> None:
    address = f"{server.url}/topics/{topic}"
    head, get = curl("--head", address), curl("--include", address)
    assert (head.facts["http_code"], head.facts["content_type"]) == (200, V2)
    assert f"content-length: {get.facts['size_download']}" in head.output
    assert head.facts["size_download"] == 0
