import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.confluent_shim.cli.conftest import invoke

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
ORDER = {
    "$schema": DRAFT_7,
    "title": "Order",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
    "additionalProperties": False,
}


def written(folder: Path, name: str, document: Any) -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


@pytest.fixture
def order(tmp_path: Path) -> str:
    return written(tmp_path, "order.json", ORDER)


class TestCheck:
    def test_schemas_without_a_finding_are_only_counted(self, order: str) -> None:
        """Nothing goes to standard output, so a job may take that for a report."""
        done = invoke("schema", "check", order, order)

        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "2 of 2 schemas are valid\n")

    def test_a_schema_that_is_not_valid_is_refused_with_the_place(self, tmp_path: Path, order: str) -> None:
        """The others are judged all the same, and the command ends with 4."""
        bad = written(tmp_path, "bad.json", {"$schema": DRAFT_7, "properties": {"a": {"type": "text"}}})
        none = written(tmp_path, "none.json", "{")
        done = invoke("schema", "check", bad, none, order)

        lines = [line.split()[1:3] for line in done.stdout.splitlines()[1:]]
        assert lines == [["/properties/a/type", "invalid"], ["invalid", "the"]]
        assert (done.exit_code, done.stderr) == (4, "confluent-shim: 2 of 3 schemas are refused\n")

    def test_likely_mistakes_are_told_and_refused_only_if_asked(self, tmp_path: Path) -> None:
        """A job that wants no findings at all says so."""
        file = written(tmp_path, "o.json", {**ORDER, "required": ["idd"]})
        done = invoke("schema", "check", file, "-o", "json")

        assert done.exit_code == 0
        assert json.loads(done.stdout)["schemas"] == [
            {
                "file": file,
                "valid": True,
                "findings": [
                    {"pointer": "", "check": "required", "message": "the member 'idd' is required and not declared"}
                ],
            }
        ]
        strict = invoke("schema", "check", file, "--strict", "-o", "yaml")
        assert yaml.safe_load(strict.stdout) == json.loads(done.stdout)
        assert (strict.exit_code, strict.stderr) == (4, "confluent-shim: 1 of 1 schemas is refused\n")


class TestToAvro:
    def test_the_schema_is_printed_and_the_rules_are_told(self, order: str) -> None:
        """Standard output is an Avro schema and nothing else."""
        done = invoke("schema", "to-avro", order)

        assert json.loads(done.stdout) == {
            "type": "record",
            "name": "Order",
            "fields": [
                {"name": "id", "type": ["null", "long"], "default": None},
                {"name": "note", "type": ["null", "string"], "default": None},
            ],
        }
        rule = "/properties/id: int64: integers are from -9223372036854775808 to 9223372036854775807"
        assert (done.exit_code, done.stderr) == (0, f"{order}: {rule}\n")

    def test_an_explanation_has_the_rules_in_it(self, order: str) -> None:
        """One object for each file, for programs."""
        done = invoke("schema", "to-avro", order, "--explain")

        document = json.loads(done.stdout)
        assert (document["file"], document["schema"]["name"], done.stderr) == (order, "Order", "")
        assert [(rule["pointer"], rule["rule"]) for rule in document["carry_rules"]] == [("/properties/id", "int64")]

    def test_the_options_are_those_of_the_derivation(self, tmp_path: Path) -> None:
        """Each of them shows in the schema."""
        file = written(tmp_path, "open.json", {"type": "object", "properties": {"a": {}}})
        words = ("--extra", "map", "--untyped", "json", "--name", "Open", "--namespace", "org.shop")
        done = invoke("schema", "to-avro", file, *words)

        schema = json.loads(done.stdout)
        assert (schema["name"], [field["name"] for field in schema["fields"]]) == (
            "org.shop.Open",
            ["a", "additionalProperties"],
        )

    def test_every_reason_against_is_told_and_the_others_are_printed(self, tmp_path: Path, order: str) -> None:
        """Reasons go to standard error with file and place; the command ends with 4."""
        untyped = written(tmp_path, "untyped.json", {"type": "object", "properties": {"a": {}, "b": True}})
        bad = written(tmp_path, "bad.json", {"type": "text"})
        nothing = written(tmp_path, "nothing.json", False)
        done = invoke("schema", "to-avro", untyped, bad, nothing, order, "--explain")

        assert json.loads(done.stdout)["file"] == order
        reason = 'it gives no type; untyped = "json" would carry it as JSON text'
        lines = done.stderr.splitlines()
        assert lines[:2] == [f"{untyped}: /properties/a: {reason}", f"{untyped}: /properties/b: {reason}"]
        assert lines[2].startswith(f"{bad}: /type: 'text' is not valid")
        assert lines[3] == f"{nothing}: the root: no value satisfies the schema"
        assert (done.exit_code, lines[4]) == (4, "confluent-shim: 3 of 4 schemas have no Avro form")

    def test_one_schema_without_an_avro_form(self, tmp_path: Path) -> None:
        """The last line is a sentence in that case too."""
        done = invoke("schema", "to-avro", written(tmp_path, "any.json", {}))

        assert done.stderr.endswith("confluent-shim: 1 of 1 schema has no Avro form\n")


class TestFiles:
    def test_references_are_files_under_the_names_that_are_used(self, tmp_path: Path) -> None:
        """A schema that is referred to may refer to others itself."""
        root = {**ORDER, "properties": {"to": {"$ref": "address.json"}}}
        address = {**ORDER, "title": "Address", "properties": {"city": {"$ref": "city.json"}}}
        files = [
            written(tmp_path, "root.json", root),
            "--reference",
            f"address.json={written(tmp_path, 'a.json', address)}",
            "--reference",
            f"city.json={written(tmp_path, 'c.json', {'type': 'string'})}",
        ]

        assert invoke("schema", "check", *files).exit_code == 0
        done = invoke("schema", "to-avro", *files)
        assert json.loads(done.stdout)["fields"][0]["type"][1]["fields"][0]["type"] == ["null", "string"]

    @pytest.mark.parametrize("command", ["check", "to-avro"])
    def test_a_reference_that_is_not_given_is_a_refusal(self, tmp_path: Path, command: str) -> None:
        """Nothing is fetched from anywhere."""
        done = invoke("schema", command, written(tmp_path, "root.json", {"$schema": DRAFT_7, "$ref": "address.json"}))

        assert done.exit_code == 4
        assert "address.json is not among the schema's references" in done.output

    @pytest.mark.parametrize("word", ["address.json", "=a.json", "address.json="])
    def test_a_reference_that_names_no_file_is_a_mistake_of_usage(self, order: str, word: str) -> None:
        """The command ends with 2."""
        done = invoke("schema", "check", order, "--reference", word)

        assert (done.exit_code, "is not NAME=FILE" in done.stderr) == (2, True)

    def test_standard_input_is_a_file_too(self) -> None:
        """It is called `-`, as everywhere."""
        done = invoke("schema", "to-avro", "-", stdin='{"type": "string"}')

        assert (done.exit_code, done.stdout) == (0, '"string"\n')

    def test_a_file_that_cannot_be_read_ends_with_1(self, tmp_path: Path) -> None:
        """That is no verdict on a schema."""
        done = invoke("schema", "check", str(tmp_path / "no.json"))

        assert (done.exit_code, done.stderr) == (1, f"confluent-shim: {tmp_path}/no.json: No such file or directory\n")
