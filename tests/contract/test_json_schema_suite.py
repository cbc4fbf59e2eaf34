"""With every strictness of our own off, the verdicts are those of the official JSON Schema test suite."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.strictness import STANDARD
from jsonschema_bridge.validation import JsonSchemaValidator, compile_json_schema
from tests.contract.json_schema_suite import DRAFTS, Case, cases, remote

EXCEPTIONS: dict[str, Callable[[Case], bool]] = {
    "a meta-schema of somebody's own is not followed: it could switch off what the schema asks for": lambda case: (
        isinstance(case.schema, dict) and case.schema["$schema"] not in DRAFTS.values()
    ),
}
"""Cases in which we may differ, each as a predicate under its reason."""

REQUIRED = ("*.json", False)
FORMATS = ("optional/format/*.json", True)

_MISSING = re.compile(r"(\S+) is not among the schema's references")
_MOST_REFERENCES = 10


def _compiled(suite: Path, case: Case, *, formats: bool) -> JsonSchemaValidator:
    """Compile a schema, declaring each reference that turns out to be missing and that the suite has."""
    strictness = STANDARD._replace(formats="assert") if formats else STANDARD
    names: list[str] = []

    def resolve(reference: SchemaReference) -> Schema:
        text = remote(suite, reference.name)
        assert text is not None
        return Schema(text, "JSON")

    while True:
        schema = Schema(json.dumps(case.schema), "JSON", tuple(SchemaReference(name, name, 1) for name in names))
        try:
            return compile_json_schema(schema, resolve, strictness)
        except SchemaInvalid as error:
            name = _MISSING.search(error.reason)
            if name is None or name[1] in names or remote(suite, name[1]) is None or len(names) == _MOST_REFERENCES:
                raise
            names.append(name[1])


def _verdict(suite: Path, case: Case, *, formats: bool) -> bool | str:
    try:
        validator = _compiled(suite, case, formats=formats)
    except SchemaInvalid as error:
        return str(error)
    value = read_json(json.dumps(case.data).encode())
    valid = validator.is_valid(value)
    return valid if valid == (not list(validator.violations(value))) else "the violations say otherwise"


def _differing(suite: Path, found: Iterable[Case], *, formats: bool) -> list[tuple[str, str, bool | str]]:
    verdicts = [(case, _verdict(suite, case, formats=formats)) for case in found]
    return [(case.file, case.description, verdict) for case, verdict in verdicts if verdict is not case.valid]


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(("pattern", "formats"), [REQUIRED, FORMATS])
def test_every_verdict_is_the_suites(json_schema_suite: Path, draft: str, pattern: str, *, formats: bool) -> None:
    found = list(cases(json_schema_suite, draft, pattern))
    judged = [case for case in found if not any(excepts(case) for excepts in EXCEPTIONS.values())]

    assert len(judged) > (150 if formats else 500)
    assert _differing(json_schema_suite, judged, formats=formats) == []


@pytest.mark.parametrize("reason", EXCEPTIONS)
def test_every_exception_is_needed(json_schema_suite: Path, reason: str) -> None:
    found = [case for draft in DRAFTS for case in cases(json_schema_suite, draft, REQUIRED[0])]

    assert _differing(json_schema_suite, filter(EXCEPTIONS[reason], found), formats=False)
