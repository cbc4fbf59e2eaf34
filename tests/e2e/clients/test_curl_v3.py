"""curl and the v3 API: batches, and streams in which each record is answered before the next is sent."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

import pytest

from tests.e2e.clients.curl import CURL, Curl, of_type
from tests.e2e.server import KINDS, Server, configuration, serving
from tests.stack import Stack

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
PLAIN_JSON = "application/json"
GUNICORN_S_BLOCK = 1024
"""Bytes of a body in chunks that gunicorn waits for before it hands any of them on."""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(request.param)
    with serving(configuration(folder, stack.kafka_bootstrap, stack.registry_url), kind=request.param) as server:
        yield server


class Target(NamedTuple):
    """A topic bound to a JSON Schema, and where its records go."""

    topic: str
    records: str


@pytest.fixture
def target(curl: Curl, server: Server, stack: Stack) -> Target:
    """Find the address as the API's user does: the only cluster, and its topics."""
    topic = f"curled-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic, partitions=4)
    server.bind(topic, schema=SCHEMA)
    (cluster,) = curl(f"{server.url}/v3/clusters").document["data"]
    return Target(topic, f"{cluster['topics']['related']}/{topic}/records")


def _record(number: object, **others: object) -> dict[str, object]:
    return {"value": {"type": "JSON", "data": {"id": number}}, **others}


def _text(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def test_a_batch_is_written_but_for_what_does_not_conform(curl: Curl, stack: Stack, target: Target) -> None:
    entries = [_record(7, id="good", partition_id=3), _record("8", id="bad")]
    ran = curl("--json", "@-", f"{target.records}:batch", stdin=_text({"entries": entries}))
    (success,), (failure,) = ran.document["successes"], ran.document["failures"]
    assert ran.facts["http_code"] == 207
    assert (success["id"], failure["id"], failure["error_code"]) == ("good", "bad", 400)
    assert "/id" in failure["message"]
    (record,) = stack.read_all(target.topic)
    assert (record.partition, record.offset) == (success["partition_id"], success["offset"]) == (3, 0)
    assert record.value == b"\0" + success["value"]["schema_id"].to_bytes(4, "big") + b'{"id":7}'


@pytest.mark.parametrize(
    "options",
    [["--data-binary", "@-"], ["--request", "POST", "--upload-file", "-"], ["--http1.0", "--data-binary", "@-"]],
    ids=["length", "chunked", "http1.0"],
)
def test_a_file_of_records_has_a_line_for_each(curl: Curl, stack: Stack, target: Target, options: list[str]) -> None:
    records = [_record(1), _record("2"), _record(3)]
    text = b"\n".join(map(_text, records))
    ran = curl(*of_type(PLAIN_JSON), *options, target.records, stdin=text)
    lines = [json.loads(line) for line in ran.output.splitlines()]
    assert ran.facts["http_code"] == 200
    assert [line["error_code"] for line in lines] == [200, 400, 200]
    assert "/id" in lines[1]["message"]
    written = {(line["partition_id"], line["offset"]) for line in lines if line["error_code"] == 200}
    assert {(record.partition, record.offset) for record in stack.read_all(target.topic)} == written


def test_each_record_of_a_stream_is_answered_before_the_next_is_sent(stack: Stack, target: Target) -> None:
    with _streaming(target.records) as (requests, answers):
        codes = []
        for number in (1, "2", 3):
            requests.write(_text(_record(number)).ljust(GUNICORN_S_BLOCK))
            requests.flush()
            codes.append(json.loads(answers.readline())["error_code"])
            assert stack.end_offsets(target.topic) == codes.count(200)
        requests.close()
        assert answers.read() == b""
    assert codes == [200, 400, 200]


def test_a_stream_that_waits_for_100_continue_gets_it(curl: Curl, target: Target) -> None:
    # curl waits so before each body whose length it does not know, here for longer than the test lasts.
    patient = ["--verbose", "--expect100-timeout", "60", "--request", "POST", "--upload-file", "-"]
    ran = curl(*patient, *of_type(PLAIN_JSON), target.records, stdin=_text(_record(1)))
    assert "> Expect: 100-continue" in ran.errors
    assert "< HTTP/1.1 100 Continue" in ran.errors
    assert ran.document["error_code"] == 200


@contextmanager
def _streaming(address: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run curl between two pipes; `--upload-file .` has it read answers while it waits for more to send.

    With a bound of time curl would wait for its input alone, so there is none.
    """
    sending = ["--no-buffer", "--request", "POST", "--upload-file", ".", *of_type(PLAIN_JSON)]
    pipe = subprocess.PIPE
    with subprocess.Popen([*CURL, *sending, address], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0
