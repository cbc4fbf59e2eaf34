import json
from collections.abc import Iterator
from contextlib import closing

import pytest
import yaml

from confluent_shim.api.wire_v2 import read_request
from confluent_shim.cli.backend import Backend, Judgement
from confluent_shim.cli.store_backend import StoreBackend
from confluent_shim.cli.validate import envelope
from confluent_shim.errors import RecordsRejected
from confluent_shim.records import ProduceRequest
from tests.parts import Shim

from .conftest import Run


@pytest.fixture
def bound(shim: Shim) -> Shim:
    shim.bind("orders")
    return shim


@pytest.fixture
def backend(bound: Shim) -> Iterator[Backend]:
    """Give a store backend over the services of the shim, whose registry holds the schema."""
    with closing(StoreBackend(bound.services.settings, lambda _: bound.services)) as opened:
        yield opened


def test_events_that_conform_are_told_with_their_schema(bound: Shim, on_url: Run) -> None:
    """The answer names subject, version and id; nothing is sent."""
    done = on_url("validate", "orders", "--ndjson", "-o", "json", stdin='{"id": 1}\n\n{"id": 2}\n')
    assert (done.exit_code, done.stderr) == (0, "2 of 2 records conform\n")
    assert json.loads(done.stdout) == {
        "topic": "orders",
        "records": 2,
        "subject": "orders-value",
        "version": 1,
        "value_schema_id": 1,
    }
    assert bound.landed("orders") == []


@pytest.mark.usefixtures("bound")
def test_violations_are_told_by_record_and_pointer(on_url: Run) -> None:
    """A refused event ends with 4: the violations on stdout, the first of them on stderr."""
    events = '{"id": 1}\n{"id": "x", "dt": "never"}'
    table = on_url("validate", "orders", "--ndjson", stdin=events)
    lines = table.stdout.splitlines()
    assert (table.exit_code, lines[0].split()) == (4, ["RECORD", "POINTER", "KEYWORD", "MESSAGE"])
    assert sorted(line.split()[:3] for line in lines[1:]) == [["1", "/dt", "format"], ["1", "/id", "type"]]
    assert table.stderr.startswith("confluent-shim: Bad Request: record 1, /")
    document = yaml.safe_load(on_url("validate", "orders", "--ndjson", "-o", "yaml", stdin=events).stdout)
    assert [error["record"] for error in document["errors"]] == [1, 1]
    assert document["errors_cut"] is False


@pytest.mark.usefixtures("bound")
def test_store_and_url_find_the_same(backend: Backend, on_url: Run) -> None:
    """Both kinds of topic map judge by the same code: same violations, same words, same figures."""
    body = envelope(b'{"id": "x", "extra": 123456789012345678901234567890}', ndjson=False)
    with pytest.raises(RecordsRejected) as refusal:
        backend.validate("orders", body)
    told = on_url("validate", "orders", "-o", "json", stdin='{"id": "x", "extra": 123456789012345678901234567890}')
    document = json.loads(told.stdout)
    assert (document["errors"], document["message"]) == (refusal.value.errors, str(refusal.value))


def test_the_store_judges_events_that_conform(backend: Backend) -> None:
    """A store's judgement has the fields of HTTP's answer."""
    judged = backend.validate("orders", envelope(b'{"id": 1}', ndjson=False))
    assert judged == Judgement("orders", 1, "orders-value", 1, 1)


@pytest.mark.usefixtures("bound")
def test_a_document_with_two_readings_is_refused(on_url: Run) -> None:
    """Duplicate keys reach the shim as they are and are refused there."""
    refused = on_url("validate", "orders", stdin='{"id": 1, "id": 2}')
    assert (refused.exit_code, "duplicate-key" in refused.stdout) == (4, True)


@pytest.mark.usefixtures("bound")
def test_many_violations_are_cut_and_that_is_said(on_url: Run) -> None:
    """The shim lists a bounded number."""
    refused = on_url("validate", "orders", "--ndjson", stdin="{}\n" * 150)
    assert (refused.exit_code, len(refused.stdout.splitlines())) == (4, 101)
    assert "only the first 100 violations are listed" in refused.stderr


@pytest.mark.parametrize(
    ("event", "keyword"),
    [
        ('{"id": 1}, "key": 5, "value": {"id": 2}', "syntax"),
        ('{"id": 1}}, {"value": {"id": 2}', "syntax"),
        ('{"id": 1}\n{"id": 2}', "syntax"),
        ("{", "syntax"),
        ("[" * 5000, "depth"),
    ],
)
def test_what_is_no_event_by_itself_is_refused(run: Run, event: str, keyword: str) -> None:
    """No text can pass for more records than one, or for fields of the envelope."""
    refused = run("validate", "orders", stdin=event)
    assert refused.exit_code == 4
    assert refused.stdout.splitlines()[1].split()[:2] == ["0", keyword]


@pytest.mark.parametrize("content", ["", " \n ", "\ufeff"])
def test_no_event_is_refused(run: Run, content: str) -> None:
    """Empty input is not taken for success."""
    refused = run("validate", "orders", "--ndjson", stdin=content)
    assert (refused.exit_code, refused.stderr) == (4, "confluent-shim: there is no event to judge\n")


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b'\xef\xbb\xbf{"a" : 1.50}\n', [b'{"a" : 1.50}']),
        ('{"a": "\u00e9"}'.encode("utf-16"), ['{"a": "\u00e9"}'.encode()]),
        (b'{\n "a": 1\n}\r\n', [b'{\n "a": 1\n}']),
    ],
)
def test_the_bytes_of_an_event_are_kept(content: bytes, values: list[bytes]) -> None:
    """Nothing is written anew: the value that is judged is the value that was given."""
    request: ProduceRequest = read_request(envelope(content, ndjson=False), "orders", "jsonschema")
    assert [bytes(record.value) for record in request.records] == values


def test_an_unreadable_file_is_named(run: Run) -> None:
    """A file that is not there ends with 1."""
    failed = run("validate", "orders", "/nowhere/event.json")
    assert (failed.exit_code, failed.stderr) == (1, "confluent-shim: /nowhere/event.json: No such file or directory\n")
