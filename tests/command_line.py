"""`cli` runs a command as a user would; `toys` is a folder with images, a network, and runs of it, to do harm to."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NETWORK = """
from torch import nn

def net(num_classes, in_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, num_classes)
    )

def seven(in_channels):
    return net(7, in_channels)
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code, and what it wrote to both streams."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs commands of layerwise in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> Outcome:
        from layerwise.cli import main

        self._monkeypatch.setattr(sys, "argv", ["layerwise", *map(str, arguments)])
        self._capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            with pytest.raises(SystemExit) as end:
                main()
        written = self._capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, written.out, written.err)

    def refusal(self, *arguments: object) -> str:
        """The message of a command that must be refused: no file here may be changed, and nothing be printed."""
        before = files_of(Path())
        outcome = self(*arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert files_of(Path()) == before
        return outcome.err

    @staticmethod
    def files(folder: Path | str) -> dict[str, bytes]:
        """Every file in a folder and below, with its bytes."""
        return files_of(Path(folder))


def files_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextlib.contextmanager
def edited_json(path: Path) -> Iterator[Any]:
    """What a JSON file holds, to be changed; written again at the end."""
    content = json.loads(path.read_text())
    yield content
    path.write_text(json.dumps(content))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def toys(toy_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder of one's own, which is the current one: small.npz, net.py, trained/ and measured/."""
    folder = tmp_path / "toys"
    shutil.copytree(toy_folder, folder)
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from layerwise.cli.difficulty import difficulty

    folder = tmp_path_factory.mktemp("toys")
    with contextlib.chdir(folder):
        Path("net.py").write_text(NETWORK)
        save_images(Path("small.npz"))
        make_trained(Path("trained"))
        shutil.copytree("trained", "measured")
        difficulty(Path("measured"), k=5, trust_code=True)
        shutil.rmtree("__pycache__", ignore_errors=True)
    return folder


def save_images(path: Path, *, channels: int = 1, classes: int = 3, side: int = 8, **more: object) -> None:
    """40 images to train on and 20 to test on, brighter from class to class."""
    labels = np.arange(60) % classes
    noise = np.random.default_rng(0).normal(60, 20, (60, channels, side, side))
    images = np.clip(noise + 40 * labels[:, None, None, None], 0, 255).astype(np.uint8)
    arrays = {"x_train": images[:40], "y_train": labels[:40], "x_test": images[40:], "y_test": labels[40:]}
    np.savez(path, **{**arrays, **more})  # type: ignore[arg-type]


def make_trained(run: Path) -> None:
    """What `layerwise train net.py:net npz:small.npz` leaves, without the training."""
    from layerwise.data.catalog import load_data
    from layerwise.models.catalog import load_model
    from layerwise.models.saved import ModelDescription, fingerprint, save_model
    from layerwise.runs import note_step

    data, network = load_data("npz:small.npz"), load_model("net.py:net", num_classes=3, in_channels=1)
    save_model(run, network, ModelDescription("net.py:net", 3, data.image_shape, data.class_names))
    facts = {"data": "npz:small.npz", "data_seed": 0, "validation": 0.0, "data_fingerprint": data.fingerprint}
    settings = {"epochs": 1, "batch_size": 8, "seed": 0}
    named = {"model": "net.py:net", "model_fingerprint": fingerprint(network), "settings": settings}
    note_step(run, "train", {**facts, **named})
