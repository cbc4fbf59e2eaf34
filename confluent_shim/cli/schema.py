import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from confluent_shim.cli.exits import REFUSED, CommandError
from confluent_shim.cli.files import read_text
from confluent_shim.cli.output import Command, columns, note, output_option, show

if TYPE_CHECKING:
    from jsonschema_bridge import Schema, SchemaReference

_HEAD = ("file", "pointer", "check", "message")


def _read_references(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Mapping[str, str]:
    del context, parameter
    names = [each.partition("=") for each in value]
    for name, equals, path in names:
        if not (name and equals and path):
            raise click.BadParameter(f"{name + equals + path!r} is not NAME=FILE.")
    return {name: path for name, _, path in names}


def _schema_files(command: Command) -> Command:
    """Give `command` the JSON Schemas to work on, and the schemas that they may refer to."""
    reference = click.option(
        "--reference",
        "references",
        multiple=True,
        metavar="NAME=FILE",
        callback=_read_references,
        help="A schema that others call NAME in their $ref; may be repeated.",
    )
    return click.argument("files", nargs=-1, required=True)(reference(command))


@click.group()
def schema() -> None:
    """Judge JSON Schemas, and derive Avro from them, without a server."""


@schema.command()
@_schema_files
@click.option("--strict", is_flag=True, help="End with 4 for what is only likely a mistake, too.")
@output_option
def check(files: tuple[str, ...], references: Mapping[str, str], output: str, *, strict: bool) -> None:
    """Check each FILE by its draft's meta-schema, compile it, and look for likely mistakes."""
    judged = [(file, *_judge(*_read(file, references))) for file in files]
    documents = [{"file": file, "valid": valid, "findings": findings} for file, valid, findings in judged]
    rows = [[file, *each.values()] for file, _, findings in judged for each in findings]
    show({"schemas": documents}, output, columns([name.upper() for name in _HEAD], rows) if rows else ())
    bad = sum(not valid or (strict and bool(findings)) for _, valid, findings in judged)
    if bad:
        raise CommandError(f"{bad} of {len(files)} schemas {'is' if bad == 1 else 'are'} refused", REFUSED)
    note(f"{len(files)} of {len(files)} schemas are valid")


@schema.command("to-avro")
@_schema_files
@click.option(
    "--extra",
    type=click.Choice(["refuse", "map"]),
    default="refuse",
    show_default=True,
    help="What becomes of undeclared members of open objects.",
)
@click.option(
    "--untyped",
    type=click.Choice(["refuse", "json"]),
    default="refuse",
    show_default=True,
    help="What becomes of schemas that give no type.",
)
@click.option("--name", help="Avro name of the root; its title otherwise.")
@click.option("--namespace", default="", help="What stands before all names.")
@click.option("--explain", is_flag=True, help="Print objects with schema and carry rules, not the schema alone.")
def to_avro(files: tuple[str, ...], references: Mapping[str, str], *, explain: bool, **options: Any) -> None:
    """Derive an Avro schema from each FILE, and print it; what Avro cannot carry is told on standard error."""
    from jsonschema_bridge import DerivationOptions, SchemaInvalid, SchemaNotDerivable, derive

    refused = 0
    for file in files:
        try:
            form = derive(*_read(file, references), DerivationOptions(**options))
        except SchemaNotDerivable as refusal:
            refused += 1
            for each in refusal.refusals:
                note(f"{file}: {each.pointer or 'the root'}: {each.reason}")
        except SchemaInvalid as error:
            refused += 1
            note(f"{file}: {error}")
        else:
            rules = [asdict(rule) for rule in form.carry_rules]
            avro = json.loads(form.schema.text)
            document = {"file": file, "schema": avro, "carry_rules": rules} if explain else avro
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
            for rule in () if explain else form.carry_rules:
                note(f"{file}: {rule.pointer or 'the root'}: {rule.rule}: {rule.message}")
    if refused:
        has = "schema has" if refused == 1 else "schemas have"
        raise CommandError(f"{refused} of {len(files)} {has} no Avro form", REFUSED)


def _read(file: str, references: Mapping[str, str]) -> tuple["Schema", Callable[["SchemaReference"], "Schema"]]:
    """Return the schema in a file, and how its references are resolved: by the name that they have."""
    from jsonschema_bridge import Schema, SchemaReference

    every = tuple(SchemaReference(name, name, 1) for name in references)
    return Schema(read_text(file), "JSON", every), lambda found: Schema(
        read_text(references[found.name]), "JSON", every
    )


def _judge(text: "Schema", resolve: Callable[["SchemaReference"], "Schema"]) -> tuple[bool, list[dict[str, str]]]:
    """Return whether a schema is valid, and what was found in it."""
    from jsonschema_bridge import SchemaInvalid, check_json_schema, lint_json_schema

    try:
        check_json_schema(text, resolve)
        lints = lint_json_schema(text, resolve)
    except SchemaInvalid as error:
        return False, [{"pointer": error.pointer, "check": "invalid", "message": error.reason}]
    return True, [{"pointer": each.pointer, "check": each.lint, "message": each.message} for each in lints]
