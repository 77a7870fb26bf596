"""`layerwise inside`: maps in the run folder, pictures, and the report's section; and what is refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine
from layerwise.cli.inside.features import _as_name
from layerwise.data.catalog import load_data
from layerwise.errors import FileError
from layerwise.inside import feature_maps
from layerwise.inside.embedding.folder import load_maps
from layerwise.inside.embedding.new_images import MapPlacer
from layerwise.inside.encoders import measured
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.inside.encoders.parametric_tsne import ParametricTsne
from layerwise.views.encoders import read_encoders
from layerwise.views.maps import read_maps
from layerwise.views.units import read_units

pytestmark = pytest.mark.usefixtures("toys")

COMMAND = ("inside", "trained", "--trust-code", "--split", "all", "--perplexity", "4", "--taps", "0,2")
MAPS = (*COMMAND, "--embed", "pca,tsne")


@pytest.mark.slow
def test_maps_are_drawn_once_and_kept(cli: CommandLine) -> None:
    outcome = cli(*MAPS, "--json")
    assert outcome.code == 0
    summary = json.loads(outcome.out.splitlines()[-1])
    assert [(one["tap"], one["method"]) for one in summary["maps"]] == [
        (tap, method) for tap in ("input", "0", "2", "softmax") for method in ("pca", "tsne")
    ]
    assert all(0 <= one["label_accuracy"] <= 1 for one in summary["maps"])
    assert [Path(path).name for path in summary["pictures"]] == ["maps-pca.svg", "maps-tsne.svg"]
    points = Path("trained/maps/00-input.parquet")
    written = points.stat().st_mtime_ns
    view = read_maps(Path("trained"))
    assert view is not None
    assert view.taps == ("input", "0", "2", "softmax")
    assert view.row("0", "tsne")["trustworthiness"] == pytest.approx(summary["maps"][3]["trustworthiness"])
    second = json.loads(cli(*MAPS, "--json").out.splitlines()[-1])
    assert second["maps"] == summary["maps"]
    assert points.stat().st_mtime_ns == written
    assert cli(*MAPS, "--again").code == 0
    assert points.stat().st_mtime_ns != written
    assert "tsne_x" in pd.read_parquet(points)
    assert cli(*COMMAND, "--embed", "pca").code == 0
    assert "tsne_x" in pd.read_parquet(points)  # another method's maps stay
    assert cli(*COMMAND, "--embed", "pca", "--seed", "1").code == 0
    assert "tsne_x" not in pd.read_parquet(points)  # those that were drawn otherwise do not


def test_maps_and_units_are_of_the_taps_at_which_difficulty_was_measured(cli: CommandLine) -> None:
    command = (*COMMAND[:-2], "--embed", "pca", "--units", "--json")
    summary = json.loads(cli(*command).out.splitlines()[-1])
    blocks = [one["tap"] for one in summary["maps"]]
    assert cli("difficulty", "trained", "--trust-code", "--k", "5", "--taps", "0").code == 0
    summary = json.loads(cli(*command).out.splitlines()[-1])
    assert [one["tap"] for one in summary["maps"]] == ["input", "0", "softmax"]
    assert "0" in [one["tap"] for one in summary["units"]]
    named = json.loads(cli(*command, "--taps", "blocks").out.splitlines()[-1])
    assert [one["tap"] for one in named["maps"]] == blocks != ["input", "0", "softmax"]


@pytest.mark.slow
def test_a_refused_command_costs_no_earlier_maps(cli: CommandLine) -> None:
    assert cli(*MAPS).code == 0
    for options in (("--perplexity", "300"), ("--taps", "layer9"), ("--perplexity", "300", "--again")):
        cli.refusal(*MAPS, *options)  # which sees that no file has changed


def test_a_killed_command_goes_on_from_the_last_finished_tap(cli: CommandLine) -> None:
    assert cli(*COMMAND, "--embed", "pca").code == 0
    kept, last = Path("trained/maps/00-input.parquet"), Path("trained/maps/maps.json")
    before = kept.stat().st_mtime_ns
    index = json.loads(last.read_text())
    last.write_text(json.dumps(index | {"taps": index["taps"][:1]}))
    assert cli(*COMMAND, "--embed", "pca").code == 0
    assert json.loads(last.read_text())["taps"] == index["taps"]
    assert kept.stat().st_mtime_ns == before


def test_units_are_measured_into_the_run(cli: CommandLine) -> None:
    outcome = cli(*COMMAND, "--units", "--json")
    summary = json.loads(outcome.out.splitlines()[-1])
    assert [(row["tap"], row["units"]) for row in summary["units"]] == [("0", 4), ("2", 4)]
    assert "maps" not in summary
    assert [Path(path).name for path in summary["pictures"]] == [
        *("units-firing.svg", "units-gradients.svg", "units-top.svg")
    ]
    view = read_units(Path("trained"))
    assert view is not None
    assert view.taps == ("0", "2")
    assert len(view.units) == 8
    assert view.gradients["layer"].tolist() == ["0", "1", "4"]
    assert len(view.pictures) == len(view.shown)
    shown = cli(*COMMAND, "--units")
    assert "median firing rate" in shown.out
    assert "Gradient of the loss at each layer" in shown.out
    path = Path("trained/units/units.parquet")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FileError, match="Measure the units again: layerwise inside trained --units"):
        read_units(Path("trained"))


def test_filters_and_feature_maps_are_drawn(cli: CommandLine) -> None:
    command = ("inside", "trained", "--trust-code", "--split", "all", "--json")
    outcome = cli(*command, "--filters", "first", "--maps", "right,wrong,unsure")
    summary = json.loads(outcome.out.splitlines()[-1])
    names = [Path(path).name for path in summary["pictures"]]
    assert names[0] == "filters-0.svg"
    assert "features-unsure.svg" in names
    assert all(Path(path).exists() for path in summary["pictures"])
    one = summary["examples"][-1]["id"]
    again = json.loads(cli(*command, "--maps", one).out.splitlines()[-1])
    assert again["examples"][0] == summary["examples"][-1]


def test_that_no_image_is_wrong_is_said(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_maps, "telling_examples", lambda *_: {"right": 0})
    outcome = cli("inside", "trained", "--trust-code", "--split", "all", "--maps", "right,wrong")
    assert "No picture for wrong" in outcome.err
    assert Path("trained/figures/features-right.svg").exists()
    kept = Path("trained/features/features.json").read_text()
    assert cli("inside", "trained", "--trust-code", "--split", "all", "--maps", "wrong").code == 0
    assert Path("trained/features/features.json").read_text() == kept


def test_ids_that_differ_in_what_a_file_name_cannot_hold_have_a_picture_each() -> None:
    assert _as_name("right") == "right"
    assert len({_as_name(name) for name in ("a/b.png", "a-b.png", "a b.png", 90 * "x" + "1", 90 * "x" + "/2")}) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--filters", "3"), '"3" is a Flatten, which has no filters'),
        (("--filters", "conv9"), 'no layer named "conv9"'),
        (("--maps", "nobody"), 'no example has the id "nobody"'),
    ],
)
def test_filters_and_examples_that_are_not_there_are_refused(
    cli: CommandLine, options: tuple[str, ...], message: str
) -> None:
    assert message in cli.refusal("inside", "trained", "--trust-code", *options)


@pytest.mark.slow
def test_the_report_shows_the_maps_and_the_units(cli: CommandLine) -> None:
    assert cli("difficulty", "trained", "--trust-code", "--k", "3").code == 0
    assert cli(*COMMAND).code == 0
    assert cli("report", "trained").code == 0
    page = Path("trained/report.html").read_text()
    assert '<section id="maps">' in page
    assert "t-SNE at every tap" in page
    assert "The maps in numbers" in page
    assert '<section id="units">' in page
    assert "units-firing" in page
    assert '<section id="filters">' in page
    assert "The least sure image, tap by tap" in page


@pytest.mark.slow
def test_encoders_are_fitted_and_saved(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "ParametricTsne", partial(ParametricTsne, hidden=(8,), map_steps=2, steps=2))
    outcome = cli(*COMMAND, "--encoder", "linear,tsne", "--json")
    assert outcome.code == 0, outcome.err
    summary = json.loads(outcome.out.splitlines()[-1])
    assert [(one["encoder"], one["tap"]) for one in summary["encoders"]] == [
        *(("linear", "input"), ("tsne", "input"), ("tsne", "2"))
    ]
    assert [Path(path).name for path in summary["pictures"]] == ["encoders-reconstructions.svg", "encoders-maps.svg"]
    assert "maps" not in summary
    pixels = np.zeros((2, 64), np.float32)
    assert LinearAutoencoder.load(summary["encoders"][0]["file"]).transform(pixels).shape == (2, 32)
    assert ParametricTsne.load(summary["encoders"][1]["file"]).transform(pixels).shape == (2, 2)
    view = read_encoders(Path("trained"))
    assert view is not None
    assert view.drawn == ("tsne", "tsne-2")
    shown = cli(*COMMAND, "--encoder", "linear")
    assert "labels, codes" in shown.out
    names = sorted(path.name for path in Path("trained/encoders").glob("*.safetensors"))
    assert names == ["linear.safetensors", "tsne-2.safetensors", "tsne.safetensors"]


@pytest.mark.slow
def test_what_was_finished_when_it_was_stopped_is_not_fitted_again(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "ParametricTsne", partial(ParametricTsne, hidden=(8,), map_steps=2, steps=2))
    fitted: list[str] = []

    def fit(self: LinearAutoencoder | ParametricTsne, *given: Any, **options: Any) -> Any:
        fitted.append(type(self).__name__)
        if stop_at == type(self).__name__:
            raise KeyboardInterrupt
        return given_fit[type(self)](self, *given, **options)

    given_fit: dict[type, Any] = {one: one.fit for one in (LinearAutoencoder, ParametricTsne)}
    for one in given_fit:
        monkeypatch.setattr(one, "fit", fit)
    stop_at = "ParametricTsne"
    assert cli(*COMMAND, "--encoder", "linear,tsne").code == 130
    view = read_encoders(Path("trained"))
    assert view is not None
    assert view.table["name"].tolist() == list(view.reconstructing) == ["linear"]
    stop_at = ""
    assert cli(*COMMAND, "--encoder", "linear,tsne").code == 0
    assert fitted == ["LinearAutoencoder", "ParametricTsne", "ParametricTsne", "ParametricTsne"]
    assert cli(*COMMAND, "--encoder", "linear").code == 0
    assert len(fitted) == 4
    assert cli(*COMMAND, "--encoder", "linear", "--again").code == 0
    assert fitted[4:] == ["LinearAutoencoder"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--encoder", "pca"), 'no encoder is called "pca"'),
        (("--encoder", "tsne", "--perplexity", "300"), "Lower the perplexity"),
        (("--encoder", "tsne", "--images", "4"), "encoders need more than 10 images to learn from"),
    ],
)
def test_encoders_that_cannot_be_fitted_are_refused(cli: CommandLine, options: tuple[str, ...], message: str) -> None:
    assert message in cli.refusal("inside", "trained", "--trust-code", "--split", "all", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--embed", "pca,tnse"), 'Did you mean "tsne"'),
        (("--embed", ""), "no method for maps is called"),
        (("--perplexity", "300"), "needs more than 900 examples"),
        (("--images", "0"), "--limit-gb and --images must be above 0"),
        (("--limit-gb", "nan"), "--limit-gb and --images must be above 0"),
        (("--split", "tset"), 'Did you mean "test"'),
        (("--taps", "layer9"), 'no tap named "layer9"'),
    ],
)
def test_what_cannot_be_drawn_is_refused(cli: CommandLine, options: tuple[str, ...], message: str) -> None:
    outcome = cli(*MAPS, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert not list(Path("trained").glob("figures/maps-*"))


@pytest.mark.slow
def test_a_run_s_maps_stay_beside_others_and_place_new_images(cli: CommandLine) -> None:
    brief = ("--perplexity", "5", "--taps", "2")
    assert cli(*COMMAND, "--embed", "tsne", *brief).code == 0
    assert cli(*COMMAND, "--embed", "pca", *brief).code == 0
    assert {one.method for maps in load_maps("trained") for one in maps.maps} == {"pca", "tsne"}
    data = load_data("npz:small.npz")
    for method in ("pca", "tsne"):
        placed = MapPlacer.of_run("trained", method=method, trust_code=True).place(data.batch(slice(0, 9)))
        for maps in load_maps("trained"):
            drawn = maps.map(method)
            assert drawn is not None
            apart = np.linalg.norm(placed[maps.tap] - drawn.coordinates[:9], axis=1)
            assert np.median(apart) < 0.15 * np.ptp(drawn.coordinates)
