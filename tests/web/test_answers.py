"""A run's own network answers: an image of the run gets its own row again, wherever it is asked about."""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer_files import as_file
from layerwise.arrays.scores import max_probability
from layerwise.errors import BusyError, DataError, FileError, InputError, RunError
from layerwise.exits.folder import load_recorded
from layerwise.runs import read_json, write_json
from layerwise.views.explorer.payload import explorer_payload
from layerwise.views.run import RunView, read_run
from layerwise.web.abilities import Abilities
from layerwise.web.answers import RunAnswers
from layerwise.web.measured import Measured
from payload_files import read

EVERYTHING = Abilities(True, True, ())


def answers_of(run: Path, **options: Any) -> RunAnswers:
    view = read_run(run)
    given = {"limit_bytes": 4e9, "trust_code": True, **options}
    return RunAnswers(run, Measured.of(view), EVERYTHING, **given)


@contextlib.contextmanager
def asked(run: Path, **options: Any) -> Iterator[RunAnswers]:
    answers = answers_of(run, **options)
    answers.begin()
    try:
        yield answers
    finally:
        answers.close()


@pytest.fixture(scope="module")
def explored(full: Path) -> Iterator[tuple[RunAnswers, RunView]]:
    with contextlib.chdir(full), asked(Path("measured")) as answers:
        answers.place(image_of(full, "x_test", 0))
        yield answers, read_run(Path("measured"))


def image_of(folder: Path, split: str, row: int) -> bytes:
    return as_file(np.load(folder / "small.npz")[split][row, 0])


def test_an_image_of_the_run_gets_its_own_votes_depth_and_prediction(
    full: Path, explored: tuple[RunAnswers, RunView]
) -> None:
    answers, view = explored
    for row in range(20):
        placed = answers.place(image_of(full, "x_test", row))
        example = view.examples.iloc[row]
        assert placed["votes"] == view.votes[row].tolist()
        assert (placed["depth"], placed["prediction"]) == (example["depth"], example["prediction"])
        assert placed["reference"] == example["reference"]
        assert max(placed["probabilities"]) == pytest.approx(example["confidence"], abs=1e-6)
        assert placed["neighbors"] == view.neighbors[row].tolist()  # type: ignore[index]


def test_an_image_of_the_run_falls_on_its_own_point(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    answers, view = explored
    payload = explorer_payload(view)
    by_method = {one["method"]: one for one in payload.manifest["maps"]}
    for row in (0, 7, 19):
        maps = answers.place(image_of(full, "x_test", row))["maps"]
        assert list(maps) == ["pca", "tsne"]
        for tap in by_method["pca"]["taps"]:
            own = read(payload, tap["points"])[row].astype(float)
            assert maps["pca"][tap["tap"]] == pytest.approx(own.tolist(), abs=3)
        assert list(maps["tsne"]) == [tap["tap"] for tap in by_method["tsne"]["taps"]]


def test_an_image_of_the_run_leaves_at_its_own_exit(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    answers, view = explored
    assert view.exits is not None
    assert view.exits.left is not None
    left = view.exits.left.set_index("id")["exit"]
    recorded = load_recorded(full / "measured", "test")
    for row in np.flatnonzero(view.examples["id"].isin(left.index)):
        taken = answers.place(image_of(full, "x_test", int(row)))["exit"]
        assert taken["name"] == view.exits.names[left[recorded.ids[row]]]
        assert taken["confidence"] == pytest.approx(max_probability(recorded.logits[:, row]).tolist(), abs=1e-6)


def test_an_answer_shows_what_the_network_sees(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    answers, _ = explored
    shown = answers.place(image_of(full, "x_test", 3))["picture"].removeprefix("data:image/png;base64,")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))))
    assert (pixels == np.load(full / "small.npz")["x_test"][3, 0]).all()


def test_feature_maps_are_those_of_the_example(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    from layerwise.data.catalog import load_data
    from layerwise.inside.feature_maps import read_features
    from layerwise.models.saved import read_model

    answers, view = explored
    with contextlib.chdir(full):
        model, test = read_model("measured", trust_code=True).model, load_data("npz:small.npz").test
    expected = read_features(model, test, 4).tap_to_values
    assert view.tap_names == ("input", "0", "1", "2", "3", "softmax")
    found = answers.features(4, 1)
    assert (found["tap"], found["shape"], found["of"], len(found["maps"])) == ("0", "4×6×6", 4, 4)
    assert answers.features(4, 4)["values"] == pytest.approx(expected["3"].tolist(), abs=1e-6)
    assert answers.features(4, 5)["values"] == pytest.approx(expected["softmax"].tolist(), abs=1e-6)
    assert answers.features(4, 0)["of"] == 1


@pytest.mark.parametrize(("row", "tap", "words"), [(20, 0, "there is no row 20"), (0, 6, "there is no tap 6")])
def test_what_there_is_not_is_refused(explored: tuple[RunAnswers, RunView], row: int, tap: int, words: str) -> None:
    with pytest.raises(RunError, match=words):
        explored[0].features(row, tap)


def test_what_is_no_picture_is_refused_and_the_next_is_placed(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    with pytest.raises(FileError, match="no picture that can be read"):
        explored[0].place(b"nonsense")
    assert explored[0].place(as_file(np.zeros((50, 40, 3), np.uint8), "JPEG"))["depth"] <= 6


def test_many_at_once_are_answered_or_told_to_wait(full: Path, explored: tuple[RunAnswers, RunView]) -> None:
    found: list[object] = []

    def place() -> None:
        try:
            found.append(explored[0].place(image_of(full, "x_test", 0))["depth"])
        except BusyError as error:
            found.append(str(error).partition("\n")[0])

    asking = [threading.Thread(target=place) for _ in range(30)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    depth = explored[1].examples["depth"][0]
    assert set(found) <= {depth, "4 images are under way already."}
    assert found.count(depth) >= 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"split": "train"}, {"fast": 16}, {"agree_with": "last-probe"}, {"agree_with": "label"}]
)
def test_it_is_so_for_other_measurements(toys_to_change: Path, options: dict[str, Any]) -> None:
    from layerwise.cli.difficulty import difficulty

    run = Path("measured")
    difficulty(run, k=5, trust_code=True, again=True, keep_activations="fast" in options, as_json=True, **options)
    view = read_run(run)
    split = f"x_{options.get('split', 'test')}"
    with asked(run) as answers:
        for row in range(0, 20, 3):
            placed = answers.place(image_of(toys_to_change, split, row))
            assert placed["votes"] == view.votes[row].tolist()
            assert placed["prediction"] == view.examples["prediction"][row]
            if options.get("agree_with") != "label":
                assert placed["depth"] == view.examples["depth"][row]
            assert placed["reference"] == (
                placed["votes"][-1] if "last-probe" in options.values() else placed["prediction"]
            )


