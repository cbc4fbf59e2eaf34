"""Where a shim answers otherwise than Confluent on purpose: classes of differences, each with its row in the docs.

A class is a rule about an exchange and one difference in it, never a list of exchanges. `row` is the first cell of the
row in `docs/compatibility.md` that tells of it and says why.
"""

import json
import re
from collections.abc import Callable
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


def keywords(answer: Answer) -> set[str]:
    """Return the keywords of the violations that an answer lists."""
    errors = answer.body.get("errors", ()) if isinstance(answer.body, dict) else ()
    return {error["keyword"] for error in errors}


def refused_for(*found: str) -> Callable[[Case, Difference], bool]:
    """Return the rule that Confluent took what we refuse for one of these keywords."""
    return lambda case, _: (
        case.theirs.status == 200 and code(case.ours) == 400 and bool(keywords(case.ours) & set(found))
    )


def _beside(answer: Answer, where: str, name: str) -> Any:
    """Return the member `name` of the object in which a difference lies."""
    found = answer.body
    for token in where.split("/")[1:-1]:
        found = found[int(token) if token.isdecimal() else token]
    return found.get(name)


def _sentence(field: str, *codes: int) -> Callable[[Case, Difference], bool]:
    """Return the rule that only a sentence differs, where both answers have the same one of `codes`, or of any."""

    def explains(case: Case, difference: Difference) -> bool:
        if not difference.where.endswith(f"/{field}") or difference.theirs is None or difference.ours is None:
            return False
        theirs, ours = (_beside(answer, difference.where, "error_code") for answer in (case.theirs, case.ours))
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


def _client_s_fault(case: Case, _: Difference) -> bool:
    return case.theirs.status == 500 and case.ours.status in (400, 404, 422)


def _protobuf(case: Case, _: Difference) -> bool:
    return case.exchange.format == "protobuf" and code(case.ours) == 42290


def _bytes_kept(case: Case, difference: Difference) -> bool:
    """Ours are the bytes that were sent; theirs mean the same, but for what writing a value again does to it."""
    if not re.fullmatch(r"landed/\d+/value", difference.where) or not isinstance(difference.ours, bytes):
        return False
    theirs, ours = json.loads(str(difference.theirs, "utf-8")), json.loads(difference.ours)  # type: ignore[call-overload]
    return difference.ours in case.exchange.body and _written_again(theirs, ours)


def _written_again(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(name in theirs and _written_again(theirs[name], item) for name, item in ours.items())
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(_written_again, theirs, ours))
    return bool(theirs == ours or (theirs == "Infinity" and ours == float("inf")))


def _registry_down(case: Case, difference: Difference) -> bool:
    if "failures" in difference.where:
        return bool(_beside(case.ours, difference.where, "error_code") == 50391)
    return case.theirs.status in (422, None) and code(case.ours) == 50391


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
    Class("a value is parsed and written again", _bytes_kept),
    Class("members that no field has are dropped", refused_for("unknown")),
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
    Class("plain `json` is written unchecked and unframed", _framed),
)
