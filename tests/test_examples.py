"""Each script in examples/ runs, and says what it promises."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch

import layerwise as lw

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_script(name: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def make_run(folder: Path) -> Path:
    data = lw.load_data("digits?limit=120")
    model = lw.load_model("resnet20", num_classes=10, in_channels=1)
    settings = lw.ProbeSettings(k=7, keep=folder / "activations")
    measured = lw.measure_difficulty(model, data.train, data.test, place=["layer2", "layer3"], settings=settings)
    lw.save_difficulty(folder, measured, data.train, data.test)
    return folder


def test_every_example_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "lenet.py",
        "sound_your_own_network.py",
        "recompute_depths_from_files.py",
        "run_a_study.py",
    }


def test_lenet_is_a_network_for_digits() -> None:
    model = lw.load_model(f"{EXAMPLES / 'lenet.py'}:lenet", num_classes=10, in_channels=1).eval()
    assert [tap.shape for tap in lw.find_taps(model, torch.zeros(1, 1, 8, 8), ["pool1", "pool2"])][1:3] == [
        (6, 4, 4),
        (16, 2, 2),
    ]
    assert lw.count_macs(model, (1, 8, 8)).total == 66_600


def test_a_network_and_a_data_set_of_ones_own_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script("sound_your_own_network.py", monkeypatch=monkeypatch)
    printed = capsys.readouterr().out
    assert "softmax" in printed
    assert "of 100" in printed


def test_scikit_learn_finds_the_same_depths_in_the_files_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script("recompute_depths_from_files.py", str(make_run(tmp_path)), monkeypatch=monkeypatch)
    assert capsys.readouterr().out == "120 of 120 depths are the same\n"


@pytest.mark.slow
def test_a_study_is_run_and_its_verdict_and_report_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script("run_a_study.py", str(tmp_path / "shifted"), monkeypatch=monkeypatch)
    printed = capsys.readouterr().out
    assert "data.location_ratio" in printed
    assert "supported: Trained on stripes in one half of the places" in printed
    assert f"report: {tmp_path / 'shifted' / 'report.html'}" in printed
    assert lw.load_study(tmp_path / "shifted").verdict == "supported"
