from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from confluent_shim.cli.bind import bind, tell_rules
from confluent_shim.cli.output import columns, note, output_option, pairs, show
from confluent_shim.cli.target import topic_argument, with_backend
from confluent_shim.cli.versions import tell_versions

if TYPE_CHECKING:
    from confluent_shim.cli.backend import Backend
    from topic_map import Binding, HistoryEntry

_DERIVED = ("topic", "source_subject", "source_version", "subject", "version", "schema_id")
_LISTED = ("topic", "subject", "cluster", "encoding", "versions", "key", "mode", "owner", "revision")


@click.group()
def bindings() -> None:
    """Look at the topic map and change it."""


bindings.add_command(bind)


@bindings.command("list")
@with_backend
@output_option
def list_bindings(backend: "Backend", output: str) -> None:
    """List every binding, and what of its topic and subjects is gone."""
    snapshot, absences = backend.snapshot(), backend.absences()
    rows = [
        [*(getattr(binding, field) for field in _LISTED), ", ".join(absences.gone.get(binding.topic, ()))]
        for binding in snapshot.bindings
    ]
    document = {**msgspec.to_builtins(snapshot), **msgspec.to_builtins(absences)}
    show(document, output, columns([*(field.upper() for field in _LISTED), "GONE"], rows))
    for part in absences.unasked:
        note(f"what is gone is not known: {part}")
    if not rows:
        note("no topic is bound")


@bindings.command()
@topic_argument()
@with_backend
@output_option
def get(backend: "Backend", topic: str, output: str) -> None:
    """Show the binding of TOPIC, and tell which version of its subject is in force."""
    fields = msgspec.to_builtins(backend.get(topic))
    show(fields, output, pairs(fields))
    tell_versions(backend, topic)


@bindings.command()
@topic_argument()
@click.option("--expected-revision", type=click.IntRange(0), help="Refuse when the table is at another revision.")
@click.option("--why", default="", help="Reason, for the history.")
@with_backend
@output_option
def unbind(backend: "Backend", topic: str, expected_revision: int | None, why: str, output: str) -> None:
    """Take TOPIC out of the topic map; what Kafka and the registry hold of it stays."""
    revision = backend.unbind(topic, expected_revision=expected_revision, why=why)
    fields = {"topic": topic, "revision": revision}
    show(fields, output, pairs(fields))
    note(f"topic {topic!r} is no longer bound")


@bindings.command()
@topic_argument()
@click.option("--dry-run", is_flag=True, help="Only show what would be registered.")
@with_backend
@output_option
def derive(backend: "Backend", topic: str, output: str, *, dry_run: bool) -> None:
    """Register the Avro that is derived from the newest JSON Schema of TOPIC; with that it comes into force."""
    derived = backend.derivation(topic, register=not dry_run)
    fields = msgspec.to_builtins(derived)
    show(fields, output, pairs({name: fields[name] for name in _DERIVED}))
    tell_rules(derived)


@bindings.command()
@topic_argument(required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Entries at most.")
@with_backend
@output_option
def history(backend: "Backend", topic: str | None, limit: int, output: str) -> None:
    """Show what happened to TOPIC, or to all topics, the newest first."""
    entries = backend.history(topic, limit)
    rows = [(entry.revision, _time(entry.at), entry.topic, entry.who, _event(entry), entry.why) for entry in entries]
    table = columns(("REVISION", "AT", "TOPIC", "WHO", "WHAT", "WHY"), rows)
    show({"topic": topic, "history": msgspec.to_builtins(entries)}, output, table)
    if not entries:
        note("nothing has happened yet")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(entry: "HistoryEntry") -> str:
    before, after = entry.before, entry.after
    if after is None:
        return f"unbound from {before.subject}" if before else "unbound"
    if before is None:
        return f"bound to {after.subject}"
    return f"rebound: {_changed(before, after)}"


def _changed(before: "Binding", after: "Binding") -> str:
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    names = [name for name in new if name != "revision" and new[name] != old[name]]
    return ", ".join(f"{name} {old[name]!r} -> {new[name]!r}" for name in names)
