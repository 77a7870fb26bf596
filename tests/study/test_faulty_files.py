"""Whatever stands in a study's file, it is read, or refused with words and the line: never with a traceback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerwise.errors import FileError, StudyError
from layerwise.study.file import parse_study, read_study
from study_files import SMALL, small

CLAIM = 'higher.model.name = "simple-cnn"'
SAME = (
    'kind = "needed"\nfewer.model.name = "simple-cnn"\nmore.model.name = "two-layer-mlp"\n'
    'along = "data.train_per_class"\nlevel = 0.5',
    'kind = "same"\none.data.train_per_class = 2\none.model.kernel = 3\nother.data.train_per_class = 4\n'
    "other.model.kernel = 3\nwithin = 0",
)  # fmt: skip
SKIP = "model.side = 8\ndata.train_per_class = [2, 4]"
"""Of the second cells."""


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (CLAIM, f'{CLAIM}\nby = "x"', "line 29: \"by\" must be a number; got 'x'."),
        (CLAIM, f"{CLAIM}\nby = inf", 'line 29: "by" must be a number; got inf.'),
        (CLAIM, f"{CLAIM}\nby = 5", "line 29: by = 5 of test_accuracy: shares differ by -1 to 1, not percent."),
        ("level = 0.5", "level = 90", "line 37: level = 90 of test_accuracy: a share is 0 to 1, not percent."),
        ("value = [0.3, 0.4]", "value = [0.3, 40]",
         "line 44: value = 40 of test_accuracy: a share is 0 to 1, not percent."),
        (CLAIM, f"{CLAIM}\nby = 1{'0' * 400}", f'line 29: "by" must be a number; got 1{"0" * 400}.'),
        ("seeds = 3", f"seeds = {10**20}", f"line 4: seeds = {10**20}: give at most 1,000,000."),
        ("Do convolutions", r"Do \u001b[31mconvolutions",
         "line 2: U+001B is a character that cannot be shown; leave it out."),
        ("a notebook", r"a \uFFFEnotebook", "line 41: U+FFFE is a character that cannot be shown; leave it out."),
        ("value = [0.3, 0.4]", "value = []", 'line 44: "value" is an empty list; give a number, or some.'),
        ("seeds = 3", "seeds = 3 # \u2028\nalpha = true", 'line 5: "alpha" must be a number; got True.'),
        (SKIP, f"{SKIP}\n[[cells.together]]\ntraining.epochs = [1, 2]\ntraining.momentum = [0, 2]",
         "line 28: momentum must be a number from 0 to below 1; got 2."),
        (SKIP, f"{SKIP}\n[cells.tune]\nmodel.side = [8, 8]",
         "line 22: there is nothing to choose: give a list of at least two levels under tune."),
        (SKIP, f"{SKIP}\ndata.validation_per_class = 0\n[cells.tune]\nmodel.side = [8, 9]",
         "line 22: there are no images to choose by: data.validation_per_class is 0."),
        (SKIP, f"{SKIP}\n[cells.tune]\nmodel.side = [8, 9]\ntune.model.side = [3, 4]",
         'line 28: "tune" cannot stand under "tune".'),
        ("level = 0.5", 'level = "a"', "line 37: \"level\" must be a number; got 'a'."),
        (*SAME, 'line 38: "within" must be above 0; got 0.'),
        ("for.data.train_per_class = [2, 4]", "for = 3",
         'line 30: "for" must be a table, such as for.model.name = …; got 3.'),
        ("for.data.train_per_class = [2, 4]", "for.data.train_per_class = []",
         'line 30: there are no levels under "for".'),
        ("primary = false", 'primary = "no"', "line 38: \"primary\" must be true or false; got 'no'."),
        (CLAIM, 'higher = "simple-cnn"',
         "line 28: \"higher\" must be a table, such as higher.model.name = …; got 'simple-cnn'."),
        (CLAIM, f"{CLAIM}\nmeasure = 3", 'line 29: "measure" must be text; got 3.'),
        ("lower.model.name = \"two-layer-mlp\"", "lower.model.kernel = 3",
         "line 27: a cell is compared with itself (train_per_class = 2); its sides must differ.\n"
         "    line 27: a cell is compared with itself (train_per_class = 4); its sides must differ."),
        ("value = [0.3, 0.4]", 'value = ["a", 0.4]',
         "line 44: \"value\" must be a number, or a list of them; got 'a' among them."),
        ("value = [0.3, 0.4]", "value = {}", 'line 44: "value" must be a number, or a list of them; got {}.'),
        ("value = [0.3, 0.4]", "value = [0.3, 0.4]\nmeasur = 'ece'",
         'line 45: a reference has no "measur". Did you mean "measure"?'),
        ('source = "a notebook"\n', "", 'line 40: a reference needs "source".'),
        (SMALL[SMALL.index("[[cells]]") :], "[cells]", 'line 17: "cells" must be tables, each under [[cells]].'),
        ("value = [0.3, 0.4]", "value = [0.3, 0.4]\nmeasure = 'test_acuracy'",
         'line 45: no measure is called "test_acuracy". Did you mean "test_accuracy" or "train_accuracy"?'),
        ("seeds = 3", "seeds = 3\nlooks = [1.5, 3]",
         "line 5: looks = [1.5, 3]: give increasing numbers of blocks, of which the last is 3."),
        ("seeds = 3", "seeds = 3\nlooks = [1, '2', 3]",
         "line 5: looks = [1, '2', 3]: give increasing numbers of blocks, of which the last is 3."),
        ("seeds = 3", "seeds = 3\nlooks = 3", 'line 5: "looks" must be a list; got 3.'),
        ("seeds = 3", "seeds = 3\nmade = 2026-10-01", 'line 5: a study has no "made".'),
        ("model.kernel = 3", "model.kernel = 2026-10-01",
         "line 19: 2026-10-01 is a date; put it in quotes, or give a number."),
        (SKIP, f"{SKIP}\nskip = 3", 'line 26: "skip" must be tables, each under [[cells.skip]].'),
        (SKIP, f"{SKIP}\n[cells.together]\nb = 3",
         'line 26: "together" must be tables, each under [[cells.together]].'),
        (SKIP, f"{SKIP}\n[[cells.skip]]\nmodel.sied = 8",
         "line 26: this leaves nothing out: no combination of these cells has its settings."),
        (SKIP, f"{SKIP}\n[[cells.skip]]\ndata.train_per_class = [2, 4]",
         "line 26: this leaves nothing out: no combination of these cells has its settings."),
        (SKIP, f"{SKIP}\ntune = {{ training.learning_rate = [0.1, 1.0], by = ['a'] }}",
         'line 26: "by" must be text; got [\'a\'].'),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_told_with_its_line(before: str, after: str, fault: str) -> None:
    with pytest.raises(StudyError) as caught:
        small((before, after))
    count = "a fault" if "\n" not in fault else "2 faults"
    assert str(caught.value) == f"small.toml has {count}:\n    {fault}"


def test_a_section_that_is_no_table_is_told() -> None:
    with pytest.raises(StudyError) as caught:
        small((SKIP, f"{SKIP}\ntraining = 3"))
    assert str(caught.value) == (
        'small.toml has a fault:\n    line 26: "training" must be settings, such as training.epochs = …; got 3.'
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 5000, "small.toml is no TOML of a study: its brackets are nested too deeply."),
        (f"seeds = {'9' * 5000}", "small.toml is no TOML: Exceeds the limit (4300 digits) for integer string"),
    ],
)
def test_what_no_parser_can_hold_is_no_toml(text: str, words: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_study(text, name="small", source="small.toml")
    assert str(caught.value).startswith(words)


def test_files_of_other_kinds_and_names_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(FileError, match=r"pipe\.toml is a pipe; a file is expected\."):
        read_study(tmp_path / "pipe.toml")
    with pytest.raises(FileError, match="is no name in UTF-8"):
        read_study(tmp_path / os.fsdecode(b"\xff.toml"))
    (tmp_path / "marked.toml").write_text(SMALL, encoding="utf-8-sig")
    assert read_study(tmp_path / "marked.toml").text == SMALL


VALUES = (
    '"x"', '""', "3", "-1", "0.5", "nan", "true", "[]", '["a"]', '[1.5, "a"]', "[[1], 2]", "{}", "{ a = 1 }",
    '[{ "model.kernel" = 1 }]', "2026-10-01", "[2026-10-01]",
)  # fmt: skip
KEYS = (
    "together", "skip", "tune", "tune.by", "tune.skip", "tune.training.momentum", "data", "model", "training", "kind",
    "claim", "measure", "primary", "for", "by", "alpha", "looks", "question",
)  # fmt: skip


def changed() -> Iterator[str]:
    """The small study with each value another, and with each key more in each of its tables."""
    lines = SMALL.splitlines()
    for place, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        for value in VALUES if equals else ():
            yield "\n".join([*lines[:place], f"{key} = {value}", *lines[place + 1 :]])
        for key in KEYS if line.startswith(("[", "seeds")) else ():
            for value in VALUES:
                yield "\n".join([*lines[: place + 1], f"{key} = {value}", *lines[place + 1 :]])


@pytest.mark.slow
def test_whatever_the_value_a_file_is_read_or_refused_in_words() -> None:
    for text in changed():
        try:
            parse_study(text, name="small")
        except (StudyError, FileError):
            continue
        except Exception as error:
            raise AssertionError(text) from error
