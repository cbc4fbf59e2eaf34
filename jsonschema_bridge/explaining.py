"""Why a value does not conform: the validator's errors as violations, of alternatives the nearest one.

The validator finds all errors before it gives the first, at some ten microseconds each. So a large value is explained
by a form of the schema that stops at the first one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import jsonschema_rs

from jsonschema_bridge import drafts
from jsonschema_bridge.violation import Violation, bounded, pointer, shortened

MOST_EXPLAINED = 10_000
"""A value is explained in full up to this many members and items, times the most branches of any `anyOf` or `oneOf`."""

_NONE_OF_THEM = "the value conforms to none of the {} branches"


class Explanations:
    """Says why values do not conform to one schema.

    `full` and `brief` are the schema compiled; `brief` finds its first error without looking into branches, and is
    compiled when it is needed. `breadth` is the most branches that any place of the schema has.
    """

    def __init__(self, full: Any, brief: Callable[[], Any], breadth: int) -> None:
        self._full = full
        self._compile_brief = brief
        self._brief: Any = None
        self._nodes = MOST_EXPLAINED // breadth

    def of(self, value: object) -> Iterator[Violation]:
        """Yield every reason why `value` does not conform, or the first where it is large; nothing when it does."""
        if not _has_more_nodes(value, self._nodes):
            for error in self._full.iter_errors(value):
                yield from _violations(error, value)
            return
        self._brief = self._brief or self._compile_brief()
        try:
            self._brief.validate(value)
        except jsonschema_rs.ValidationError as error:
            yield _violation(error, value)


def breadth(schemas: Iterable[object]) -> int:
    """Return the most branches that `anyOf` or `oneOf` have anywhere in `schemas`, 1 at least."""
    most, waiting = 1, list(schemas)
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, dict):
            most = max(
                most, *(len(branches) for key in ("anyOf", "oneOf") if isinstance(branches := schema.get(key), list)), 1
            )
            waiting.extend(schema.values())
        elif isinstance(schema, list):
            waiting.extend(schema)
    return most


def _has_more_nodes(value: object, most: int) -> bool:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            count += len(item)
            if count > most:
                return True
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return False


class IntegerByText:
    """The keyword `type` where 1.0 is no integer. Only for explanations."""

    _CLASSES: Mapping[str, tuple[type, ...]] = {
        "string": (str,),
        "object": (dict,),
        "array": (list,),
        "boolean": (bool,),
        "null": (type(None),),
    }

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._types: list[str] = [value] if isinstance(value, str) else list(value)

    def validate(self, instance: object) -> None:
        if not any(self._is(name, instance) for name in self._types):
            raise ValueError(" or ".join(self._types))

    def _is(self, name: str, instance: object) -> bool:
        if name in self._CLASSES:
            return isinstance(instance, self._CLASSES[name])
        if isinstance(instance, bool) or not isinstance(instance, int | float):
            return False
        return name == "number" or self._is_integer(instance)

    def _is_integer(self, number: float) -> bool:
        return isinstance(number, int)


class IntegerByValue(IntegerByText):
    """The same where 1.0 is one."""

    def _is_integer(self, number: float) -> bool:
        return isinstance(number, int) or number.is_integer()


def _violations(error: jsonschema_rs.ValidationError, value: object, branch: str = "") -> Iterator[Violation]:
    """Yield what an error says; `branch` is the pointer to the alternative that it stands in, if it stands in one."""
    kinds = jsonschema_rs.ValidationErrorKind
    if isinstance(error.kind, kinds.AnyOf | kinds.OneOfNotValid) and error.kind.context:
        yield from _alternatives(error, error.kind.context, value, branch)
    else:
        yield _violation(error, value, branch)


_Branches = Sequence[Sequence[jsonschema_rs.ValidationError]]


def _alternatives(
    error: jsonschema_rs.ValidationError, branches: _Branches, value: object, outer: str
) -> Iterator[Violation]:
    """Yield what keeps a value from its nearest branch, or what it has against all of them."""
    at = error.instance_path
    types = [_refused_types(errors, at) for errors in branches]
    if all(types):
        names = " or ".join(dict.fromkeys(chain.from_iterable(types)))
        yield _violation(error, value, outer, (names, f"the value is not of type {names}"))
        return
    choice = _undecided(branches, at)
    if choice is not None:
        path, options = choice
        said = (options, f"the value selects none of the {len(branches)} branches")
        yield _violation(error, value, outer, said, path)
        return
    index = min(range(len(branches)), key=lambda index: _distance(branches[index], at))
    branch = pointer([*error.schema_path, index])
    for inner in branches[index]:
        yield from _violations(inner, value, branch)


def _distance(errors: Sequence[jsonschema_rs.ValidationError], at: list[str | int]) -> tuple[bool, int, int]:
    """Say how far a value is from a branch: the type first, then what tells branches apart, then how much is wrong."""
    return bool(_refused_types(errors, at)), len(_selecting(errors, at)), len(errors)


def _refused_types(errors: Sequence[jsonschema_rs.ValidationError], at: list[str | int]) -> list[str]:
    """Return the types that a branch asks of the value itself, where that has none of them."""
    kinds = jsonschema_rs.ValidationErrorKind
    for error in errors:
        if error.instance_path == at and isinstance(error.kind, kinds.Type | kinds.Custom):
            return error.kind.types if isinstance(error.kind, kinds.Type) else error.kind.message.split(" or ")
    return []


def _selecting(
    errors: Sequence[jsonschema_rs.ValidationError], at: list[str | int]
) -> dict[tuple[str | int, ...], list[Any]]:
    """Return what a branch asks of the value, or of a member of it, by `const` or `enum`, and does not get."""
    kinds = jsonschema_rs.ValidationErrorKind
    found: dict[tuple[str | int, ...], list[Any]] = {}
    for error in errors:
        if len(error.instance_path) <= len(at) + 1:
            if isinstance(error.kind, kinds.Constant):
                found[tuple(error.instance_path)] = [error.kind.expected_value]
            elif isinstance(error.kind, kinds.Enum):
                found[tuple(error.instance_path)] = error.kind.options
    return found


def _undecided(branches: _Branches, at: list[str | int]) -> tuple[list[str | int], list[Any]] | None:
    """Return the one place by which no branch is selected, and what all of them would take there."""
    found = [_selecting(errors, at) for errors in branches]
    for path in found[0]:
        if all(path in each for each in found):
            return list(path), [option for each in found for option in each[path]]
    return None


def _violation(
    error: jsonschema_rs.ValidationError,
    value: object,
    branch: str = "",
    said: tuple[object, str] | None = None,
    at: list[str | int] | None = None,
) -> Violation:
    """Return an error as a violation; `said` and `at`, where given, are what is expected, the message and the place."""
    path, schema_path = list(error.instance_path) if at is None else at, list(error.schema_path)
    brief = drafts.in_brief(error)
    if brief is not None:
        schema_path, said = brief[0], ("one of the branches", _NONE_OF_THEM.format(brief[1]))
    keyword = _keyword(error, schema_path)
    expected, message = said or _expected(error, keyword)
    nearest = f" (nearest branch: {shortened(branch)})" if branch else ""
    return Violation(
        pointer=pointer(path),
        keyword=keyword,
        schema_pointer=pointer(schema_path),
        expected=bounded(expected),
        actual=bounded(_at(value, path)),
        message=shortened(message) + nearest,
    )


def _at(value: Any, path: list[str | int]) -> object:
    for token in path:
        value = value[token]
    return value


def _keyword(error: jsonschema_rs.ValidationError, schema_path: list[str | int]) -> str:
    last = schema_path[-1] if schema_path else ""
    if not isinstance(error.kind, jsonschema_rs.ValidationErrorKind.FalseSchema):
        return str(last)
    # The schema itself is `false`: the last token is a keyword only where it is not a name or an index.
    parent = schema_path[-2] if len(schema_path) > 1 else ""
    return last if last in _CLOSING and parent not in drafts.MAPS else "false"


_CLOSING = ("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems")
_NO_OTHER_PROPERTIES = "no other properties"
_NO_OTHER_ITEMS = "no other items"
_MORE_ITEMS = "there are more items than the schema knows"


def _expected(error: jsonschema_rs.ValidationError, keyword: str) -> tuple[object, str]:
    kinds = jsonschema_rs.ValidationErrorKind
    said: tuple[object, str]
    match error.kind:
        case kinds.Custom(keyword=_, message=types):
            said = types, f"the value is not of type {types}"
        case kinds.Type(types=types):
            names = " or ".join(types)
            said = names, f"the value is not of type {names}"
        case kinds.Required(property=name):
            said = name, f"the required property {name!r} is missing"
        case kinds.AdditionalProperties(unexpected=names) | kinds.UnevaluatedProperties(unexpected=names):
            said = _NO_OTHER_PROPERTIES, f"unexpected properties: {', '.join(map(repr, names[:10]))}"
        case kinds.FalseSchema():
            said = (
                _NO_OTHER_PROPERTIES if keyword.endswith("Properties") else "nothing",
                "the schema allows no value here",
            )
        case kinds.OneOfMultipleValid(context=branches):
            valid = [str(index) for index, errors in enumerate(branches) if not errors]
            said = "one branch only", f"the value conforms to more than one branch: {', '.join(valid[:10])}"
        case kinds.PropertyNames():
            said = f"names that satisfy {keyword}", f"the name of a property does not satisfy {keyword}"
        case _:
            said = _ALWAYS.get(type(error.kind)) or _in_general(error, keyword)
    return said


_ALWAYS: Mapping[type, tuple[object, str]] = {
    jsonschema_rs.ValidationErrorKind.AdditionalItems: (_NO_OTHER_ITEMS, _MORE_ITEMS),
    jsonschema_rs.ValidationErrorKind.UnevaluatedItems: (_NO_OTHER_ITEMS, _MORE_ITEMS),
    jsonschema_rs.ValidationErrorKind.Contains: (
        "an item that satisfies contains",
        "the value contains no item that it must contain",
    ),
    jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded: (
        "pattern",
        "the value was too much for the schema's pattern",
    ),
}
"""What is expected and the message, where they do not depend on the schema."""


def _in_general(error: jsonschema_rs.ValidationError, keyword: str) -> tuple[object, str]:
    details = error.kind.as_dict()
    wanted = next((value for name, value in details.items() if name not in ("context", "error")), None)
    return wanted if wanted is not None else keyword, error.message
