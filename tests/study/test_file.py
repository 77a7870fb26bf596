"""A study file is read, or everything that is wrong with it is told at once, with its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from layerwise.errors import FileError, StudyError, UnknownNameError
from layerwise.progress import Item, What
from layerwise.study.checks.results import check_study
from layerwise.study.file import Study, parse_study, read_study
from layerwise.study.named import find_studies
from layerwise.study.summary import load_study
from study_files import SMALL, small


def test_a_study_is_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    study = read_study(path)
    assert (study.name, study.seeds, study.alpha, study.measure, study.looks) == (
        "small",
        3,
        0.05,
        "test_accuracy",
        (3,),
    )
    assert [(cell.settings["model.name"], cell.settings["data.train_per_class"]) for cell in study.cells] == [
        *(("simple-cnn", 2), ("simple-cnn", 4), ("two-layer-mlp", 2), ("two-layer-mlp", 4))
    ]
    assert study.cells[0].data_spec == (
        "edges?resolution=8&test_per_class=20&train_per_class=2&validation_per_class=4&width=1,2"
    )
    assert study.cells[0].training(5).seed == 5
    first, second, third = study.comparisons
    addresses = [cell.address for cell in study.cells]
    assert first.cells == (addresses[0], addresses[2])
    assert first.claim == "simple-cnn above two-layer-mlp (train_per_class = 2)"
    assert second.cells == (addresses[1], addresses[3])
    assert (third.kind, third.cells, third.amounts, third.bound, third.primary) == (
        *("needed", tuple(addresses), (2.0, 4.0), 0.5, False),
    )
    assert [(one.cell, one.value) for one in study.references] == [(addresses[0], 0.3), (addresses[1], 0.4)]


def test_addresses_depend_on_the_settings_alone() -> None:
    other = small(("seeds = 3", "seeds = 9"), ('title = "Do', 'title = "Why do'), ("[2, 4]", "[2, 4, 6]"))
    assert {cell.address for cell in small().cells} < {cell.address for cell in other.cells}


def test_the_plan_is_the_hypothesis_and_the_claims() -> None:
    assert small().plan == small(("seeds = 3", "seeds = 9")).plan
    assert small().plan != small(("is ahead", "is far ahead")).plan
    assert small().plan != small(("for.data.train_per_class = [2, 4]", "for.data.train_per_class = 2")).plan


def test_all_faults_are_told_at_once_with_their_lines_and_near_names() -> None:
    with pytest.raises(StudyError) as caught:
        small(
            ("training.learning_rate = 0.05", "training.lerning_rate = 0.05"),
            ("data.resolution = 8", "data.resolutoin = 8"),
            ('data.kind = "edges"', 'data.kind = "edges"\nmodle.kernel = 3'),
            ('model.name = "two-layer-mlp"', 'model.name = "two-layer-mpl"'),
        )
    told = str(caught.value)
    assert told.startswith("small.toml has 4 faults:")
    assert '\n    line 8: "modle.kernel" is not of data, model or training. Did you mean "model"' in told
    assert '"edges" has no option "resolutoin". Did you mean "resolution"?' in told
    assert '\n    line 14: training has no setting "lerning_rate". Did you mean "learning_rate"?' in told
    assert 'no network named "two-layer-mpl". Did you mean "two-layer-mlp"' in told


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("seeds = 3", "seedz = 3", 4, 'a study has no "seedz". Did you mean "seeds"?'),
        ("seeds = 3", 'seeds = "3"', 4, "\"seeds\" must be a whole number; got '3'."),
        ("seeds = 3", "seeds = 0", 4, "seeds = 0: give at least 1."),
        ("seeds = 3", "seeds = 3\nalpha = 5.0", 5, "alpha = 5: give more than 0 and less than 1, such as 0.05."),
        ("seeds = 3", "seeds = 3\nlooks = [2, 1]", 5, "looks = [2, 1]: give increasing numbers of blocks"),
        ("seeds = 3", 'seeds = 3\nmeasure = "accuracy"', 5, 'no measure is called "accuracy". Did you mean'),
        ("training.epochs = 2", "training.epochs = 0", 15, "epochs"),
        ("training.epochs = 2", "training.seed = 2", 15, 'no setting "seed". It is decided by the block.'),
        ("model.kernel = 3", "model.kernel = 3\nmodel.kernels = 'sobel'", 20, 'kernels "sobel" is not one of drawn'),
        ("model.side = 8", "model.kernel = 8", 24, '"two-layer-mlp" has no option "kernel".'),
        ('higher.model.name = "simple-cnn"', 'higher.model.name = "simple-cn"', 28, "no cell has simple-cn"),
        ("for.data.train_per_class = [2, 4]", "primary = true", 28, "2 cells have simple-cnn; say also data.train_per"),
        ("for.data.train_per_class = [2, 4]", "for.data.train_per_class = 3", 28, "train_per_class is one of 2, 4."),
        ("for.data.train_per_class", "four.data.train_per_class", 30, 'has no "four". Did you mean "for"?'),
        ('kind = "needed"', 'kind = "neded"', 33, 'no comparison is called "neded". Did you mean "needed"?'),
        ('along = "data.train_per_class"\n', "", 32, 'a comparison of kind "needed" needs "along".'),
        ("level = 0.5\n", "", 32, 'a comparison of kind "needed" needs "level".'),
        ('source = "a notebook"\n', "", 40, 'a reference needs "source".'),
        ("value = [0.3, 0.4]", "value = [0.3]", 44, "1 values are given"),
    ],
)
def test_a_fault_is_told_with_its_line(before: str, after: str, line: int, words: str) -> None:
    with pytest.raises(StudyError) as caught:
        small((before, after))
    told = str(caught.value)
    assert words in told
    assert f"line {line}: " in told


def test_files_that_are_no_studies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file"):
        read_study(tmp_path / "gone.toml")
    with pytest.raises(FileError, match="is no TOML"):
        parse_study("a = ", name="a")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="is no text in UTF-8"):
        read_study(tmp_path / "bytes.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(FileError, match=r"folder\.toml cannot be read \(Is a directory\)\.$"):
        read_study(tmp_path / "folder.toml")
    with pytest.raises(StudyError, match='a study needs "title"'):
        parse_study("", name="empty")


def test_a_study_is_had_by_its_name_or_its_file(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    assert Study.from_file(tmp_path / "small.toml") == Study.from_file(str(tmp_path / "small.toml")) == small()
    assert find_studies(tmp_path / "small.toml") == (small(),)
    assert Study.from_file("inductive-bias/q4-domain-shift").name == "q4-domain-shift"
    with pytest.raises(StudyError, match=r'"inductive-bias/all" is \d+ studies: q1-overfit, .* or take find_studies\.'):
        Study.from_file("inductive-bias/all")
    with pytest.raises(UnknownNameError, match='no study is called "q4"'):
        Study.from_file("q4")


def test_with_other_seeds_only_looks_within_them_are_left() -> None:
    study = small(("seeds = 3", "seeds = 8\nlooks = [2, 4, 8]"))
    assert [study.with_seeds(seeds).looks for seeds in (1, 4, 5, 8, 20)] == [
        *((1,), (2, 4), (2, 4, 5), (2, 4, 8), (2, 4, 8, 20))
    ]
    assert study.with_seeds(20).seeds == 20
    assert type(study.with_seeds(np.int64(3)).seeds) is int  # type: ignore[arg-type]


@pytest.mark.parametrize("seeds", [0, -1, 2.5, "3", True, float("nan"), [3]])
def test_seeds_that_are_no_whole_number_above_0_are_refused(seeds: int, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        small().run(tmp_path / "run", seeds=seeds)
    assert str(caught.value) == f"seeds must be a whole number of at least 1; got {seeds!r}."
    assert not (tmp_path / "run").exists()


def test_the_easy_door_runs_what_is_missing_and_judges(tmp_path: Path) -> None:
    shown: list[int] = []

    def progress(items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:
        shown.append(total)
        yield from items

    folder = tmp_path / "small"
    first = small().run(folder, engine="loop", seeds=1, check=False, progress=progress)
    assert (first.blocks, first.used, first.verdict, (folder / "checks.json").exists()) == (1, 1, "open", False)
    more = small().run(folder, engine="loop", seeds=2, progress=progress)
    assert (more.blocks, more.used, (folder / "checks.json").exists()) == (2, 2, True)
    assert shown == [4, 4]
    again = load_study(folder)
    assert (again.study.seeds, again.table().equals(more.table())) == (2, True)
    names = [one.name for one in check_study(small(), folder)]
    assert names.index("learns by heart") < names.index("seeds enough")
    with pytest.raises(UnknownNameError, match='no engine is called "lop"'):
        small().run(tmp_path / "other", engine="lop")
    assert not (tmp_path / "other").exists()
    (folder / "study.toml").unlink()
    with pytest.raises(FileError, match=r"^no file .*study\.toml\.$"):
        load_study(folder)
    with pytest.raises(StudyError, match="holds no study"):
        load_study(tmp_path / "other")
