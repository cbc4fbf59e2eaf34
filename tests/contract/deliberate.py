"""Where a shim answers otherwise than Confluent on purpose: classes of differences, each with its row in the docs.

A class is a rule about an exchange and one difference in it, never a list of exchanges. `row` is the first cell of the
row in `docs/compatibility.md` that tells of it and says why.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.contract.transcripts import Answer, Difference, Exchange

NOT_OFFERED = {"nosr", "nov2", "block", "size", "slow", "rlcc", "rlgc", "rlgb", "rlgbr", "rldef"}
"""Configurations of the recorded proxy that a shim does not have."""


class Case(NamedTuple):
    """An exchange with both answers."""

    exchange: Exchange
    theirs: Answer
    ours: Answer


class Class(NamedTuple):
    """Differences that are there on purpose."""

    row: str
    explains: Callable[[Case, Difference], bool]


def code(answer: Answer) -> int | None:
    """Return the `error_code` of an answer."""
    return answer.body.get("error_code") if isinstance(answer.body, dict) else None


def _told(answer: Answer, where: str) -> Any:
    """Return what an answer tells of the record in which a difference lies: all of it, a line, or an element."""
    place = re.match(r"body/(?:(offsets|successes|failures)/)?([0-9]+)/", where)
    if place is None:
        return answer.body if isinstance(answer.body, dict) else {}
    among = answer.body[place[1]] if place[1] else answer.body
    return among[int(place[2])]


def _codes(case: Case, difference: Difference) -> tuple[int | None, int | None]:
    """Return what both answers say of a record: the code of a line that has 422 is in its message."""
    theirs, ours = (_told(answer, difference.where) for answer in (case.theirs, case.ours))
    return _real_code(theirs), _real_code(ours)


def _real_code(told: Mapping[str, Any]) -> int | None:
    found = re.match(r"Error: (\d{5}) : ", str(told.get("message")))
    code: int | None = int(found[1]) if found else told.get("error_code")
    return code


def keywords(answer: Answer) -> set[str]:
    """Return the keywords of the violations that an answer lists."""
    errors = answer.body.get("errors", ()) if isinstance(answer.body, dict) else ()
    return {error["keyword"] for error in errors}


def refused_for(*found: str) -> Callable[[Case, Difference], bool]:
    """Return the rule that Confluent took what we refuse for one of these keywords."""
    return lambda case, _: (
        case.theirs.status == 200 and code(case.ours) == 400 and bool(keywords(case.ours) & set(found))
    )


def _sentence(field: str, *codes: int) -> Callable[[Case, Difference], bool]:
    """Return the rule that only a sentence differs, where both answers have the same one of `codes`, or of any."""

    def explains(case: Case, difference: Difference) -> bool:
        if not difference.where.endswith(f"/{field}") or difference.theirs is None or difference.ours is None:
            return False
        theirs, ours = (_told(answer, difference.where).get("error_code") for answer in (case.theirs, case.ours))
        return theirs == ours and (not codes or theirs in codes)

    return explains


_own_sentence = _sentence("message", 400)
_OF_KAFKA = (40002, 40101, 40301, 40401, 40403, 413, 50002, 50003)


def _kafka_s_sentence(case: Case, difference: Difference) -> bool:
    return _sentence("error")(case, difference) or _sentence("message", *_OF_KAFKA)(case, difference)


def _registry_s_words(case: Case, difference: Difference) -> bool:
    lines = [str(side).split("\n")[0] for side in (difference.theirs, difference.ours)]
    ends = [str(side).rpartition("error code: ")[2] for side in (difference.theirs, difference.ours)]
    return _sentence("message", 42207)(case, difference) and lines[0] == lines[1] and ends[0] == ends[1]


def _client_s_fault(case: Case, difference: Difference) -> bool:
    if _codes(case, difference) == (500, 400):
        return True
    return case.theirs.status == 500 and case.ours.status in (400, 404, 422)


def _protobuf(case: Case, _: Difference) -> bool:
    # Only there are names of messages, in a request or in a schema that it means.
    is_meant = "message " in json.dumps([case.exchange.document, case.exchange.setup.get("register")])
    refused = code(case.ours) == 42290 or "Error: 42290 : " in json.dumps(case.ours.body)
    return refused and (case.exchange.format == "protobuf" or is_meant)


def _bytes_kept(case: Case, difference: Difference) -> bool:
    """Ours are the bytes that were sent; theirs mean the same, but for what writing a value again does to it."""
    if not re.fullmatch(r"landed/\d+/value", difference.where) or not isinstance(difference.ours, bytes):
        return False
    if difference.ours not in case.exchange.body:
        return False
    theirs, ours = json.loads(str(difference.theirs, "utf-8")), json.loads(difference.ours)  # type: ignore[call-overload]
    return _written_again(theirs, ours)


def _written_again(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(name in theirs and _written_again(theirs[name], item) for name, item in ours.items())
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(_written_again, theirs, ours))
    return bool(theirs == ours or (theirs == "Infinity" and ours == float("inf")))


def _size_kept(case: Case, difference: Difference) -> bool:
    """Tell whether the sizes are those of what landed, and ours landed as it was sent."""
    if not difference.where.endswith("/value/size"):
        return False
    theirs, ours = ([each.value or b"" for each in answer.landed or ()] for answer in (case.theirs, case.ours))
    sizes = [*map(len, theirs)], [*map(len, ours)]
    return difference.theirs in sizes[0] and difference.ours in sizes[1] and all(v in case.exchange.body for v in ours)


def _registry_down(case: Case, difference: Difference) -> bool:
    theirs, ours = _codes(case, difference)
    if ours == 50391:
        return theirs == 42207 or case.theirs.status in (422, None)
    # A version that was asked for before is known; theirs is said not to exist.
    misled = str(_told(case.theirs, difference.where).get("message")).startswith("Bad Request: Schema does not exist")
    return case.exchange.phase.startswith("registry ") and misled and ours == 200


def _latest(case: Case, difference: Difference) -> bool:
    if difference.where.endswith("/schema_version"):
        return difference.theirs == -1 and isinstance(difference.ours, int) and difference.ours > 0
    unread = 'from String "latest"' in str(_told(case.theirs, difference.where).get("message"))
    return unread and _codes(case, difference) == (400, 200)


def _java_s_class(case: Case, difference: Difference) -> bool:
    named = ".subject.name.strategy = io.confluent." in str(difference.theirs)
    return named and _codes(case, difference) == (42207, 42207)


def _forbidden(case: Case, difference: Difference) -> bool:
    sentence = str(_told(case.theirs, difference.where).get("message"))
    return "fetching schema by version" in sentence and _codes(case, difference) == (42205, 40301)


def _too_large(case: Case, _: Difference) -> bool:
    return '"error_code": 50002' in json.dumps(case.theirs.body) and code(case.ours) == 413


def _zipped(case: Case, difference: Difference) -> bool:
    return "accept-encoding" in case.exchange.headers and difference.where == "body"


def _taken_all_the_same(case: Case, _: Difference) -> bool:
    return code(case.theirs) == 42202 and case.ours.status == 200


def _does_not_compile(case: Case, _: Difference) -> bool:
    return code(case.theirs) in (42205, 42207) and code(case.ours) == 42294


def _never_registers(case: Case, _: Difference) -> bool:
    if "Error when registering schema" in str(case.theirs.body):
        return code(case.ours) == 42207 or case.ours.status == 200
    return case.theirs.status == 200 and code(case.ours) == 42207


def _framed(case: Case, difference: Difference) -> bool:
    found = re.fullmatch(r"body/value_schema_id|landed/\d+/value_id", difference.where)
    return case.exchange.format == "json" and found is not None and difference.theirs is None


ALWAYS = (
    Class("a message of 400 is that of a Java library", _own_sentence),
    Class("the error of a record is the sentence of Kafka's Java client", _kafka_s_sentence),
    Class("a client's fault is answered with 500", _client_s_fault),
    Class("a value is parsed and written again", lambda *given: _bytes_kept(*given) or _size_kept(*given)),
    Class("members that no field has are dropped", refused_for("unknown")),
    Class("a value that its logical type forbids is written", refused_for("logicalType")),
    Class("the registry is down", _registry_down),
    Class("a record that is too large for the producer", _too_large),
    Class("answers are compressed", _zipped),
    Class("rate limits, blocked endpoints", lambda case, _: case.exchange.setup["proxy"] in NOT_OFFERED),
)
"""What differs whether a topic is bound or not. Rows are named by how they begin."""

UNBOUND = (
    *ALWAYS,
    Class("the second line of a 42207 is the registry's answer", _registry_s_words),
    Class("`protobuf` is written", _protobuf),
    Class(
        "the id of a schema whose subject is deleted",
        lambda case, _: (code(case.theirs), code(case.ours)) == (40801, 42207),
    ),
    Class("the registry forbids asking for a version", _forbidden),
    Class("a strategy that names no subject is told", _java_s_class),
    Class("`schema_version` `latest` is refused", _latest),
    Class("`records%3Abatch` is no path", lambda case, _: "%3A" in case.exchange.path and case.ours.status == 207),
    Class("a name with `%2F` in it", lambda case, _: "%2F" in case.exchange.path and case.ours.status == 404),
)

VERSION_8 = (
    Class("a message of 400 is that of a Java library", _own_sentence),
    Class("the second line of a 42207 is the registry's answer", _registry_s_words),
    Class("`protobuf` is written", _protobuf),
    Class(
        "a null that a type of Avro takes is answered with 500 by 8",
        lambda case, _: case.theirs.status == 500 and case.ours.status == 200,
    ),
    Class(
        "a path that 8's server finds ambiguous",
        lambda case, _: str(case.theirs.content_type).startswith("text/html"),
    ),
    Class("answers are compressed", _zipped),
)
"""What differs from 8, of that in which 8 differs from 7.9."""

BOUND = (
    *ALWAYS,
    Class("a null value without a key is written", refused_for("nulls")),
    Class("of duplicate keys the last one wins", refused_for("duplicate-key")),
    Class("a lone surrogate is written", refused_for("encoding")),
    Class("`1e400` is written as the text `Infinity`", refused_for("number-range")),
    Class("`jsonschema` without `value_schema` is refused", _taken_all_the_same),
    Class("a schema that does not compile is found at each produce", _does_not_compile),
    Class("a producer may register a version by sending it", _never_registers),
    Class(
        "the registry forbids what is asked of it",
        lambda case, _: (code(case.theirs), code(case.ours)) == (40301, 50391),
    ),
    Class("plain `json` is written unchecked and unframed", _framed),
)


def has_surplus_member(schema: str, value: object) -> bool:
    """Tell whether `value` has a member that no field of the Avro record `schema` takes, by name or alias."""
    record = json.loads(schema)
    if not isinstance(record, dict) or record.get("type") != "record" or not isinstance(value, dict):
        return False
    return bool(value.keys() - {name for each in record["fields"] for name in (each["name"], *each.get("aliases", ()))})
