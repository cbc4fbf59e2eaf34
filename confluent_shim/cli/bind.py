from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec.structs import asdict

from confluent_shim.cli.backend import BindRequest
from confluent_shim.cli.files import STDIN, read_text
from confluent_shim.cli.output import Command, note, output_option, pairs, show
from confluent_shim.cli.target import topic_argument, with_backend
from confluent_shim.cli.versions import tell_versions
from topic_map import (
    Binding,
    BindingInvalid,
    StaleRevision,
    TopicTaken,
    binding_from_json,
    binding_from_mapping,
    check,
)
from topic_map.binding import choices_of

if TYPE_CHECKING:
    from confluent_shim.cli.backend import Backend, Derivation

_FIELDS = {
    "subject": "Subject whose schema judges the values; TOPIC-value otherwise.",
    "source_subject": "Subject of the JSON Schema that Avro is derived from; with --encoding avro.",
    "key_subject": "Subject whose schema judges the keys; only with --key subject.",
    "cluster": "Cluster of the settings that holds the topic.",
    "versions": "Versions of the subject that are taken: latest, any, or 'pinned N'.",
    "avro_name": "Name of the derived Avro schema; the title of the JSON Schema otherwise.",
    "avro_namespace": "Namespace of the derived Avro schema.",
    "owner": "Who answers for the topic.",
    "description": "What the topic holds.",
}
_CHOICES = {
    "key": "What keys of records must be.",
    "compatibility": "Which new versions a binding to the latest one adopts.",
    "nulls": "What a null value is.",
    "avro_extra": "What becomes of undeclared members of open objects, in derived Avro.",
    "avro_untyped": "What becomes of schemas that give no type, in derived Avro.",
    "unknown_fields": "Whether members that a JSON Schema does not declare are taken.",
    "whole_floats": "Whether 1.0 is an integer.",
    "large_integers": "Whether integers beyond 2^53 are taken.",
    "formats": "Which formats of strings are asserted.",
    "mode": "Refuse what breaks the rule, or only observe it.",
    "encoding": "Form of the values in Kafka.",
}


_NOTHING = "nothing to do"


def _field_options(command: Command) -> Command:
    for name, text in reversed(_CHOICES.items()):
        command = click.option(f"--{name.replace('_', '-')}", type=click.Choice(choices_of(name)), help=text)(command)
    for name, text in reversed(_FIELDS.items()):
        command = click.option(f"--{name.replace('_', '-')}", help=text)(command)
    return command


@click.command()
@topic_argument()
@_field_options
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label; may be repeated.")
@click.option(
    "--file", "source", metavar="FILE", help="YAML or JSON file with the fields, instead of options; - is stdin."
)
@click.option("--schema", metavar="FILE", help="Register this file's text under the subject first; - is stdin.")
@click.option("--create-topic", is_flag=True, help="Create the topic in Kafka when it is not there.")
@click.option("--replace", "replace_existing", is_flag=True, help="Let a different binding of the topic give way.")
@click.option("--expected-revision", type=click.IntRange(0), help="Refuse when the table is at another revision.")
@click.option("--why", default="", help="Reason, for the history.")
@with_backend
@output_option
def bind(  # noqa: PLR0913 - one argument per option
    *,
    backend: "Backend",
    topic: str,
    labels: Sequence[str],
    source: str | None,
    schema: str | None,
    create_topic: bool,
    replace_existing: bool,
    expected_revision: int | None,
    why: str,
    output: str,
    **options: str | None,
) -> None:
    """Bind TOPIC to its subject. Binding again what is bound already changes nothing."""
    fields: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if labels:
        fields["labels"] = dict(_label(each) for each in labels)
    if source is not None and fields:
        raise click.UsageError(f"--file takes the place of the options for fields: {', '.join(sorted(fields))}.")
    if source == schema == STDIN:
        raise click.UsageError("--file and --schema cannot both be standard input.")
    binding = binding_from_mapping({"topic": topic, **fields}) if source is None else _from_file(source, topic)
    text = None if schema is None else read_text(schema)
    asked = BindRequest(check(binding), text, create_topic, replace_existing, expected_revision, why)
    bound, told = settle(backend, asked)
    row = msgspec.to_builtins(bound)
    show(row, output, pairs(row))
    note(told)
    if schema is not None:
        tell_versions(backend, topic, news_only=True)
    if bound.source_subject is not None and not told.startswith(_NOTHING):
        tell_rules(backend.derivation(topic, register=False))


def tell_rules(derived: "Derivation") -> None:
    """Tell what the Avro of a topic cannot carry though its JSON Schema admits it."""
    for each in derived.carry_rules:
        note(f"carry rule: {each.pointer or 'the root'}: {each.rule}: {each.message}")


def settle(backend: "Backend", asked: BindRequest) -> tuple[Binding, str]:
    """Bring about the binding that is asked for, and return the row in force with what was done.

    Raises TopicTaken when another one is there and may not be replaced, StaleRevision, and what `backend` raises.
    """
    now, wanted = backend.snapshot(), asked.binding
    if asked.expected_revision not in (None, now.revision):
        raise StaleRevision(asked.expected_revision or 0, now.revision)
    there = next((binding for binding in now.bindings if binding.topic == wanted.topic), None)
    words = f"topic {wanted.topic!r} is bound to subject {wanted.subject!r}"
    if there is None:
        return backend.bind(asked), words
    differing = _differing(there, wanted)
    if differing and not asked.replace:
        aim = f"{_in_words(wanted, differing)} (--replace makes it so)"
        raise TopicTaken(wanted.topic, _in_words(there, differing), aim)
    if differing:
        return backend.bind(asked), f"{words}; replaced: {', '.join(differing)}"
    if asked.schema is None and not asked.create_topic:
        return there, f"{_NOTHING}: {words} already"
    # The row stays as it is; only its schema and its topic are seen to.
    same = asked._replace(binding=there, replace=True, expected_revision=now.revision)
    return backend.bind(same), f"{words} already; the binding is unchanged, its schema and topic are in place"


def _differing(there: Binding, wanted: Binding) -> list[str]:
    """Return the fields in which two bindings of a topic differ, but for those that were left open."""
    left_open = {"revision"} if wanted.bound_version is not None else {"revision", "bound_version"}
    old, new = asdict(there), asdict(wanted)
    return [name for name in new if name not in left_open and new[name] != old[name]]


def _in_words(binding: Binding, fields: Iterable[str]) -> str:
    others = [f"{name} {getattr(binding, name)!r}" for name in fields if name not in ("subject", "cluster")]
    return ", ".join([f"subject {binding.subject!r} of cluster {binding.cluster!r}", *others])


def _label(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.", param_hint="--label")
    return name, value


def _from_file(path: str, topic: str) -> Binding:
    text = read_text(path)
    if PurePath(path).suffix == ".json":
        return binding_from_json(text, topic)
    import yaml

    try:
        return binding_from_json(msgspec.json.encode(yaml.safe_load(text)), topic)
    except (yaml.YAMLError, TypeError) as error:
        raise BindingInvalid("binding", f"{path} is not YAML that describes a binding: {error}") from error
