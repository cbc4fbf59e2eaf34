"""`anyOf` and `oneOf` in a form that fails without telling what is wrong in each of the branches.

The validator gives that with every failure, with all that is wrong below, branch by branch: for schemas that refer to
themselves it is exponential. So the branches are put where one error stands for them all, and asked one by one where
somebody wants to know. Their new place has another path, which is told apart by a mark and put right.
"""

import re
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import jsonschema_rs

Form = Literal["", "not", "if"]
"""How branches are put: not at all, negated twice, or as a condition. Only that declares what the branches declare."""

PLAIN = "?plain"
"""Ends the URI of a document's copy in which branches stand where they stood."""

Path = list[str | int]

_MARK = f"{uuid4()}"
_KEYWORDS = ("anyOf", "oneOf")
_INTO_BRANCH = re.compile(r"(?:^|/)([^/]*)/(?:anyOf|oneOf)/\d+(?:/|$)")
_TAIL = {"not": (["not"], ["not", "not"]), "if": (["else", "not"], ["if"])}
"""What the path of an error ends with in each form, and what the path to the branches has in place of that."""


class Alternatives(NamedTuple):
    """Branches of which an error says that the value conforms to none, or to several of a `oneOf`.

    `path` leads to the keyword in the schema as it was written, as far as the error's path does; `asked` to the
    branches in the compiled form, and `location` is the URI of that.
    """

    keyword: str
    number: int
    path: Path
    asked: Path
    location: str


def put(schema: dict[str, Any], form: Form, base: str) -> None:
    """Put the branches of one schema, but for what is below it, in the form; `base` is its base URI.

    A `$ref` into branches leads to the plain copy then.
    """
    if form and leads_into_branch(schema.get("$ref")):
        uri, _, fragment = schema["$ref"].partition("#")
        schema["$ref"] = f"{uri or base}{PLAIN}#{fragment}"
    for keyword in _KEYWORDS:
        if form and isinstance(schema.get(keyword), list):
            branches = {keyword: schema.pop(keyword)}
            mark = {"$comment": f"{_MARK} {form} {keyword} {len(branches[keyword])}"}
            failing = {"not": {"not": branches, **mark}} if form == "not" else {"if": branches, "else": {"not": mark}}
            schema["allOf"] = [*schema.get("allOf", []), failing]


def leads_into_branch(reference: object) -> bool:
    """Tell whether a `$ref` leads to a branch, or to what is below one."""
    found = _INTO_BRANCH.search(unquote(reference.partition("#")[2])) if isinstance(reference, str) else None
    return found is not None and found[1] not in ("properties", "patternProperties", "definitions", "$defs")


def failed(error: jsonschema_rs.ValidationError) -> Alternatives | None:
    """Return the branches that an error is about, None where it is about something else."""
    kind, location = error.kind, error.absolute_keyword_location
    if not isinstance(kind, jsonschema_rs.ValidationErrorKind.Not) or not isinstance(kind.schema, dict):
        return None
    mark, *words = str(kind.schema.get("$comment")).split(" ")
    if mark != _MARK or location is None:
        return None
    form, keyword, count = words
    tail, instead = _TAIL[form]
    before = list(error.schema_path)[: -len(tail)]
    asked = "/".join([location.removesuffix("/" + "/".join(tail)), *instead, keyword])
    return Alternatives(keyword, int(count), [*before[:-2], keyword], [*before, *instead, keyword], asked)
