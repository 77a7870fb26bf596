"""Studies run once, go on where they stopped, and give the same numbers by every engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.data.images import ImageData
from layerwise.errors import FileError, Interrupted, StudyError, UnknownNameError
from layerwise.study.engines import find_engine
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.engines.processes import spread
from layerwise.study.running import planned_trials, run_study
from layerwise.study.store import Store
from layerwise.study.summary import summarize
from layerwise.study.trials import CURVES, Record, Trial, run_trial, trial_data
from study_files import SMALL, small


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return run_study(small(), tmp_path_factory.mktemp("study") / "loop", run_in_loop)


class Counting:
    """The loop, with how many trials it was given; stopped by Ctrl-C after some."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.given, self.stop_after = 0, stop_after

    def __call__(self, trials: Sequence[Trial]) -> Iterator[Record]:
        for place, trial in enumerate(trials):
            if place == self.stop_after:
                raise KeyboardInterrupt
            self.given += 1
            yield run_trial(trial)


def same(first: Store, second: Store) -> None:
    """All but the times."""
    pd.testing.assert_frame_equal(*(one.table(series=True).drop(columns="seconds") for one in (first, second)))


def test_every_cell_runs_in_every_block(finished: Store) -> None:
    table = finished.table()
    assert len(table) == 12
    assert set(table["status"]) == {"done"}
    assert table["test_accuracy"].between(0, 1).all()
    whole = finished.table(series=True)
    assert whole["train_loss_curve"].map(len).eq(2).all()
    assert whole["confusion"].map(np.sum).eq(60).all()
    kernels = whole[whole["kernels_before"].map(len) > 0]
    assert len(kernels) == 6
    assert not any(np.array_equal(row.kernels_before, row.kernels_after) for row in kernels.itertuples())


def test_a_stopped_study_goes_on_and_ends_with_the_same_table(finished: Store, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"5 of 12 runs are kept in .*\n    Go on: run the same command"):
        run_study(small(), tmp_path / "run", Counting(stop_after=5))
    rest = Counting()
    store = run_study(small(), tmp_path / "run", rest)
    assert rest.given == 7
    same(store, finished)


def test_of_a_stopped_study_only_its_own_runs_are_counted(tmp_path: Path) -> None:
    run_study(small(("seeds = 3", "seeds = 1")), tmp_path / "run", run_in_loop)
    other = small(("model.kernel = 3", "model.kernel = 2"), ("seeds = 3", "seeds = 1"))
    with pytest.raises(Interrupted, match=r"^stopped; 3 of 4 runs are kept in "):
        run_study(other, tmp_path / "run", Counting(stop_after=1))


def test_what_came_back_before_an_engine_failed_is_kept(tmp_path: Path) -> None:
    def fail(trials: Sequence[Trial]) -> Iterator[Record]:
        yield from map(run_trial, trials[:3])
        raise StudyError("the cluster is gone")

    with pytest.raises(StudyError, match="the cluster is gone"):
        run_study(small(), tmp_path / "run", fail)
    assert len(Store(tmp_path / "run").finished()) == 3


