"""`layerwise train`: what the run folder holds, what is finished, and what is refused."""

from __future__ import annotations

import importlib
import json
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.cli import main
from layerwise.cli.threads import use_threads
from layerwise.cli.train import train
from layerwise.data.catalog import load_data
from layerwise.data.splits import hold_out
from layerwise.errors import FileError, Interrupted, RunExistsError, UnknownNameError
from layerwise.models.catalog import load_model
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.saved import fingerprint, read_model
from layerwise.runs import note_step, steps_of
from layerwise.training.dynamics import load_dynamics

# `layerwise.cli.train` as an attribute is the command; the module has to be asked for.
train_module = importlib.import_module("layerwise.cli.train")

NETWORK = """
from torch import nn

def net(num_classes, in_channels):
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * in_channels, num_classes))
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    """The spec of a network that trains in no time."""
    path = tmp_path / "network.py"
    path.write_text(NETWORK)
    return f"{path}:net"


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_run_folder_holds_network_history_and_facts(network: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=2, seed=3)
    saved, facts = read_model(run, trust_code=True), steps_of(run)["train"]
    assert fingerprint(saved.model) == facts["model_fingerprint"]
    assert load_data("digits", seed=3).fingerprint == facts["data_fingerprint"]
    assert (facts["data"], facts["data_seed"], facts["validation"]) == ("digits", 3, 0.1)
    assert facts["images"] == {"train": 1294, "validation": 144, "test": 359}
    assert (facts["settings"]["epochs"], facts["kept_epoch"]) == (2, 2)
    history = pd.read_parquet(run / "history.parquet")
    assert list(zip(history["epoch"], history["split"], strict=True)) == [
        (1, "train"),
        (1, "validation"),
        (2, "train"),
        (2, "validation"),
    ]


def test_normalisation_is_that_of_the_training_images_alone(network: str, tmp_path: Path) -> None:
    train(network, "digits", tmp_path / "run", epochs=1)
    preprocessing = read_model(tmp_path / "run", trust_code=True).description.preprocessing
    assert preprocessing is not None
    facts = steps_of(tmp_path / "run")["train"]
    images = load_data("digits?validation=0.1").train
    assert len(images) == facts["images"]["train"]
    pixels = images.batch(slice(None)).astype(np.float64)
    assert (*preprocessing.mean, *preprocessing.std) == pytest.approx((pixels.mean(), pixels.std()), abs=1e-9)


@pytest.mark.parametrize(
    ("spec", "asked", "share", "images"),
    [
        ("digits", None, 0.1, {"train": 1294, "validation": 144, "test": 359}),
        ("digits", 0.0, 0.0, {"train": 1438, "test": 359}),
        ("digits", 0.5, 0.5, {"train": 719, "validation": 719, "test": 359}),
        ("digits?validation=0.5", None, 0.0, {"train": 719, "validation": 719, "test": 359}),
    ],
)
def test_images_are_held_out_where_the_data_hold_out_none(
    network: str, tmp_path: Path, spec: str, asked: float | None, share: float, images: dict[str, int]
) -> None:
    train(network, spec, tmp_path / "run", epochs=1, validation=asked)
    facts = steps_of(tmp_path / "run")["train"]
    assert (facts["validation"], facts["images"]) == (share, images)
    before = files_of(tmp_path / "run")
    train(network, spec, tmp_path / "run", epochs=1, validation=asked)
    train(network, spec, tmp_path / "run", epochs=1, validation=share)
    assert files_of(tmp_path / "run") == before
    other = 0.3 if share else 0.1
    with pytest.raises(RunExistsError, match=rf"\n    validation: {share} → {other}\n"):
        train(network, spec, tmp_path / "run", epochs=1, validation=other)


def test_each_setting_is_noted_once(network: str, tmp_path: Path) -> None:
    train(network, "digits", tmp_path / "run", epochs=1)
    facts = steps_of(tmp_path / "run")["train"]
    assert list(facts) == [
        "model", "weights", "data", "data_seed", "validation", "normalize", "settings", "images", "folder",
        "data_fingerprint", "model_fingerprint", "kept_epoch", "threads", "seconds",
        "finished", "peak_memory_bytes", "versions",
    ]  # fmt: skip
    assert not set(facts) & set(facts["settings"])


def test_normalisation_can_be_left_out(network: str, tmp_path: Path) -> None:
    train(network, "digits", tmp_path / "run", epochs=1, normalize="none")
    assert read_model(tmp_path / "run", trust_code=True).description.preprocessing is None


def test_imagenet_normalisation_has_its_published_numbers(tmp_path: Path) -> None:
    images = load_data("digits?test=0.5")
    expected = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert train_module._preprocessing("imagenet", images) == expected


def test_a_finished_run_is_said_to_be_so_and_stays_as_it_is(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=1)
    before = files_of(run)
    capsys.readouterr()
    train(network, "digits", run, epochs=1, device="cpu")
    assert "is finished: this very training is in it." in " ".join(capsys.readouterr().err.split())
    assert files_of(run) == before


def damage(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("how", ["gone", "truncated"])
@pytest.mark.parametrize(
    "names", [["model.safetensors"], ["model.json"], ["history.parquet"], ["model.json", "model.safetensors"]]
)
def test_a_finished_run_that_was_damaged_is_written_again_from_its_checkpoint(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], how: str
) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=1)
    before = files_of(run)
    for name in names:
        damage(run / name, how)
    capsys.readouterr()
    train(network, "digits", run, epochs=1)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"{run} was finished, but is damaged:"
    start = "    - no file {}." if how == "gone" else "    - {} is "
    told, last = said[1 : len(names) + 1], said[len(names) + 1]
    assert all(line.startswith(start.format(run / name)) for line, name in zip(told, names, strict=True))
    assert last == f"Writing it again from {run / 'checkpoints/last.ckpt'}."
    after = files_of(run)
    told_the_time = {name for name in before if name == "run.json" or name.startswith("tensorboard/")}
    assert {name: after[name] for name in set(before) - told_the_time} == {
        name: before[name] for name in set(before) - told_the_time
    }


def test_a_repair_leaves_what_was_measured(network: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(network, "digits?limit=100", run, epochs=1)
    note_step(run, "difficulty", {"k": 5})
    damage(run / "model.json", "gone")
    train(network, "digits?limit=100", run, epochs=1)
    assert list(steps_of(run)) == ["train", "difficulty"]


@pytest.mark.parametrize("name", ["dynamics.parquet", "dynamics.npy"])
@pytest.mark.parametrize("how", ["gone", "truncated"])
def test_dynamics_that_were_damaged_are_written_again_whether_asked_for_or_not(
    network: str, tmp_path: Path, name: str, how: str
) -> None:
    run = tmp_path / "run"
    train(network, "digits?limit=100", run, epochs=1, log_dynamics=True)
    before = (run / name).read_bytes()
    for asked in (True, False):
        damage(run / name, how)
        train(network, "digits?limit=100", run, epochs=1, log_dynamics=asked)
        assert (run / name).read_bytes() == before
        assert steps_of(run)["train"]["log_dynamics"] is True


def test_a_damaged_run_without_a_checkpoint_says_what_to_do_and_stays_as_it_is(network: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=1)
    for name in ("model.safetensors", "checkpoints/last.ckpt"):
        damage(run / name, "gone")
    before = files_of(run)
    with pytest.raises(FileError) as error:
        train(network, "digits", run, epochs=1)
    assert str(error.value) == (
        f"{run} was finished, but is damaged:\n"
        f"    - no file {run}/model.safetensors.\n"
        f"    Its checkpoint is gone, too: no file {run}/checkpoints/last.ckpt. Train into another folder: -o FOLDER\n"
        f"    Or remove {run}, and run the same command again."
    )
    assert files_of(run) == before


def test_a_run_whose_checkpoints_were_removed_is_still_known(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=1)
    shutil.rmtree(run / "checkpoints")
    capsys.readouterr()
    train(network, "digits", run, epochs=1)
    assert "is finished: this very training is in it." in " ".join(capsys.readouterr().err.split())
    with pytest.raises(RunExistsError, match=r"\n    epochs: 1 → 2\n"):
        train(network, "digits", run, epochs=2)


def test_the_next_command_is_named_as_it_works(cli: Any, toys: Path) -> None:
    outcome = cli("train", "net.py:net", "npz:small.npz", "-o", "new", "--epochs", 1)
    following = outcome.err.splitlines()[-1]
    assert following == "Written to new. Next: layerwise difficulty new --model net.py:net"
    assert cli(*following.partition("layerwise ")[2].split(), "--k", 5).code == 0


def test_another_training_in_the_folder_is_refused_and_it_stays_as_it_is(network: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=1)
    before = files_of(run)
    with pytest.raises(RunExistsError) as error:
        train(network, "digits?test=0.3", run, epochs=2, seed=1)
    assert str(error.value) == (
        f"{run} holds another training (there → asked):\n"
        "    data: digits → digits?test=0.3\n"
        "    data_seed: 0 → 1\n"
        "    epochs: 1 → 2\n"
        "    seed: 0 → 1\n"
        "    Ask for the same, or choose another folder: -o FOLDER"
    )
    assert files_of(run) == before


def test_a_training_that_was_stopped_is_refused_to_another_command_and_goes_on_with_its_own(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ctrl_c(items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        for place, item in enumerate(items):
            if place == 3:
                signal.raise_signal(signal.SIGINT)
            yield item

    run, undisturbed = tmp_path / "run", tmp_path / "undisturbed"
    train(network, "digits", undisturbed, epochs=2)
    with monkeypatch.context() as patched:
        patched.setattr(train_module, "bars", press_ctrl_c)
        with pytest.raises(Interrupted):
            train(network, "digits", run, epochs=2)
    assert not (run / "run.json").exists()
    with pytest.raises(RunExistsError, match=r"\n    learning_rate: 0\.001 → 0\.01\n"):
        train(network, "digits", run, epochs=2, learning_rate=0.01)
    train(network, "digits", run, epochs=2)
    assert (run / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()


def test_a_folder_with_a_network_from_elsewhere_is_refused(network: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"format": 1, "steps": {"difficulty": {}}}')
    with pytest.raises(RunExistsError, match="holds a network that was not trained there"):
        train(network, "digits", tmp_path, epochs=1)


def test_an_unknown_normalisation_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError) as error:
        train("resnet20", "no-such-data", tmp_path / "run", normalize="imagnet")
    assert str(error.value) == (
        '--normalize "imagnet" is not known. Did you mean "imagenet"?\n    Choose one of: data, none, imagenet.'
    )
    assert not (tmp_path / "run").exists()


def test_from_the_command_line_the_summary_is_json_on_the_last_line(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    command = ["layerwise", "train", network, "digits", "-o", str(run), "--epochs", "2", "--lr", "0.01", "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    last = pd.read_parquet(run / "history.parquet").iloc[-1]
    assert summary["epoch"] == 2
    shown = summary["splits"]["validation"]
    assert (shown["loss"], shown["accuracy"]) == (last["loss"], last["accuracy"])
    low, high = shown["accuracy_95"]
    assert low < shown["accuracy"] < high


def test_from_the_command_line_bad_settings_exit_with_2_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["layerwise", "train", "resnet20", "digits", "-o", str(run), "--epochs", "0"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "InputError: training settings that cannot be used:\n    epochs must be a whole number of at least 1; got 0.\n"
    )
    assert not run.exists()


def test_threads_are_set_and_less_than_one_is_refused() -> None:
    before = torch.get_num_threads()
    try:
        use_threads(1)
        assert torch.get_num_threads() == 1
        with pytest.raises(ValueError, match=r"^--threads must be 1 to 1024; got 0\.$"):
            use_threads(0)
    finally:
        torch.set_num_threads(before)


def test_what_each_image_went_through_is_kept_on_request(network: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(network, "digits", run, epochs=2, log_dynamics=True)
    ids, noted = load_dynamics(run)
    assert ids.tolist() == hold_out(load_data("digits"), 0.1, seed=0).train.ids.tolist()
    assert (noted.epochs, noted.curves.shape) == (2, (2, 1294))
    train(network, "digits", run, epochs=2)  # finished, and more than what is asked for
    train(network, "digits", tmp_path / "other", epochs=1)
    with pytest.raises(RunExistsError, match="log_dynamics: None → True"):
        train(network, "digits", tmp_path / "other", epochs=1, log_dynamics=True)


@pytest.mark.slow
def test_the_weights_after_each_epoch_are_kept_on_request(tmp_path: Path) -> None:
    run = tmp_path / "run"
    train("resnet8", "digits?limit=60", run, epochs=2, keep_weights=True)
    kept = sorted(path.name for path in (run / "checkpoints" / "epochs").iterdir())
    assert kept == ["0001.safetensors", "0002.safetensors"]
    last = load_model("resnet8", num_classes=10, in_channels=1, weights=run / "checkpoints" / "epochs" / kept[1])
    assert fingerprint(last) == fingerprint(read_model(run).model)


def test_a_training_that_is_refused_leaves_no_trace_that_hinders_the_next(cli: Any, toys: Path) -> None:
    command = ("train", "net.py:net", "npz:small.npz", "--epochs", "1", "--validation", "0", "-o")
    Path("empty").mkdir()
    for run in ("new", "empty"):
        assert cli.refusal(*command, run, "--early-stop", "2") == (
            "InputError: early_stop=2 needs a validation split, and small has none: choosing an epoch on the test "
            "images would make their accuracy too good.\n"
            "    Hold some training images out: hold_out(data, 0.1).\n"
        )
    assert not Path("new").exists()
    assert list(Path("empty").iterdir()) == []
    assert cli(*command, "new").code == 0
