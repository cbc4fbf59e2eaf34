import getpass
import json
from pathlib import Path
from typing import Any

import yaml

from tests.parts import ORDER, Shim

from .conftest import Run


def _bind(run: Run, schema_file: str, topic: str = "orders") -> None:
    assert run("bindings", "bind", topic, "--schema", schema_file, "--create-topic", "--why", "start").exit_code == 0


def test_the_list_is_told_in_every_form(run: Run, schema_file: str) -> None:
    """The table has a line per binding, sorted by topic; JSON and YAML hold the same document."""
    _bind(run, schema_file)
    _bind(run, schema_file, "events")
    table = run("bindings", "list")
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["TOPIC", "events", "orders"]
    as_json, as_yaml = run("bindings", "list", "-o", "json"), run("bindings", "list", "-o", "yaml")
    document = json.loads(as_json.stdout)
    assert document == yaml.safe_load(as_yaml.stdout)
    assert (document["revision"], [row["topic"] for row in document["bindings"]]) == (2, ["events", "orders"])
    assert (table.stderr, as_json.stderr, as_yaml.stderr) == ("", "", "")


def test_an_empty_table_is_no_error(run: Run) -> None:
    """Where nothing is bound the list is its head alone, and a note on stderr says so."""
    empty = run("bindings", "list")
    assert (empty.exit_code, empty.stdout.count("\n"), empty.stderr) == (0, 1, "no topic is bound\n")
    assert json.loads(run("bindings", "list", "-o", "json").stdout) == {
        "revision": 0,
        "bindings": [],
        "gone": {},
        "unasked": [],
    }


def test_the_list_tells_what_is_gone(on_url: Run, schema_file: str, shim: Shim) -> None:
    """A topic or subject that was deleted is told in its row and in the document."""
    _bind(on_url, schema_file)
    _bind(on_url, schema_file, "events")
    shim.sink.delete_topic("orders")
    shim.registry.delete("events-value")
    shim.bind("other")
    table = on_url("bindings", "list").stdout.splitlines()
    gone = {line.split()[0]: line[table[0].index("GONE") :] for line in table}
    assert gone == {"TOPIC": "GONE", "events": "subject events-value", "orders": "topic", "other": ""}
    document = json.loads(on_url("bindings", "list", "-o", "json").stdout)
    assert document["gone"] == {"events": ["subject events-value"], "orders": ["topic"]}
    assert document["unasked"] == []


def test_without_a_shim_kafka_and_the_registry_are_asked_for_what_is_gone(on_store: Run, schema_file: str) -> None:
    """What is kept in memory is another one in each process, and so has lost everything."""
    _bind(on_store, schema_file)
    document = json.loads(on_store("bindings", "list", "-o", "json").stdout)
    assert document["gone"] == {"orders": ["topic", "subject orders-value"]}


def test_the_table_can_be_looked_at_where_nothing_else_is_configured(
    on_store: Run, schema_file: str, config_file: str
) -> None:
    """A copy of the file needs no Kafka to be read; that nothing is known of what is gone is noted."""
    _bind(on_store, schema_file)
    config = Path(config_file)
    config.write_text(config.read_text().partition("[clusters")[0])
    table = on_store("bindings", "list")
    assert (table.exit_code, len(table.stdout.splitlines())) == (0, 2)
    assert table.stderr.startswith("what is gone is not known: clusters.default.registry.url is missing")


def test_one_binding_is_shown(run: Run, schema_file: str) -> None:
    """The fields stand below each other; JSON is the row."""
    _bind(run, schema_file)
    assert "\nsubject         orders-value\n" in run("bindings", "get", "orders").stdout
    assert json.loads(run("bindings", "get", "orders", "-o", "json").stdout)["subject"] == "orders-value"


def test_unbinding_frees_the_topic(run: Run, schema_file: str) -> None:
    """An unbound topic is gone from the table, and the answer has the new revision."""
    _bind(run, schema_file)
    done = run("bindings", "unbind", "orders", "--expected-revision", "1", "--why", "moved", "-o", "yaml")
    assert (done.exit_code, yaml.safe_load(done.stdout)) == (0, {"topic": "orders", "revision": 2})
    assert run("bindings", "get", "orders").exit_code == 4


def test_history_tells_who_did_what_and_why(run: Run, schema_file: str) -> None:
    """Each change is a line, the newest first, under the name of the local user."""
    _bind(run, schema_file)
    run("bindings", "bind", "orders", "--owner", "shop", "--replace", "--schema", schema_file, "--create-topic")
    run("bindings", "unbind", "orders", "--why", "moved")
    lines = run("bindings", "history", "orders").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert all(getpass.getuser() in line for line in lines)
    assert lines[0].split()[-4:] == ["unbound", "from", "orders-value", "moved"]
    assert "rebound: owner '' -> 'shop'" in lines[1]
    assert "bound to orders-value" in lines[2]
    assert lines[2].endswith("start")
    newest = json.loads(run("bindings", "history", "orders", "--limit", "1", "-o", "json").stdout)
    assert [(entry["revision"], entry["after"]) for entry in newest["history"]] == [(3, None)]


