from typing import TYPE_CHECKING

import click
import msgspec

from confluent_shim.cli.exits import REFUSED, CommandError
from confluent_shim.cli.files import STDIN, read_bytes
from confluent_shim.cli.output import columns, note, output_option, pairs, show
from confluent_shim.cli.target import topic_argument, with_backend

if TYPE_CHECKING:
    from confluent_shim.cli.backend import Backend

_HEAD = ("record", "pointer", "keyword", "message")


@click.command()
@topic_argument()
@click.argument("file", default=STDIN)
@click.option("--ndjson", is_flag=True, help="FILE holds one event per line.")
@with_backend
@output_option
def validate(backend: "Backend", topic: str, file: str, output: str, *, ndjson: bool) -> None:
    """Judge the event in FILE (standard input otherwise) as a produce request to TOPIC would, and send nothing."""
    from confluent_shim.errors import RecordsRejected

    try:
        judged = backend.validate(topic, envelope(read_bytes(file), ndjson=ndjson))
    except RecordsRejected as refusal:
        document = {"topic": topic, "message": str(refusal), "errors": refusal.errors, "errors_cut": refusal.cut}
        rows = [[error.get(name, "") for name in _HEAD] for error in refusal.errors]
        show(document, output, columns([name.upper() for name in _HEAD], rows))
        if refusal.cut:
            note(f"only the first {len(rows)} violations are listed")
        raise
    fields = msgspec.to_builtins(judged)
    show(fields, output, pairs(fields))
    note(f"{judged.records} of {judged.records} records conform")


def envelope(content: bytes, *, ndjson: bool) -> bytes:
    """Return the body of a produce request whose values are the events of `content`, byte for byte.

    Raises JsonUnreadable for bytes that are no text, RecordsRejected for events that are no JSON by themselves,
    CommandError when there is no event.
    """
    from confluent_shim.errors import RecordsRejected
    from jsonschema_bridge import utf8

    text = utf8(content)
    events = text.splitlines() if ndjson else [text]
    events = [event.strip(b" \t\r\n") for event in events]
    events = [event for event in events if event]
    if not events:
        raise CommandError("there is no event to judge", REFUSED)
    # An event that is not JSON by itself could pass for several, or for fields of the envelope.
    found = [error for index, event in enumerate(events) if (error := _unreadable(index, event))]
    if found:
        raise RecordsRejected(f"record {found[0]['record']}: {found[0]['message']}", found)
    return b'{"records":[' + b",".join(b'{"value":' + event + b"}" for event in events) + b"]}"


def _unreadable(index: int, event: bytes) -> dict[str, object] | None:
    from jsonschema_bridge import JsonUnreadable, read_json

    try:
        msgspec.json.decode(event, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        keyword, reason = "syntax", str(error)
        try:
            read_json(event)
        except JsonUnreadable as better:
            keyword, reason = better.kind, better.reason
        return {
            "record": index,
            "part": "value",
            "pointer": "",
            "keyword": keyword,
            "schema_pointer": "",
            "expected": "JSON with a single reading",
            "actual": None,
            "message": f"value: {reason}",
            "retryable": False,
        }
    return None