PRESSING = """
import signal
from torch import nn

class Pressing(nn.Module):
    def __init__(self, num_classes, in_channels):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

    def forward(self, images):
        if self.training:
            signal.raise_signal(signal.NUMBER)
        return self.layers(images)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_while_a_network_trains_stops_the_study_and_is_no_failure(tmp_path: Path, number: str) -> None:
    (tmp_path / "own.py").write_text(PRESSING.replace("NUMBER", number))
    network = f"model.name = '{tmp_path}/own.py:Pressing'"
    claims = SMALL[SMALL.index("[[compare]]") :]
    pressing = ('model.name = "two-layer-mlp"\nmodel.side = 8', network)
    study = small(("seeds = 3", "seeds = 1"), pressing, (claims, ""))
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted, match=r"^stopped; 2 of 4 runs are kept in "):
        run_study(study, tmp_path / "run", run_in_loop)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    assert set(Store(tmp_path / "run").table()["status"]) == {"done"}


def _killed(place: int) -> int:
    if place == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return place


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_study_with_words() -> None:
    with pytest.raises(StudyError, match=r"was killed; perhaps there was not enough memory\.\n    Go on: run the same"):
        list(spread(_killed, range(4), processes=2))
    assert sorted(spread(abs, range(4), processes=2)) == [0, 1, 2, 3]


def refuse(_: object) -> Iterator[Record]:
    raise AssertionError("an engine was asked, and may have started processes")


def test_a_finished_study_runs_nothing_and_an_enlarged_one_only_what_is_new(finished: Store, tmp_path: Path) -> None:
    store = run_study(small(), tmp_path / "run", run_in_loop)
    run_study(small(), store.folder, refuse)
    larger = Counting()
    more = small(("[2, 4]", "[2, 4, 6]"), ("seeds = 3", "seeds = 4"))
    run_study(more, store.folder, larger)
    assert larger.given == 5 * 4 - 12
    before = store.table()
    kept = before[before["cell"].isin({cell.address for cell in small().cells}) & (before["block"] < 3)]
    pd.testing.assert_frame_equal(
        kept.drop(columns="seconds").reset_index(drop=True), finished.table().drop(columns="seconds")
    )


@pytest.mark.slow
def test_processes_give_the_numbers_of_the_loop(finished: Store, tmp_path: Path) -> None:
    same(run_study(small(), tmp_path / "run", find_engine("processes")), finished)


def test_a_trial_s_numbers_do_not_depend_on_what_ran_before(finished: Store) -> None:
    trials = planned_trials(small())
    table = finished.table().set_index(["cell", "block"])
    for trial in reversed(trials[-3:]):
        record = run_trial(trial)
        assert record.measures["test_loss"] == table.loc[(trial.cell.address, trial.block), "test_loss"]


def test_a_run_that_was_stopped_early_has_the_numbers_of_the_network_that_is_tested() -> None:
    early = ("training.epochs = 2", "training.epochs = 12\ntraining.early_stop = 2")
    study = small(early, ("learning_rate = 0.05", "learning_rate = 1.0"))
    record = run_trial(Trial(study.cells[-1], 0))
    losses, best = record.series["validation_loss"], int(record.series["validation_loss"].argmin())
    assert losses[-1] > losses[best]
    assert {name: record.measures[name] for name in CURVES} == {name: record.series[name][best] for name in CURVES}


def test_networks_of_a_block_see_the_same_images_and_blocks_differ() -> None:
    (cnn, _, mlp, _) = small().cells
    splits = ("train", "validation", "test")
    ours, theirs, others = (trial_data(Trial(cell, block)) for cell, block in ((cnn, 0), (mlp, 0), (cnn, 1)))
    for split in splits:
        first, second, other = (images_of(data, split) for data in (ours, theirs, others))
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, other)


def images_of(data: ImageData, split: str) -> np.ndarray:
    part = data.split(split)
    return part.batch(slice(0, len(part)))


def test_a_cell_that_diverges_or_fails_is_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    rate = "training.learning_rate = 1e30\ntraining.weight_decay = 1.0"
    study = small(("training.learning_rate = 0.05", rate), ("seeds = 3", "seeds = 1"))
    store = run_study(study, tmp_path / "run", run_in_loop)
    table = store.table()
    assert set(table["status"]) == {"diverged"}
    assert "NaN or infinite" in table["error"][0]
    summary = summarize(study, store)
    assert len(summary.failures) == 4
    assert summary.verdict == "open"
    wrong = small(("model.side = 8", "model.side = 9"), ("seeds = 3", "seeds = 1"))
    store = run_study(wrong, tmp_path / "wrong", run_in_loop)
    assert store.table()["status"].value_counts().to_dict() == {"done": 2, "failed": 2}
    assert "cannot take images" in " ".join(store.table()["error"])
    again, retried = Counting(), Counting()
    run_study(wrong, store.folder, again)
    run_study(wrong, store.folder, retried, retry=True)
    assert (again.given, retried.given) == (0, 2)


def test_many_small_files_become_one_and_hold_the_same(
    finished: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerwise.study.running.KEEP_EVERY_S", 0.0)
    monkeypatch.setattr("layerwise.study.store.MANY_FILES", 3)
    store = run_study(small(), tmp_path / "run", run_in_loop)
    assert len(list((store.folder / "chunks").iterdir())) == 1
    same(store, finished)


def test_the_same_work_twice_is_counted_once(finished: Store, tmp_path: Path) -> None:
    store = run_study(small(), tmp_path / "run", run_in_loop)
    trials = planned_trials(small())
    store.keep([run_trial(trial) for trial in trials[:3]])
    same(store, finished)


def test_a_run_that_failed_in_one_process_hides_no_finished_one_of_another(finished: Store, tmp_path: Path) -> None:
    store, trials = Store(tmp_path / "run"), planned_trials(small())
    records = [run_trial(trial) for trial in trials]
    store.keep(records)
    failures = [Record(trial.cell.address, trial.block, "failed", "no memory") for trial in trials]
    store.keep(failures)
    for failure in failures:  # some of these files are read before the finished ones, some after
        store.keep([failure])
    same(store, finished)


def test_the_plan_is_that_of_the_first_run(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run_study(small(), tmp_path / "run", Counting(stop_after=0))
    corrected = small(("is ahead", "is behind"), ("level = 0.5", "level = 0.4"))
    store = run_study(corrected, tmp_path / "run", run_in_loop)
    summary = summarize(corrected, store)
    assert summary.same_hypothesis
    assert [one.planned for one in summary.judged] == [True] * 3


def test_results_of_another_study_are_not_mixed_with_those_of_one_of_the_same_name(tmp_path: Path) -> None:
    once = ("seeds = 3", "seeds = 1")
    store = run_study(small(once), tmp_path / "run", run_in_loop)
    before = {path: path.read_bytes() for path in store.folder.rglob("*.*")}
    with pytest.raises(StudyError) as caught:
        run_study(small(once, ("training.epochs = 2", "training.epochs = 1")), store.folder, run_in_loop)
    assert str(caught.value) == (
        f"{store.folder} holds the results of another study: it has none of these cells.\n"
        "    Choose another folder (-o), or give the file another name."
    )
    assert {path: path.read_bytes() for path in store.folder.rglob("*.*")} == before


def test_claims_that_came_after_the_first_run_are_exploratory(tmp_path: Path) -> None:
    store = run_study(small(("seeds = 3", "seeds = 1")), tmp_path / "run", run_in_loop)
    later = small(("seeds = 3", "seeds = 1"), ("level = 0.5", "level = 0.4"), ("is ahead", "is behind"))
    run_study(later, store.folder, run_in_loop)
    summary = summarize(later, store)
    assert [one.planned for one in summary.judged] == [True, True, False]
    assert not summary.same_hypothesis
    assert summarize(small(("seeds = 3", "seeds = 1")), store).same_hypothesis


def test_before_a_planned_look_nothing_is_judged(finished: Store) -> None:
    study = small(("seeds = 3", "seeds = 6\nlooks = [4, 6]"))
    summary = summarize(study, finished)
    assert (summary.blocks, summary.used, summary.alpha, summary.verdict) == (3, 0, 0.0, "open")
    early = summarize(small(("seeds = 3", "seeds = 6\nlooks = [2, 6]")), finished)
    assert (early.blocks, early.used) == (3, 2)
    assert 0 < early.alpha < 0.01


def test_numbers_of_others_stand_beside_ours(finished: Store) -> None:
    summary = summarize(small(), finished)
    assert [one.reference.value for one in summary.beside] == [0.3, 0.4]
    for one in summary.beside:
        assert one.inside == (one.ours.low <= one.reference.value <= one.ours.high)
    table = summary.table()
    assert list(table.columns) == [
        *("model.name", "model.kernel", "data.train_per_class", "model.side", "mean", "low", "high", "blocks")
    ]
    assert table["blocks"].tolist() == [3] * 4


def test_folders_that_hold_something_else_are_refused(tmp_path: Path, finished: Store) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="is a file; a folder is expected"):
        Store(tmp_path / "file")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("")
    with pytest.raises(StudyError, match="holds something else than a study"):
        Store(tmp_path / "photos")
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "plan.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(StudyError, match="was written in format 99; this layerwise reads 1"):
        Store(tmp_path / "newer")
    damaged = run_study(small(("seeds = 3", "seeds = 1")), tmp_path / "damaged", run_in_loop)
    next((damaged.folder / "chunks").iterdir()).write_bytes(b"no parquet")
    with pytest.raises(FileError, match="is damaged"):
        damaged.table()


def test_engines_have_names() -> None:
    with pytest.raises(UnknownNameError, match=r'no engine is called "lop"\. Did you mean "loop"'):
        find_engine("lop")
    with pytest.raises(UnknownNameError, match=r'no engine is called "LOOP"\. Did you mean "loop"'):
        find_engine("LOOP")


def test_measures_have_names(finished: Store) -> None:
    with pytest.raises(UnknownNameError, match=r'^no measure is called "test_acuracy"\. Did you mean "test_accuracy"'):
        summarize(small(), finished).table("test_acuracy")


def test_more_seeds_than_anybody_trains_are_refused() -> None:
    with pytest.raises(StudyError, match=r"^seeds must be at most 1,000,000; got 1000001\.$"):
        small().with_seeds(1_000_001)