def test_a_topic_without_history_is_no_error(run: Run) -> None:
    """Where nothing happened, that is said."""
    empty = run("bindings", "history", "orders")
    assert (empty.exit_code, empty.stderr) == (0, "nothing has happened yet\n")


def test_without_a_topic_the_history_of_all_is_told(run: Run, schema_file: str) -> None:
    """Each topic's changes stand in one list, the newest first."""
    _bind(run, schema_file)
    _bind(run, schema_file, "events")
    assert len(run("bindings", "history").stdout.splitlines()) == 3


def test_derived_avro_is_shown_and_registered(on_url: Run, shim: Shim, schema_file: str) -> None:
    """Until it is registered it has neither version nor id; the rules stand on stderr."""
    make = ("--encoding", "avro", "--source-subject", "", "--schema", schema_file, "--create-topic")
    on_url("bindings", "bind", "orders", *make)
    shim.register("orders-value.source", {**ORDER, "title": "Order"})
    shown = on_url("bindings", "derive", "orders", "--dry-run", "-o", "json")
    document = json.loads(shown.stdout)
    assert (document["source_version"], document["version"], document["schema"]["name"]) == (2, None, "Order")
    assert shown.stderr.startswith("carry rule: /properties/id: int64: ")
    table = on_url("bindings", "derive", "orders")
    assert (table.exit_code, table.stdout.splitlines()[1:5]) == (
        0,
        [
            "source_subject  orders-value.source",
            "source_version  2",
            "subject         orders-value",
            "version         2",
        ],
    )


def test_the_version_in_force_is_told_with_what_it_changed(on_url: Run, shim: Shim, schema_file: str) -> None:
    """And those that are not adopted, with why; the row alone is on stdout."""
    on_url("bindings", "bind", "orders", "--schema", schema_file, "--create-topic", "--compatibility", "additive")
    assert on_url("bindings", "get", "orders").stderr == "version 1 of subject 'orders-value' is in force\n"
    members: dict[str, object] = {f"m{number}": {} for number in range(7)}
    properties: Any = ORDER["properties"]
    shim.register("orders-value", {**ORDER, "properties": {**properties, **members}})
    shim.register("orders-value", {**ORDER, "required": []})
    got = on_url("bindings", "get", "orders", "-o", "json")
    assert json.loads(got.stdout)["compatibility"] == "additive"
    first, passed = got.stderr.splitlines()
    added = ", ".join(f"/m{number} was added" for number in range(5))
    assert first == f"version 2 of subject 'orders-value' is in force; since version 1: {added} (and 2 more)"
    assert passed.startswith("version 3 is not adopted: /m0 disappeared, ")


def test_a_schema_that_is_bound_again_tells_what_it_changed(on_url: Run, schema_file: str, tmp_path: Path) -> None:
    """As soon as it is in force."""
    _bind(on_url, schema_file)
    later = tmp_path / "later.json"
    properties: Any = ORDER["properties"]
    later.write_text(json.dumps({**ORDER, "properties": {**properties, "more": {}}}))
    bound = on_url("bindings", "bind", "orders", "--schema", str(later))
    assert bound.stderr.endswith("is in force; since version 1: /more was added\n"), bound.stderr


def test_a_topic_that_takes_nothing_says_so(on_url: Run, shim: Shim, schema_file: str) -> None:
    """The row is shown all the same."""
    on_url("bindings", "bind", "orders", "--schema", schema_file, "--create-topic", "--versions", "pinned 1")
    shim.register("orders-value", {})
    shim.registry.delete("orders-value", 1)
    got = on_url("bindings", "get", "orders")
    assert (got.exit_code, got.stdout.startswith("topic ")) == (0, True)
    assert got.stderr == "no version of subject 'orders-value' is in force: the topic takes no records\n"


def test_a_binding_is_shown_while_its_registry_cannot_be_asked(on_url: Run, shim: Shim, schema_file: str) -> None:
    """What cannot be told is said."""
    on_url("bindings", "bind", "orders", "--schema", schema_file, "--create-topic")
    shim.registry.delete("orders-value")
    got = on_url("bindings", "get", "orders")
    assert (got.exit_code, got.stdout.startswith("topic ")) == (0, True)
    assert got.stderr.startswith("which version is in force cannot be told: "), got.stderr


def test_nothing_is_derived_for_a_topic_without_a_source_subject(run: Run, schema_file: str) -> None:
    """The command ends with 4 and says so."""
    _bind(run, schema_file)
    refused = run("bindings", "derive", "orders")
    assert (refused.exit_code, "nothing is derived for topic 'orders'" in refused.stderr) == (4, True)