@pytest.mark.slow
def test_kept_activations_are_used_where_they_lie_and_wrong_ones_are_not(toys_to_change: Path) -> None:
    from layerwise.cli.difficulty import difficulty
    from layerwise.recording import Activations

    run = Path("measured")
    difficulty(run, k=5, trust_code=True, again=True, keep_activations=True, as_json=True)
    view = read_run(run)
    for limit_bytes in (1.0, 4e9):
        with asked(run, limit_bytes=limit_bytes) as answers:
            assert answers.place(image_of(toys_to_change, "x_test", 0))["votes"] == view.votes[0].tolist()
        base = run / "activations" / "base"
        kept = Activations.load(base)
        replace(kept, arrays={tap: np.zeros_like(kept[tap]) for tap in kept}).save(base)
    with asked(run, limit_bytes=1.0) as answers, pytest.raises(InputError, match="over the limit"):
        answers.place(image_of(toys_to_change, "x_test", 0))


def test_images_that_have_changed_are_told_in_answer(toys_to_change: Path) -> None:
    arrays = dict(np.load("small.npz"))
    np.savez("small.npz", **{**arrays, "x_train": arrays["x_train"][::-1]})
    with asked(Path("measured")) as answers:
        for ask in (lambda: answers.features(0, 0), lambda: answers.place(b"")):
            with pytest.raises(RunError, match="are not those that measured was made with"):
                ask()


def test_a_network_that_was_trained_anew_is_told_in_answer(toys_to_change: Path) -> None:
    run = Path("measured")
    noted = read_json(run / "run.json")
    noted["steps"]["difficulty"]["model_fingerprint"] = "0" * 64
    write_json(run / "run.json", noted)
    with asked(run) as answers, pytest.raises(RunError, match="it was trained anew since"):
        answers.features(0, 0)


def test_code_that_is_not_trusted_is_not_run(toys_to_change: Path) -> None:
    Path("net.py").write_text("raise SystemExit('run')")
    with asked(Path("measured"), trust_code=False) as answers, pytest.raises(InputError, match="was not"):
        answers.features(0, 0)


def test_images_whose_range_is_not_known_take_no_picture(toys_to_change: Path) -> None:
    from layerwise.cli.difficulty import difficulty

    arrays = dict(np.load("small.npz"))
    for name in ("x_train", "x_test"):
        arrays[name] = arrays[name].astype(np.float32) - 100
    np.savez("floats.npz", **arrays)
    run = Path("measured")
    difficulty(run, data="npz:floats.npz", k=5, trust_code=True, again=True, as_json=True)
    with asked(run) as answers:
        with pytest.raises(DataError, match="how a picture becomes one of them is not known"):
            answers.place(image_of(toys_to_change, "x_test", 0))
        assert answers.features(0, 0)["of"] == 1


def test_closing_stops_what_goes_on_in_the_background(full: Path) -> None:
    with contextlib.chdir(full):
        answers = answers_of(Path("measured"))
        answers.begin()
        answers.close()
        assert not answers._thread.is_alive()


def test_what_is_no_picture_is_told_while_training_images_are_still_recorded(full: Path) -> None:
    with contextlib.chdir(full):
        waiting = answers_of(Path("measured"))
    with pytest.raises(FileError, match="this is no picture that can be read"):
        waiting.place(b"hello")


def test_maps_that_cannot_be_read_are_left_out_of_an_answer(full: Path, tmp_path: Path) -> None:
    shutil.copytree(full, tmp_path / "copy")
    with contextlib.chdir(tmp_path / "copy"):
        run = Path("measured")
        next((run / "maps").glob("*.parquet")).unlink()
        view = read_run(run, leave_out_damaged=True)
        answers = RunAnswers(run, Measured.of(view), EVERYTHING, limit_bytes=4e9, trust_code=True)
        answers.begin()
        try:
            placed = answers.place(image_of(full, "x_test", 0))
        finally:
            answers.close()
    assert placed["maps"] == {}
    assert placed["votes"] == view.votes[0].tolist()
