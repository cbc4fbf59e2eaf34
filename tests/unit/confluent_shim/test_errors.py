import re
from types import ModuleType

import pytest

import confluent_shim.errors
import jsonschema_bridge.errors
import topic_map.errors
from confluent_shim.error_table import answer_of, leaves
from confluent_shim.errors import (
    AdminSwitchedOff,
    RecordsRejected,
    SchemaUnparsable,
    ShimError,
    StartError,
    TopicUnbound,
)
from topic_map import SubjectTaken

MODULES = [confluent_shim.errors, topic_map.errors, jsonschema_bridge.errors]


def drawn(module: ModuleType) -> dict[str, str]:
    """Return the tree in the module's docstring: each error with the one above it."""
    tree: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in re.findall(r"^((?:[│ ]*[├└]── |    |)[A-Z]\w+)(?:  .*)?$", module.__doc__ or "", re.MULTILINE):
        name = line.lstrip("│├└─ ")
        column = len(line) - len(name)
        while above and above[-1][0] >= column:
            above.pop()
        tree[name] = above[-1][1] if above else "Exception"
        above.append((column, name))
    return tree


def defined(module: ModuleType) -> dict[str, str]:
    """Return the errors that the module defines, each with its base class."""
    errors = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Exception)]
    return {each.__name__: each.__mro__[1].__name__ for each in errors if each.__module__ == module.__name__}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_the_tree_at_the_top_of_the_file_is_the_tree(module: ModuleType) -> None:
    """Whoever opens the file sees every error in its place."""
    assert drawn(module) == defined(module)


def test_leaves_are_what_has_no_subclass() -> None:
    """A class with subclasses is passed over for them, at any depth."""

    class Root(Exception):
        pass

    class Inner(Root):
        pass

    class One(Inner):
        pass

    class Two(Root):
        pass

    assert list(leaves(Root)) == [One, Two]


def test_an_answer_has_the_message_of_its_error() -> None:
    """Status and code come from the table, the message from whoever raised."""
    error = SubjectTaken("s", "a", "wire", "b", "wire")
    assert answer_of(error) == (409, 40991, str(error))


def test_an_unbound_topic_is_told_how_to_bind_it() -> None:
    """The one who meets it first knows the command."""
    assert "confluent-shim bindings bind orders --schema FILE" in str(TopicUnbound("orders"))


def test_switched_off_changes_are_told_how_to_switch_on() -> None:
    """The message names the key and the variable."""
    told = str(AdminSwitchedOff())
    assert "admin_token" in told
    assert "SHIM_ADMIN_TOKEN" in told


def test_a_schema_that_cannot_be_parsed_is_repeated_only_in_part() -> None:
    """A client cannot make an answer as long as its request."""
    assert len(str(SchemaUnparsable("x" * 100_000))) < 1200


def test_rejected_records_carry_their_violations() -> None:
    """The answer's `errors` come with the error, and whether there were more."""
    error = RecordsRejected("Bad Request", [{"record": 0}], cut=True)
    assert (str(error), error.errors, error.cut) == ("Bad Request", [{"record": 0}], True)


def test_errors_of_the_start_are_no_errors_of_requests() -> None:
    """The two trees have nothing in common."""
    assert not issubclass(StartError, ShimError)
    assert not issubclass(ShimError, StartError)
