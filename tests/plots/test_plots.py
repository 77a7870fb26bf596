"""Every picture: axes come back, what they show is what the tables say, and matplotlib is left as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.errors import FileError, RunError
from layerwise.plots.data_set import plot_class_grid
from layerwise.plots.depths import (
    plot_accuracy_by_depth,
    plot_classes_by_depth,
    plot_depth_histogram,
    plot_depths_of_classes,
    plot_survival,
)
from layerwise.plots.examples import plot_examples, plot_neighbors_by_tap, plot_vote_strip
from layerwise.plots.factors import plot_factor_effects
from layerwise.plots.saving import save_figure, svg_text
from layerwise.plots.style import class_colors, readable_on, vote_colors
from layerwise.plots.taps import plot_confusion, plot_gains_and_losses, plot_probe_accuracy
from layerwise.plots.training import plot_training_curves
from layerwise.plots.words import shown
from layerwise.runs import write_table
from layerwise.views.depths import accuracy_by_depth, depth_histogram, survival
from layerwise.views.factors import factor_effects
from layerwise.views.run import RunView, read_run
from layerwise.views.taps import confusion, probe_accuracy

Maker = Callable[..., Path]
Plot = Callable[..., Axes]

PLOTS: dict[str, Plot] = {
    "depth_histogram": plot_depth_histogram,
    "accuracy_by_depth": plot_accuracy_by_depth,
    "classes_by_depth": plot_classes_by_depth,
    "depths_of_classes": plot_depths_of_classes,
    "survival": plot_survival,
    "probe_accuracy": plot_probe_accuracy,
    "gains_and_losses": plot_gains_and_losses,
    "confusion": plot_confusion,
    "factor_effects": plot_factor_effects,
    "training_curves": plot_training_curves,
    "examples": lambda view, ax=None: plot_examples(view, [3, 1, 2], ax),
    "vote_strip": lambda view, ax=None: plot_vote_strip(view, 0, ax),
    "neighbors_by_tap": lambda view, ax=None: plot_neighbors_by_tap(view, 0, ax),
}
STRANGE = ("$\\frac{", "_hidden", "<script>", "猫", "حصان", "tab\tand\x00", "a very long name of a class indeed", "")


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> RunView:
    return read_run(make_run(tmp_path_factory.mktemp("run"), split_counts={"test": 80, "train": 40}))


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> RunView:
    taps = ("input", "a.very.long.name.of.a.tap.conv2", *(f"layer{n}.0.add" for n in range(17)), "$softmax$")
    path = make_run(tmp_path_factory.mktemp("run"), class_names=STRANGE, tap_names=taps, channels=3, side=50)
    return read_run(path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> RunView:
    names = tuple(f"class {number}" for number in range(120))
    taps = ("input", "layer1", "layer2", "softmax")
    path = make_run(
        tmp_path_factory.mktemp("run"), class_names=names, tap_names=taps, split_counts={"test": 400}, base_count=240
    )
    return read_run(path)


@pytest.mark.parametrize("name", PLOTS)
def test_axes_given_are_drawn_into_and_returned_and_settings_are_untouched(name: str, view: RunView) -> None:
    before = dict(mpl.rcParams)
    given = Figure().add_subplot()
    assert PLOTS[name](view, ax=given) is given
    assert given.has_data() or given.child_axes
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", PLOTS)
def test_without_axes_a_figure_of_its_own_is_made_that_no_window_knows(name: str, view: RunView) -> None:
    ax = PLOTS[name](view)
    assert ax.figure.canvas.manager is None


@pytest.mark.slow
@pytest.mark.parametrize("name", PLOTS)
def test_strange_names_and_twenty_long_taps_can_be_drawn_and_saved(name: str, strange: RunView) -> None:
    assert svg_text(PLOTS[name](strange)).endswith("</svg>\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classes_by_depth", "depths_of_classes", "confusion", "vote_strip"])
def test_more_than_a_hundred_classes_can_be_drawn_and_saved(name: str, many: RunView) -> None:
    assert svg_text(PLOTS[name](many)).endswith("</svg>\n")


def test_columns_of_the_histogram_are_the_counts_of_the_split(view: RunView) -> None:
    ax = plot_depth_histogram(view, split="train")
    right, wrong = (np.array([bar.get_height() for bar in bars]) for bars in ax.containers)
    table = depth_histogram(view).query("split == 'train'")
    np.testing.assert_array_equal(right, table["right"])
    np.testing.assert_array_equal(right + wrong, table["count"])
    assert [label.get_text() for label in ax.get_xticklabels()] == list(view.depth_names)


def test_error_bars_of_accuracy_are_the_wilson_intervals(view: RunView) -> None:
    ax = plot_accuracy_by_depth(view)
    drawn = [segment[:, 1] for bars in ax.containers for segment in bars[2][0].get_segments()]
    table = accuracy_by_depth(view).query("count > 0")
    np.testing.assert_allclose(drawn, table[["accuracy_low", "accuracy_high"]])


def test_the_curves_of_survival_are_the_shares(view: RunView) -> None:
    drawn = np.concatenate([line.get_ydata() for line in plot_survival(view).lines])
    np.testing.assert_array_equal(drawn, survival(view)["share"])


def test_every_tap_is_on_the_curve_of_probe_accuracy(view: RunView) -> None:
    curves = [line for line in plot_probe_accuracy(view).lines if len(line.get_xdata()) == len(view.taps)]
    drawn = np.concatenate([line.get_ydata() for line in curves])
    np.testing.assert_array_equal(drawn, probe_accuracy(view)["accuracy"])


def test_numbers_in_the_confusion_matrix_are_the_counts(view: RunView) -> None:
    texts = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in plot_confusion(view).texts}
    counts = confusion(view).to_numpy()
    assert texts == {(row, column): str(count) for (row, column), count in np.ndenumerate(counts) if count}


def test_votes_are_outlined_where_they_are_the_reference_class(view: RunView) -> None:
    boxes = plot_vote_strip(view, 5).patches
    outlined = [box.get_edgecolor()[3] > 0 for box in boxes]
    assert outlined == (view.votes[5] == view.examples["reference"][5]).tolist()


def test_neighbors_are_framed_by_whether_they_are_of_the_reference_class(view: RunView) -> None:
    assert view.neighbors is not None
    assert view.base is not None
    frames = plot_neighbors_by_tap(view, 2, count=4).patches
    labels = view.base["label"].to_numpy()[view.neighbors[2, :, :4]].ravel()
    solid = [frame.get_linestyle() == "solid" for frame in frames]
    assert solid == (labels == view.examples["reference"][2]).tolist()


def test_pixels_of_a_grid_are_those_of_the_thumbnails(view: RunView) -> None:
    assert view.thumbnails is not None
    mosaic = plot_examples(view, [7, 3], columns=2).images[0].get_array()
    np.testing.assert_array_equal(mosaic[:16, :16, 0], view.thumbnails[7, 0])
    np.testing.assert_array_equal(mosaic[:16, 17:33, 2], view.thumbnails[3, 0])
    assert (mosaic[16:, :, 3] == 0).all()


def test_no_examples_are_empty_axes_that_say_so(view: RunView) -> None:
    nothing = np.zeros((0, 1, 8, 8), np.uint8)
    for draw in (
        lambda ax: plot_examples(view, [], ax),
        lambda ax: plot_class_grid(nothing, np.zeros(0, np.int64), ["a", "b"], ax),
    ):
        given = Figure().add_subplot()
        assert draw(given) is given
        assert [text.get_text() for text in given.texts] == ["no examples"]
        assert not given.images
        assert svg_text(draw(None)).endswith("</svg>\n")


def test_at_least_one_neighbor_is_drawn(view: RunView) -> None:
    assert len(plot_neighbors_by_tap(view, 2, count=0).patches) == len(view.taps)


def test_each_factor_has_its_panel_with_its_correlation(view: RunView) -> None:
    panels = plot_factor_effects(view).child_axes
    titles = [panel.get_title(loc="left").split("\n") for panel in panels]
    table = factor_effects(view)
    assert [title[0] for title in titles] == [shown(factor) for factor in table["factor"]]
    assert titles[0][1].startswith(f"ρ = {table['rho'][0]:+.2f}".replace("-", "−"))


def test_training_and_validation_are_on_one_scale(view: RunView) -> None:
    assert view.history is not None
    ax = plot_training_curves(view)
    assert [line.get_label() for line in ax.lines] == ["train", "validation"]
    for line in ax.lines:
        rows = view.history[view.history["split"] == line.get_label()]
        np.testing.assert_array_equal(line.get_ydata(), rows["loss"])
    assert ax.get_ylim()[0] == 0


@pytest.mark.parametrize("name", ["accuracy_by_depth", "confusion", "neighbors_by_tap"])
def test_the_same_data_gives_the_same_bytes(name: str, view: RunView, tmp_path: Path) -> None:
    first, second = (save_figure(PLOTS[name](view), tmp_path / f"{n}.svg").read_bytes() for n in (1, 2))
    assert first == second
    assert b"<dc:date>" not in first


def test_text_stays_text_and_markup_in_names_is_escaped(strange: RunView) -> None:
    svg = svg_text(plot_confusion(strange))
    assert "&lt;script&gt;</text>" in svg
    assert "<script" not in svg
    assert ">$\\frac{</text>" in svg


def test_saving_leaves_the_warning_filters_and_settings_alone(strange: RunView, tmp_path: Path) -> None:
    before = (list(warnings.filters), dict(mpl.rcParams))
    save_figure(plot_confusion(strange), tmp_path / "a.svg")
    assert (list(warnings.filters), dict(mpl.rcParams)) == before


def test_only_svg_is_written(view: RunView, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        save_figure(plot_confusion(view), tmp_path / "a.png")
    assert str(caught.value) == "a.png: pictures are written as SVG. Give a name that ends in .svg."
    assert not list(tmp_path.iterdir())


def test_a_picture_of_what_was_not_kept_says_what_to_do(tmp_path: Path, make_run: Maker) -> None:
    make_run(tmp_path, split_counts={"test": 20}, history=False, factors=False)
    for name in ("thumbnails", "neighbors", "base_thumbnails"):
        (tmp_path / f"{name}.npy").unlink()
    (tmp_path / "base.parquet").unlink()
    bare = read_run(tmp_path)
    for name, message in (
        ("training_curves", f"no history.parquet in {tmp_path}: the network was trained elsewhere."),
        ("factor_effects", f"{tmp_path} has no numeric factor_* column that varies"),
        ("examples", f"{tmp_path} has no thumbnails.npy: there are no images to show."),
        ("neighbors_by_tap", f"{tmp_path} has no neighbors.npy, base.parquet or base_thumbnails.npy."),
    ):
        with pytest.raises(RunError) as caught:
            PLOTS[name](bare)
        assert str(caught.value).startswith(message)
    assert plot_vote_strip(bare, 0).patches


def test_a_history_that_cannot_be_read_is_not_drawn_and_says_what_to_do(tmp_path: Path, make_run: Maker) -> None:
    make_run(tmp_path, split_counts={"test": 20})
    write_table(tmp_path / "history.parquet", pd.DataFrame({"epoch": [1], "split": ["train"], "loss": [0.5]}))
    with pytest.raises(RunError) as caught:
        plot_training_curves(read_run(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/history.parquet has no column accuracy.\n"
        "    Write it again from the checkpoint: run the command of the training again."
    )


def test_colors_are_distinct_up_to_ten_classes_and_none_beyond() -> None:
    for count in range(1, 11):
        assert len(set(class_colors(count))) == count
    assert class_colors(11) == ()


def test_with_too_many_classes_colors_tell_the_role_of_a_vote() -> None:
    reference, label, neither = vote_colors([4, 9, 30], label=9, reference=4, classes=100)
    assert len({reference, label, neither}) == 3


def test_words_on_colors_can_be_read() -> None:
    assert readable_on("#f0e442") == "#111111"
    assert readable_on("#0072b2") == "#fefefe"
