"""Why a value does not conform: the validator's errors as violations, of alternatives the nearest one.

The validator finds all errors before it gives the first, at some ten microseconds each. So a large value is explained
by its first error, and branches are asked only as far as that is cheap.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import jsonschema_rs

from jsonschema_bridge import alternatives, drafts
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.violation import Violation, bounded, pointer, shortened

MOST_EXPLAINED = 10_000
"""A value with more members and items is explained by its first error; branches times members and items are asked as
often for one value."""

Path = list[str | int]
Errors = Sequence[jsonschema_rs.ValidationError]


class Explanations:
    """Says why values do not conform to one schema.

    `explaining` compiles the form that gives errors, and gives what compiles a part of that by its URI. It is asked
    when the first value is refused. Safe to share between threads.
    """

    def __init__(self, explaining: Callable[[], tuple[Any, Callable[[str], Any]]]) -> None:
        self._explaining = explaining
        self._compiled: tuple[Any, Callable[[str], Any]] | None = None
        self._parts: dict[str, Any] = {}

    def of(self, value: object) -> Iterator[Violation]:
        """Yield every reason why `value` does not conform, or the first where it is large; nothing when it does.

        Raises SchemaInvalid where there is a verdict and no form that explains it.
        """
        self._compiled = self._compiled or self._explaining()
        validator, compile_part = self._compiled

        def part(location: str) -> Any:
            if location not in self._parts:
                self._parts[location] = compile_part(location)
            return self._parts[location]

        search = _Search(part)
        for error in (
            _first_error(validator, value) if _size(value, MOST_EXPLAINED) is None else validator.iter_errors(value)
        ):
            yield from search.told(error, _Where(value, [], "", [], []))


def _first_error(validator: Any, value: object) -> Iterator[jsonschema_rs.ValidationError]:
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


def _size(value: object, most: int) -> int | None:
    """Count the value, and the members and items within; None where there are more than `most`."""
    count, waiting = 1, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            count += len(item)
            if count > most:
                return None
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return count


class _Where(NamedTuple):
    """Where errors come from: what was judged, its place in the record, and the branch by which.

    `asked` is where that stands in the compiled form, and `path` where it stands in the schema.
    """

    value: object
    place: Path
    branch: str
    asked: Path
    path: Path

    def written(self, path: Path) -> Path:
        """Return a path of the compiled form as it is in the schema."""
        return [*self.path, *path[len(self.asked) :]] if path[: len(self.asked)] == self.asked else path


class _Search:
    """Looks for the nearest branch, and ends when it cost enough for one value."""

    def __init__(self, part: Callable[[str], Any]) -> None:
        self._part = part
        self._left = MOST_EXPLAINED

    def told(self, error: jsonschema_rs.ValidationError, where: _Where) -> Iterator[Violation]:
        """Yield what an error says."""
        failed = alternatives.failed(error)
        if failed is None:
            yield _violation(error, where)
            return
        failed = failed._replace(path=where.written(failed.path))
        value = _at(where.value, error.instance_path)
        branches = self._errors(failed, value)
        if branches is None:
            said = ("one of the branches", f"the value conforms to none of the {failed.number} branches")
        elif not all(branches):
            valid = [str(index) for index, errors in enumerate(branches) if not errors]
            said = "one branch only", f"the value conforms to more than one branch: {', '.join(valid[:10])}"
        else:
            yield from self._alternatives(error, where, failed, branches)
            return
        yield _violation(error, where, failed.path, said)

    def _errors(self, failed: alternatives.Alternatives, value: object) -> list[Errors] | None:
        """Return what each branch has against a value, or None where it costs too much to know."""
        size = _size(value, self._left // failed.number)
        if size is None:
            return None
        self._left -= size * failed.number
        try:
            parts = [self._part(f"{failed.location}/{index}") for index in range(failed.number)]
        except SchemaInvalid:  # no reference leads there
            return None
        return [list(part.iter_errors(value)) for part in parts]

    def _alternatives(
        self,
        error: jsonschema_rs.ValidationError,
        where: _Where,
        failed: alternatives.Alternatives,
        branches: list[Errors],
    ) -> Iterator[Violation]:
        """Yield what keeps a value from its nearest branch, or what it has against all of them."""
        types = [_refused_types(errors) for errors in branches]
        if all(types):
            names = " or ".join(dict.fromkeys(chain.from_iterable(types)))
            yield _violation(error, where, failed.path, (names, f"the value is not of type {names}"))
            return
        choice = _undecided(branches)
        if choice is not None:
            below, options = choice
            said = (options, f"the value selects none of the {failed.number} branches")
            yield _violation(error, where, failed.path, said, below)
            return
        index = min(range(len(branches)), key=lambda index: _distance(branches[index]))
        path = [*failed.path, index]
        inner = _Where(
            _at(where.value, error.instance_path),
            [*where.place, *error.instance_path],
            pointer(path),
            [*failed.asked, index],
            path,
        )
        for each in branches[index]:
            yield from self.told(each, inner)


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


def _distance(errors: Errors) -> tuple[bool, int, int]:
    """Say how far a value is from a branch: the type first, then what tells branches apart, then how much is wrong."""
    return bool(_refused_types(errors)), len(_selecting(errors)), len(errors)


def _refused_types(errors: Errors) -> list[str]:
    """Return the types that a branch asks of the value itself, where that has none of them."""
    kinds = jsonschema_rs.ValidationErrorKind
    for error in errors:
        if not error.instance_path and isinstance(error.kind, kinds.Type | kinds.Custom):
            return error.kind.types if isinstance(error.kind, kinds.Type) else error.kind.message.split(" or ")
    return []


def _selecting(errors: Errors) -> dict[tuple[str | int, ...], list[Any]]:
    """Return what a branch asks of the value, or of a member of it, by `const` or `enum`, and does not get."""
    kinds = jsonschema_rs.ValidationErrorKind
    found: dict[tuple[str | int, ...], list[Any]] = {}
    for error in errors:
        if len(error.instance_path) <= 1:
            if isinstance(error.kind, kinds.Constant):
                found[tuple(error.instance_path)] = [error.kind.expected_value]
            elif isinstance(error.kind, kinds.Enum):
                found[tuple(error.instance_path)] = error.kind.options
    return found


def _undecided(branches: Sequence[Errors]) -> tuple[Path, list[Any]] | None:
    """Return the one place by which no branch is selected, and what all of them would take there."""
    found = [_selecting(errors) for errors in branches]
    for path in found[0]:
        if all(path in each for each in found):
            return list(path), [option for each in found for option in each[path]]
    return None


def _violation(
    error: jsonschema_rs.ValidationError,
    where: _Where,
    schema_path: Path | None = None,
    said: tuple[object, str] | None = None,
    below: Iterable[str | int] = (),
) -> Violation:
    """Return an error as a violation; `schema_path` and `said`, where given, take the place of what it says itself."""
    path = [*error.instance_path, *below]
    schema_path = where.written(list(error.schema_path)) if schema_path is None else schema_path
    keyword = _keyword(error, schema_path)
    expected, message = said or _expected(error, keyword)
    nearest = f" (nearest branch: {shortened(where.branch)})" if where.branch else ""
    return Violation(
        pointer=pointer([*where.place, *path]),
        keyword=keyword,
        schema_pointer=pointer(schema_path),
        expected=bounded(expected),
        actual=bounded(_at(where.value, path)),
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
