"""Pictures of studies show every run, every claim and every reference, at the values that the summary has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerwise.plots.saving import svg_text
from layerwise.plots.studies import plot_claims, plot_outcomes, plot_references
from layerwise.plots.study_runs import plot_confusion, plot_curves, plot_interactions, plot_kernels, plot_reliability
from layerwise.study.named import find_studies
from layerwise.study.store import Store
from layerwise.study.summary import StudySummary, summarize
from layerwise.study.trials import CURVES
from study_files import made_up, small

INTERACTION = """kind = "interaction"
higher.model.name = "simple-cnn"
lower.model.name = "two-layer-mlp"
more.data.train_per_class = 2
less.data.train_per_class = 4
"""
TURNED = """kind = "interaction"
measure = "test_loss"
higher.data.train_per_class = 4
lower.data.train_per_class = 2
more.model.name = "simple-cnn"
less.model.name = "two-layer-mlp"
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudySummary, Store]:
    study = small(("[[reference]]", f"[[compare]]\n{INTERACTION}\n[[reference]]"), ("seeds = 3", "seeds = 5"))
    store = made_up(study, tmp_path_factory.mktemp("study") / "made-up", failing=(3,))
    return summarize(study, store), store


def test_every_run_is_a_dot_and_every_mean_has_its_interval(found: tuple[StudySummary, Store]) -> None:
    summary, _ = found
    ax = plot_outcomes(summary)
    dots = [line for line in ax.get_lines() if line.get_marker() == "o" and line.get_linestyle() == "None"]
    drawn = np.concatenate([np.asarray(line.get_xdata(), float) for line in dots])
    assert np.isfinite(drawn).sum() == 19 + 1  # one of 20 failed; one mean is a dot, too
    means = [container[0].get_xdata() for container in ax.containers]  # type: ignore[index]
    expected = [summary.estimate(one).value for one in summary.study.contenders]
    assert np.allclose(np.concatenate(means), expected)
    diamonds = [line for line in ax.get_lines() if line.get_marker() == "D" and line.get_markerfacecolor() == "none"]
    assert [float(np.asarray(line.get_xdata())[0]) for line in diamonds] == [0.3, 0.4]


def test_numbers_along_an_axis_are_drawn_as_lines(tmp_path: Path) -> None:
    study = small(
        ("data.train_per_class = [2, 4]", "data.train_per_class = [2, 4, 8]"),
        ("data.train_per_class = [2, 4]", "data.train_per_class = [2, 4, 8]"),
    )
    ax = plot_outcomes(summarize(study, made_up(study, tmp_path / "made-up")), title="Images")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "4", "8"]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == ["simple-cnn", "two-layer-mlp"]
    assert ax.get_title(loc="left") == "Images"


def test_claims_are_drawn_by_kind_and_coloured_by_verdict(found: tuple[StudySummary, Store]) -> None:
    summary, _ = found
    ax = plot_claims(summary, "difference")
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        one.finding.comparison.claim for one in summary.judged if one.finding.comparison.kind == "difference"
    ]
    assert "×" in svg_text(plot_claims(summary, "needed"))
    with pytest.raises(ValueError, match='no claim of kind "same"'):
        plot_claims(summary, "same")


def test_references_stand_beside_our_intervals(found: tuple[StudySummary, Store]) -> None:
    summary, _ = found
    ax = plot_references(summary)
    values = [float(np.asarray(line.get_xdata())[0]) for line in ax.get_lines() if line.get_marker() == "D"]
    assert values == [one.reference.value for one in summary.beside] == [0.3, 0.4]


def test_runs_are_drawn_cell_by_cell(found: tuple[StudySummary, Store]) -> None:
    summary, store = found
    series = store.table(series=True)
    curves = plot_curves(summary, series)
    counts = [len(ax.get_lines()) for ax in curves.axes]
    assert counts == [7, 7, 7, 6]  # a line a seed, and two means; the fourth cell lacks a seed
    assert len(plot_curves(summary, series, "loss").axes) == 4
    confusion = plot_confusion(summary, series, ["a", "b", "c"]).axes[0]
    assert [text.get_text() for text in confusion.texts][:3] == ["93", "3", "3"]
    reliability = plot_reliability(summary, series).axes[0]
    line = reliability.get_lines()[1]
    ece = summary.estimate(summary.study.contenders[0], "ece").value
    assert reliability.texts[0].get_text() == f"ECE {100 * ece:.1f} %"
    assert len(np.asarray(line.get_xdata())) == 15


