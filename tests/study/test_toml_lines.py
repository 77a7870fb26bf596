"""Keys are found where they stand."""

from __future__ import annotations

import pytest

from layerwise.study.toml_lines import find_lines, line_of
from study_files import SMALL

TEXT = '''
title = "a # b [c]"     # a word
text = """
seeds = 1
[not.a.table]
"""
levels = [
  1, 2,
  "x = [",
]
"dotted.key".more = 3

[all]
data.kind = "edges"

[[cells]]
a = 1
[[cells.together]]
b = [1]
[[cells.together]]
c = 2
[[cells]]
[cells.skip]
'''


def test_every_key_and_table_has_its_line() -> None:
    assert find_lines(TEXT) == {
        ("title",): 2,
        ("text",): 3,
        ("levels",): 7,
        ("dotted.key", "more"): 11,
        ("all",): 13,
        ("all", "data", "kind"): 14,
        ("cells", 0): 16,
        ("cells", 0, "a"): 17,
        ("cells", 0, "together", 0): 18,
        ("cells", 0, "together", 0, "b"): 19,
        ("cells", 0, "together", 1): 20,
        ("cells", 0, "together", 1, "c"): 21,
        ("cells", 1): 22,
        ("cells", 1, "skip"): 23,
    }


def test_a_key_that_is_not_written_is_said_to_be_in_its_table() -> None:
    lines = find_lines(TEXT)
    assert line_of(("cells", 0, "model", "name"), lines) == 16
    assert line_of(("nowhere",), lines) == 1


def test_the_lines_of_a_study_hold_its_keys() -> None:
    lines = SMALL.splitlines()
    for path, number in find_lines(SMALL).items():
        assert str(path[-1] if isinstance(path[-1], str) else path[-2]) in lines[number - 1]


@pytest.mark.parametrize("string", ['"x#y"', "'x#y'", r'"x\"[#"', "'\"#['"])
def test_no_character_in_a_string_hides_the_lines_that_follow(string: str) -> None:
    assert find_lines(f"a = [{string}]  # [ it's\nb = [{string},  # [\n]\nc = 1\n") == {("a",): 1, ("b",): 2, ("c",): 4}
