"""find_lines: where in a TOML text each key stands, which the standard parser does not tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""A key with the tables around it; the members of an array of tables by number, from 0."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")


def find_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table and key of a valid TOML text.

    >>> find_lines('seeds = 3\\n[[cells]]\\nmodel.name = "a"\\n[[cells]]\\n')
    {('seeds',): 1, ('cells', 0): 2, ('cells', 0, 'model', 'name'): 3, ('cells', 1): 4}
    """
    found: dict[Path, int] = {}
    table: Path = ()
    members: Counter[Path] = Counter()
    depth, quotes = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        header, key = _HEADER.match(line), _KEY.match(line)
        if depth == 0 and header:
            table = _table(_parts(header[2]), members, is_member=header[1] == "[[")
            found.setdefault(table, number)
        elif depth == 0 and key:
            found.setdefault((*table, *_parts(key[1])), number)
        quotes = _left_open(line)
        bare = _STRING.sub("", line if not quotes else "").partition("#")[0]
        depth += bare.count("[") - bare.count("]") if not header else 0
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a key, or of the first one under it, or of the nearest table around it."""
    while path:
        below = [number for known, number in lines.items() if known[: len(path)] == path]
        if below:
            return min(below)
        path = path[:-1]
    return 1


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _table(names: Path, members: Counter[Path], *, is_member: bool) -> Path:
    """The table's path; each name of it that is an array of tables is followed by its last member's number."""
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if is_member and place == len(names) - 1:
            members[path] += 1
        if members[path]:
            path = (*path, members[path] - 1)
    return path


def _left_open(line: str) -> str:
    """The three quotes of a string that goes on in the next line, if one does."""
    for quotes in ('"""', "'''"):
        if line.count(quotes) % 2:
            return quotes
    return ""
