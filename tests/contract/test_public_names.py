"""What the libraries offer is what they say they offer."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

import jsonschema_bridge
import jsonschema_bridge.registry
import topic_map

LIBRARIES = [topic_map, jsonschema_bridge, jsonschema_bridge.registry]
ROOT = Path(__file__).parents[2]


def imported_by(module: ModuleType) -> set[str]:
    """Return the names that the module's file imports, as they are called there."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text())
    return {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
class TestAll:
    def test_is_sorted(self, library: ModuleType) -> None:
        """A name is found where one looks for it: constants, classes, functions, each in alphabetical order."""
        names: list[str] = library.__all__
        assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))

    def test_names_each_once(self, library: ModuleType) -> None:
        """No name stands there twice."""
        assert len(set(library.__all__)) == len(library.__all__)

    def test_is_all_that_the_face_imports(self, library: ModuleType) -> None:
        """What the folder's face brings together is public, and nothing else is."""
        assert set(library.__all__) == imported_by(library)

    def test_names_what_is_there(self, library: ModuleType) -> None:
        """Every public name can be imported."""
        assert [name for name in library.__all__ if not hasattr(library, name)] == []


@pytest.mark.parametrize("library", [topic_map, jsonschema_bridge], ids=lambda library: library.__name__)
def test_a_library_s_readme_tells_of_every_public_name(library: ModuleType) -> None:
    """The README names each public name; the leaves of the error trees stand for themselves."""
    text = (ROOT / library.__name__ / "README.md").read_text()
    errors = {name for name in library.__all__ if _is_error(getattr(library, name))}
    assert [name for name in library.__all__ if f"`{name}`" not in text and name not in errors] == []


def _is_error(public: object) -> bool:
    return isinstance(public, type) and issubclass(public, Exception)
