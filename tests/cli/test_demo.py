"""`layerwise demo`: the tour in small, and that it can be taken again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

demo_module = importlib.import_module("layerwise.cli.demo")

SMALLEST = demo_module.Tour(Path("runs/demo"), "shapes?train=60&test=96", 1, 64, 1e-3, "none", "test", 1)


@pytest.mark.slow
def test_the_tour_ends_with_a_report_and_a_second_one_measures_nothing_again(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_module, "SMALL", SMALLEST)
    monkeypatch.chdir(tmp_path)
    outcome = cli("demo", "--json")
    assert outcome.code == 0
    printed = json.loads(outcome.out.splitlines()[-1])
    assert (printed["run"], printed["report"]) == ("runs/demo", "runs/demo/report.html")
    assert Path("runs/demo/report.html").is_file()
    before = cli.files("runs/demo")
    assert cli("demo").code == 0
    assert cli.files("runs/demo") == before


def test_the_tour_is_not_taken_in_a_folder_of_another_training(cli: Any, toys: Path) -> None:
    assert cli("demo", "-o", "small.npz").code == 2


def test_the_small_tour_is_the_default_and_the_reference_has_all_images(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(demo_module, "train", lambda model, data, folder, **_: taken.append((model, data, folder)))
    monkeypatch.setattr(demo_module, "difficulty", lambda folder, **options: taken.append((folder, options)))
    monkeypatch.setattr(demo_module, "inside", lambda folder, **options: taken.append((folder, options)))
    monkeypatch.setattr(demo_module, "report", lambda folder: taken.append((folder,)))
    with_exits: list[Path] = []
    for step in ("train_exits", "evaluate_exits", "choose_budget"):
        monkeypatch.setattr(demo_module, step, lambda folder, **_: with_exits.append(folder))
    outcome = cli("demo")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (0, "Or look around in it: layerwise explore runs/demo")
    assert cli("demo", "--reference", "-o", tmp_path / "mine").code == 0
    assert with_exits == [Path("runs/demo")] * 3 + [tmp_path / "mine"] * 3
    assert taken == [
        ("resnet18", demo_module.PLAIN_SHAPES, Path("runs/demo")),
        (Path("runs/demo"), {"split": "test"}),
        (Path("runs/demo"), {"embed": "tsne", "taps": "layer2,layer4", "split": "test"}),
        (Path("runs/demo"),),
        ("resnet18", "shapes", tmp_path / "mine"),
        (tmp_path / "mine", {"split": "test"}),
        (tmp_path / "mine", {"embed": "tsne", "taps": "layer2,layer4", "split": "test"}),
        (tmp_path / "mine",),
    ]


@pytest.mark.parametrize(
    ("called", "on_path", "words"),
    [
        (".venv/bin/layerwise", None, ".venv/bin/layerwise"),
        ("/home/a/.venv/bin/layerwise", "/home/a/.venv/bin/layerwise", "layerwise"),
        ("-c", None, "layerwise"),
    ],
)
def test_the_last_words_can_be_typed_as_they_are(
    monkeypatch: pytest.MonkeyPatch, called: str, on_path: str | None, words: str
) -> None:
    monkeypatch.setattr("sys.argv", [called])
    monkeypatch.setattr("shutil.which", lambda name: on_path)
    assert demo_module._as_called() == words
