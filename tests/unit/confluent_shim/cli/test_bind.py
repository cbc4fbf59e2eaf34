import json
from pathlib import Path

import pytest

from .conftest import Run


def test_a_topic_is_bound_and_the_row_is_printed(run: Run, schema_file: str) -> None:
    """Binding prints the row in force on stdout and what was done on stderr."""
    done = run("bindings", "bind", "orders", "--schema", schema_file, "--create-topic", "--label", "a=b", "-o", "json")
    row = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "topic 'orders' is bound to subject 'orders-value'\n")
    assert (row["subject"], row["bound_version"], row["labels"], row["revision"]) == ("orders-value", 1, {"a": "b"}, 1)


def test_binding_again_is_nothing_to_do(run: Run, schema_file: str) -> None:
    """What is bound already is left alone, also with its schema, and the table stays at its revision."""
    words = ("bindings", "bind", "orders", "--owner", "shop", "-o", "json")
    first = run(*words, "--schema", schema_file, "--create-topic")
    again = run(*words)
    with_schema = run(*words, "--schema", schema_file, "--create-topic")
    assert [each.exit_code for each in (first, again, with_schema)] == [0, 0, 0]
    assert again.stderr.startswith("nothing to do: ")
    assert "the binding is unchanged" in with_schema.stderr
    assert json.loads(first.stdout) == json.loads(again.stdout) == json.loads(with_schema.stdout)


def test_a_different_binding_is_refused_and_both_sides_are_named(run: Run, schema_file: str) -> None:
    """A bound topic is bound otherwise only with --replace."""
    make = ("--schema", schema_file, "--create-topic")
    run("bindings", "bind", "orders", "--owner", "shop", *make)
    refused = run("bindings", "bind", "orders", "--subject", "other", "--owner", "mail", *make)
    assert (refused.exit_code, refused.stdout) == (4, "")
    for side in ("'orders-value'", "'shop'", "'other'", "'mail'", "--replace"):
        assert side in refused.stderr
    replaced = run("bindings", "bind", "orders", "--owner", "mail", *make, "--replace", "-o", "json")
    assert (replaced.exit_code, json.loads(replaced.stdout)["owner"]) == (0, "mail")
    assert "replaced: owner" in replaced.stderr


def test_both_kinds_of_topic_map_refuse_with_the_same_words(on_store: Run, on_url: Run, schema_file: str) -> None:
    """The same command on the same state ends with the same text and code, over store and URL."""
    commands = [
        ("bindings", "bind", "orders", "--schema", schema_file),
        ("bindings", "bind", "orders", "--schema", schema_file, "--create-topic"),
        ("bindings", "bind", "other", "--subject", "orders-value", "--schema", schema_file, "--create-topic"),
        ("bindings", "bind", "other", "--cluster", "nowhere", "--schema", schema_file),
        ("bindings", "bind", "other", "--versions", "newest"),
        ("bindings", "bind", "other", "--mode", "observe"),
        ("bindings", "bind", "other", "--create-topic"),
        ("bindings", "bind", "orders", "--expected-revision", "7"),
        ("bindings", "unbind", "orders", "--expected-revision", "7"),
        ("bindings", "unbind", "nothing"),
        ("bindings", "get", "nothing"),
        ("bindings", "get", "a/b"),
        ("validate", "nothing"),
    ]
    codes = []
    for command in commands:
        stored, remote = on_store(*command, stdin="1"), on_url(*command, stdin="1")
        assert (stored.exit_code, stored.stdout, stored.stderr) == (remote.exit_code, remote.stdout, remote.stderr)
        assert stored.stderr.count("\n") == 1
        codes.append(stored.exit_code)
    assert codes == [4, 0, *[4] * 11]


@pytest.mark.parametrize("name", ["binding.yaml", "binding.json", "-"])
def test_fields_come_from_a_file(run: Run, schema_file: str, tmp_path: Path, name: str) -> None:
    """A binding may be described in YAML or JSON, in a file or on standard input."""
    text = '{"owner": "shop", "labels": {"tier": "1"}, "key": "required"}'
    source = name if name == "-" else str(tmp_path / name)
    if name != "-":
        Path(source).write_text(text)
    make = ("--schema", schema_file, "--create-topic", "-o", "json")
    done = run("bindings", "bind", "orders", "--file", source, *make, stdin=text)
    row = json.loads(done.stdout)
    assert (row["owner"], row["labels"], row["key"]) == ("shop", {"tier": "1"}, "required")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("topic: other", "'orders' was addressed"),
        ("ownr: me", "did you mean 'owner'"),
        ("- 1", "must be a JSON object"),
        ("{", "is not YAML"),
        ("{1: [", "is not YAML"),
    ],
)
def test_a_file_that_describes_no_binding_is_refused(run: Run, text: str, word: str) -> None:
    """What is wrong with the file is told in one line."""
    refused = run("bindings", "bind", "orders", "--file", "-", stdin=text)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert word in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--label", "no-equals-sign"),
        ("--mode", "sometimes"),
        ("--file", "-", "--schema", "-"),
        ("--file", "x.yaml", "--owner", "me"),
        ("--expected-revision", "-1"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(run: Run, words: tuple[str, ...]) -> None:
    """Options that mean nothing, or contradict each other, end with 2."""
    assert run("bindings", "bind", "orders", *words).exit_code == 2


def test_files_that_cannot_be_read_are_named(run: Run, tmp_path: Path) -> None:
    """A missing file and one that is no text end with 1."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\xfa")
    for path, word in (
        (f"{tmp_path}/none", "No such file"),
        (str(binary), "is not UTF-8"),
        (str(tmp_path), "Is a dir"),
    ):
        failed = run("bindings", "bind", "orders", "--schema", path)
        assert (failed.exit_code, path in failed.stderr, word in failed.stderr) == (1, True, True)


def test_the_rules_of_derived_avro_are_told_when_it_is_bound(run: Run, schema_file: str) -> None:
    """What Avro cannot carry stands on stderr; binding again, with nothing to do, asks no registry."""
    words = ("bindings", "bind", "orders", "--encoding", "avro", "--source-subject", "", "-o", "json")
    bound = run(*words, "--schema", schema_file, "--create-topic")
    row = json.loads(bound.stdout)
    assert (bound.exit_code, row["source_subject"]) == (0, "orders-value.source")
    assert bound.stderr.splitlines()[1:] == [
        "carry rule: /properties/id: int64: integers are from -9223372036854775808 to 9223372036854775807"
    ]
    again = run(*words)
    assert (again.exit_code, len(again.stderr.splitlines())) == (0, 1)


def test_the_options_of_derived_avro_are_fields_of_the_binding(run: Run, schema_file: str) -> None:
    """Each has an option of its name, and so has the strictness of JSON Schemas."""
    options = {"unknown_fields": "refuse", "whole_floats": "accept", "large_integers": "refuse", "formats": "assert"}
    options |= {"avro_extra": "map", "avro_untyped": "json", "avro_name": "Order", "avro_namespace": "org.shop"}
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    make = ("--encoding", "avro", "--source-subject", "s", "--schema", schema_file, "--create-topic", "-o", "json")
    row = json.loads(run("bindings", "bind", "orders", *make, *words).stdout)
    assert {name: row[name] for name in options} == options
