"""What an answer says of a record whose bytes have no single reading."""

import msgspec

from jsonschema_bridge import JsonUnreadable

NO_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON: beside its own errors two of Python's, for names and for depth."""


def unreadable(
    record: int, part: str | None, pointer: str, reason: JsonUnreadable, field: str = ""
) -> dict[str, object]:
    """Return one element of an answer's `errors` array; `field` is where in the record, as far as that is known."""
    return {
        "record": record,
        "part": part,
        "pointer": pointer,
        "keyword": reason.kind,
        "schema_pointer": "",
        "expected": "JSON with a single reading",
        "actual": None,
        "message": f"{field}: {reason.reason}" if field else reason.reason,
        "retryable": False,
    }
