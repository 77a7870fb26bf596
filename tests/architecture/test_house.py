"""What holds the house together: the public face, lazy imports, and a start that does not load torch."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import layerwise

SOURCE = Path(layerwise.__file__).parent
HEAVY = ("torch", "matplotlib", "pandas", "lightning", "sklearn")


def modules_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_layerwise_loads_nothing_heavy() -> None:
    assert modules_after("import layerwise") == set()


def test_the_command_line_loads_nothing_heavy_before_a_command_runs() -> None:
    assert modules_after("import layerwise.cli") == set()


@pytest.mark.parametrize("name", layerwise.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(layerwise, name).__name__ == name


def test_the_public_face_lists_what_it_loads_and_what_type_checkers_see() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    (typed,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [alias.name for imported in typed.body if isinstance(imported, ast.ImportFrom) for alias in imported.names]
    assert sorted(seen) == sorted(layerwise.__all__) == sorted(layerwise._public.NAME_TO_MODULE)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'layerwise' has no attribute 'measure'"):
        _ = layerwise.measure  # type: ignore[attr-defined]


def test_every_public_function_has_a_docstring() -> None:
    assert [name for name in layerwise.__all__ if not getattr(layerwise, name).__doc__] == []


def public_functions() -> dict[str, Callable[..., object]]:
    """Public functions, and public methods of public classes, by their names."""
    found: dict[str, Callable[..., object]] = {}
    for name in layerwise.__all__:
        public = getattr(layerwise, name)
        if inspect.isfunction(public):
            found[name] = public
        elif inspect.isclass(public):
            for method, _ in inspect.getmembers(public, callable):
                if not method.startswith("_") or method == "__init__":
                    found[f"{name}.{method}"] = getattr(public, method)
    return found


def test_every_public_name_that_takes_a_path_takes_a_string_as_well() -> None:
    annotated = [
        (name, parameter, str(annotation))
        for name, function in public_functions().items()
        for parameter, annotation in getattr(function, "__annotations__", {}).items()
        if parameter != "return"
    ]
    paths = [one for one in annotated if "Path" in one[2]]
    assert len(paths) > 30
    assert [one for one in paths if "str" not in one[2]] == []


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_no_file_outgrows_its_room() -> None:
    assert [path.name for path in files() if path.read_text().count("\n") > 320] == []


def test_nothing_unpickles_and_nothing_loads_weights_unsafely() -> None:
    calls = [
        (path.name, ast.unparse(node))
        for path in files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]
    loads = [(name, call) for name, call in calls if call.startswith(("torch.load(", "pickle.load"))]
    unsafe = [(name, call) for name, call in loads if "weights_only=True" not in call]
    # The inert reader stands in for pickle there: it makes placeholders of all that a file names.
    assert [call for name, call in unsafe if name != "inert_pickle.py" or "pickle_module=reader" not in call] == []
    assert [(name, call) for name, call in calls if "allow_pickle=True" in call] == []


def test_torchvision_is_imported_in_one_place() -> None:
    importing = [
        path.name
        for path in files()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "torchvision" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torchvision")
    ]
    assert set(importing) <= {"_torchvision.py"}
