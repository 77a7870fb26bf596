"""The exception tree, as its docstring draws it."""

from __future__ import annotations

import inspect
import re

from layerwise import errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│├└─ ]*)([A-Z]\w+)", line)
        if found:
            level = len(found.group(1)) // 4
            above[level:] = [found.group(2)]
            drawn[found.group(2)] = above[level - 1] if level else "Exception"
    real = {
        name: cls.__mro__[1].__name__
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, Exception) and cls.__module__ == errors.__name__
    }
    assert drawn == real


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert str(errors.MissingExtraError("lightning", "train", "training")) == (
        "training needs lightning, which is not installed.\n    Install it: pip install 'layerwise[train]'"
    )


def test_near_names_are_offered_nearest_first() -> None:
    assert errors.did_you_mean("layer5", ["layer4", "layer1", "fc"]) == ' Did you mean "layer4" or "layer1"?'