def test_a_cell_without_a_run_says_so(tmp_path: Path) -> None:
    store = made_up(small(), tmp_path / "made-up", failing=(0, 4, 8))
    figure = plot_reliability(summarize(small(), store), store.table(series=True))
    assert figure.axes[0].texts[0].get_text() == "no run"
    assert plot_curves(summarize(small(), store), store.table(series=True)).axes[0].get_lines() == []


def test_curves_of_runs_that_were_stopped_early_end_where_they_were_stopped(found: tuple[StudySummary, Store]) -> None:
    summary, store = found
    series = store.table(series=True)
    short = series.index[series["cell"] == summary.study.contenders[0].address][0]
    for name in CURVES:
        series.at[short, f"{name}_curve"] = series.at[short, f"{name}_curve"][:3]
    ax = plot_curves(summary, series, "loss").axes[0]
    drawn = [np.asarray(line.get_ydata(), float) for line in ax.get_lines()]
    assert [int(np.isfinite(one).sum()) for one in drawn] == [3, 5, 5, 5, 5, 5, 5]
    assert drawn[-1][4] == pytest.approx(np.mean([one[4] for one in drawn[1:5]]))


def test_an_interaction_is_four_means_with_a_line_for_each_side(found: tuple[StudySummary, Store]) -> None:
    summary, _ = found
    figure = plot_interactions(summary)
    (ax,) = figure.axes
    cnn_2, cnn_4, mlp_2, mlp_4 = (summary.estimate(one) for one in summary.study.contenders)
    lines = {str(bars.get_label()).strip("\u200b"): np.asarray(bars[0].get_ydata()) for bars in ax.containers}  # type: ignore[index]
    assert {name: values.tolist() for name, values in lines.items()} == {
        "simple-cnn, kernel 3": [cnn_2.value, cnn_4.value], "two-layer-mlp, side 8": [mlp_2.value, mlp_4.value]
    }  # fmt: skip
    assert [one.get_text().replace("\n", " ") for one in ax.get_xticklabels()] == [
        "2 training images a class", "4 training images a class"
    ]  # fmt: skip
    (claim,) = (one.finding.comparison for one in summary.judged if one.finding.comparison.kind == "interaction")
    assert ax.get_title(loc="left").replace("\n", " ") == claim.claim
    assert ax.get_ylabel() == "test accuracy"
    assert ax.yaxis.get_major_formatter()(0.5) == "50 %"


def test_interactions_of_other_sides_and_measures_have_legends_and_units_of_their_own(tmp_path: Path) -> None:
    study = small(("[[reference]]", f"[[compare]]\n{INTERACTION}\n[[compare]]\n{TURNED}\n[[reference]]"))
    figure = plot_interactions(summarize(study, made_up(study, tmp_path / "made-up")))
    assert figure.legends == []
    legends = [ax.get_legend() for ax in figure.axes]
    assert [[text.get_text().strip("\u200b") for text in one.get_texts()] for one in legends if one] == [
        ["simple-cnn, kernel 3", "two-layer-mlp, side 8"],
        ["4 training images a class", "2 training images a class"],
    ]  # fmt: skip
    assert [ax.get_ylabel() for ax in figure.axes] == ["test accuracy", "test loss (nats)"]
    assert [ax.yaxis.get_major_formatter()(0.5) for ax in figure.axes] != ["50 %", "50 %"]
    assert figure.axes[0].yaxis.get_major_formatter()(0.5) == "50 %"


def test_interactions_are_titled_by_where_they_are_and_share_a_legend(tmp_path: Path) -> None:
    study = find_studies("inductive-bias/q5-permuted")[0].with_seeds(2)
    figure = plot_interactions(summarize(study, made_up(study, tmp_path / "made-up")))
    assert [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes] == [
        f"{count} training images a class" for count in (10, 30, 50, 100)
    ]
    (legend,) = figure.legends
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == [
        "simple-cnn, kernel 7", "three-layer-mlp"
    ]  # fmt: skip


def test_kernels_share_a_scale_within_a_run(found: tuple[StudySummary, Store]) -> None:
    _, store = found
    table = store.table(series=True)
    run = table[table["kernels_after"].map(len) > 0].iloc[0]
    figure = plot_kernels({"best": dict(run)}, (3, 1, 3, 3))
    drawn = [ax.get_images()[0].get_array() for ax in figure.axes]
    assert len(drawn) == 6
    assert np.allclose(np.stack(drawn[3:]) - np.stack(drawn[:3]), 0.5, atol=1e-6)  # type: ignore[arg-type]
