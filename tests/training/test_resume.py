"""Resume: after a kill, Ctrl-C or a failure the same call goes on, and ends with the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import FileError, Interrupted, NonFiniteError, RunError, RunExistsError
from layerwise.training import loop
from layerwise.training.checkpoints import checkpoint_path
from layerwise.training.fit import train

MakeNet = Callable[..., nn.Module]
WeightBytes = Callable[[nn.Module], bytes]

SCRIPT = Path(__file__).with_name("train_digits.py")
SETTINGS: dict[str, Any] = {"epochs": 3, "batch_size": 32, "schedule": "onecycle", "augment": "flip-crop"}
COMPARED = ["epoch", "split", "loss", "accuracy", "lr"]


class InterruptAt:
    """A progress in which Ctrl-C is pressed while a batch is under way."""

    def __init__(self, batch: int, *, times: int = 1) -> None:
        self.batches_left = batch
        self.times = times

    def __call__(self, items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        for item in items:
            self.batches_left -= 1
            if self.batches_left == 0:
                for _ in range(self.times):
                    signal.raise_signal(signal.SIGINT)
            yield item


def start(run: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def stop_after(process: subprocess.Popen[str], lines: int, how: signal.Signals) -> str:
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.send_signal(how)
    return process.communicate()[1]


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_ends_with_the_same_weights(tmp_path: Path) -> None:
    undisturbed = start(tmp_path / "undisturbed")
    output, errors = undisturbed.communicate()
    assert undisturbed.returncode == 0, errors
    batches = len(output.splitlines())
    rng = random.Random()  # any moment: another one each time the tests run
    moment = rng.randrange(1, batches)
    process = start(tmp_path / "killed")
    stop_after(process, moment, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    again = start(tmp_path / "killed")
    output, errors = again.communicate()
    assert again.returncode == 0, errors
    assert moment < 20 or len(output.splitlines()) < batches, moment
    weights = [(tmp_path / name / "weights.bytes").read_bytes() for name in ("undisturbed", "killed")]
    assert weights[0] == weights[1], moment
    tables = [pd.read_parquet(tmp_path / name / "history.parquet")[COMPARED] for name in ("undisturbed", "killed")]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.slow
def test_ctrl_c_leaves_a_folder_to_go_on_from_and_says_so(tmp_path: Path) -> None:
    process = start(tmp_path)
    errors = stop_after(process, 30, signal.SIGINT)
    assert process.returncode == 130
    assert errors.startswith("stopped after 1 of 5 epochs and ")
    assert errors.endswith(f"all of it is kept in {tmp_path}.\n    Go on: run the same command again.\n")


@pytest.mark.parametrize("batch", [1, 3, 7, 8, 21])
def test_stopped_at_any_batch_and_resumed_the_weights_are_the_same_bytes(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, tmp_path: Path, batch: int
) -> None:
    undisturbed, resumed = make_net(), make_net(seed=9)
    expected = train(undisturbed, digits, **SETTINGS)
    with pytest.raises(Interrupted) as stop:
        train(make_net(), digits, run=tmp_path, progress=InterruptAt(batch), **SETTINGS)
    epochs, batches = divmod(batch - 1, 7)
    assert str(stop.value) == (
        f"stopped after {epochs} of 3 epochs and {batches + 1} of 7 batches; all of it is kept in {tmp_path}.\n"
        "    Go on: run the same command again."
    )
    history = train(resumed, digits, run=tmp_path, **SETTINGS)
    assert weight_bytes(resumed) == weight_bytes(undisturbed)
    pd.testing.assert_frame_equal(history.table()[COMPARED], expected.table()[COMPARED], check_exact=True)


def test_a_second_ctrl_c_stops_at_once_and_the_last_checkpoint_is_good(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, tmp_path: Path
) -> None:
    undisturbed, resumed = make_net(), make_net()
    train(undisturbed, digits, **SETTINGS)
    with pytest.raises(Interrupted) as stop:
        train(make_net(), digits, run=tmp_path, progress=InterruptAt(9, times=2), **SETTINGS)
    assert str(stop.value) == (
        f"stopped after 1 of 3 epochs and 1 of 7 batches, at once; the last checkpoint is kept in {tmp_path}.\n"
        "    Go on: run the same command again."
    )
    train(resumed, digits, run=tmp_path, **SETTINGS)
    assert weight_bytes(resumed) == weight_bytes(undisturbed)


def test_ctrl_c_without_a_run_folder_says_that_nothing_is_kept(digits: ImageData, make_net: MakeNet) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(
        Interrupted, match=r"nothing is kept, because no run folder was given\.\n    Give one: run=FOLDER"
    ):
        train(make_net(), digits, progress=InterruptAt(2), **SETTINGS)
    assert signal.getsignal(signal.SIGINT) is before


def test_early_stopping_survives_a_resume(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"epochs": 12, "learning_rate": 0.2, "early_stop": 2, "batch_size": 32}
    undisturbed, resumed = make_net(), make_net()
    expected = train(undisturbed, digits, **settings)
    assert expected.kept_epoch < expected.records[-1].epoch < 12
    with pytest.raises(Interrupted):
        train(make_net(), digits, run=tmp_path, progress=InterruptAt(7 * expected.kept_epoch + 2), **settings)
    history = train(resumed, digits, run=tmp_path, **settings)
    assert history.kept_epoch == expected.kept_epoch
    assert weight_bytes(resumed) == weight_bytes(undisturbed)


def test_a_finished_run_is_not_trained_again(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, tmp_path: Path
) -> None:
    first, second = make_net(), make_net(seed=4)
    history = train(first, digits, run=tmp_path, **SETTINGS)

    def refuse(items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        raise AssertionError("trained again")

    assert train(second, digits, run=tmp_path, progress=refuse, **SETTINGS) == history
    assert weight_bytes(second) == weight_bytes(first)


def test_without_resume_a_run_that_is_there_is_an_error(digits: ImageData, make_net: MakeNet, tmp_path: Path) -> None:
    train(make_net(), digits, run=tmp_path, epochs=1)
    with pytest.raises(RunExistsError) as error:
        train(make_net(), digits, run=tmp_path, epochs=1, resume=False)
    assert str(error.value) == (
        f"{tmp_path} already holds a training.\n    Choose another folder, or go on with resume=True."
    )


def test_another_training_in_the_folder_is_refused_with_all_differences(
    digits: ImageData, make_net: MakeNet, tmp_path: Path
) -> None:
    train(make_net(), digits, run=tmp_path, epochs=1)
    before = checkpoint_path(tmp_path).read_bytes()
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with pytest.raises(RunError) as error:
        train(flat, digits.select(slice(0, 250)), run=tmp_path, epochs=2, learning_rate=0.01)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{tmp_path} holds a training with other settings (there → asked):"
    assert lines[1].startswith("    data.validation: 50 images, ")
    assert " → 47 images, " in lines[1]
    assert lines[2].startswith("    network.tensors: 9, ")
    assert lines[3:] == [
        "    settings.epochs: 1 → 2",
        "    settings.learning_rate: 0.001 → 0.01",
        "    Ask for the same, or choose another folder.",
    ]
    assert checkpoint_path(tmp_path).read_bytes() == before


def test_a_divergence_keeps_the_last_good_checkpoint(digits: ImageData, make_net: MakeNet, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match=f"The checkpoint in {tmp_path} is from before that. Lower learning_rate"):
        train(make_net(), digits, run=tmp_path, epochs=3, optimizer="sgd", learning_rate=1e30)
    kept = torch.load(checkpoint_path(tmp_path), weights_only=True)
    assert all(bool(value.isfinite().all()) for value in kept["state_dict"].values())


def test_a_mask_may_hold_infinity(digits: ImageData, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    model.register_buffer("mask", torch.full((3,), -torch.inf))
    history = train(model, digits, run=tmp_path, epochs=1)
    assert len(history.records) == 2
    kept = torch.load(checkpoint_path(tmp_path), weights_only=True)
    assert bool(kept["state_dict"]["mask"].isinf().all())


def test_weights_that_the_last_step_of_all_breaks_are_not_kept(digits: ImageData, tmp_path: Path) -> None:
    """One step in all and nothing held out: every loss is finite, only the weights are not."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.constant_(model[1].weight, 0.5)  # 3e38 · 9 · 0.5 is more than float32 holds, whatever the gradient
    with pytest.raises(
        NonFiniteError, match=r"^a weight or an average of batch norm became NaN or infinite in epoch 1"
    ):
        train(
            model,
            digits.train,
            run=tmp_path,
            epochs=1,
            batch_size=1000,
            optimizer="sgd",
            learning_rate=3e38,
            weight_decay=9,
        )
    assert torch.load(checkpoint_path(tmp_path), weights_only=True)["position"]["epoch"] == 0


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_broken_checkpoint_is_told_and_kept(
    digits: ImageData, make_net: MakeNet, tmp_path: Path, content: bytes | None
) -> None:
    train(make_net(), digits, run=tmp_path, epochs=1)
    path = checkpoint_path(tmp_path)
    broken = path.read_bytes()[:2000] if content is None else content
    path.write_bytes(broken)
    with pytest.raises(FileError) as error:
        train(make_net(), digits, run=tmp_path, epochs=1)
    assert str(error.value) == f"{path} is not a checkpoint, or is truncated.\n    Train into another folder."
    assert path.read_bytes() == broken


def test_a_checkpoint_that_would_run_code_is_refused(digits: ImageData, make_net: MakeNet, tmp_path: Path) -> None:
    path = checkpoint_path(tmp_path)
    path.parent.mkdir()
    torch.save({"version": 1, "job": make_net()}, path)
    with pytest.raises(FileError, match="is not a checkpoint, or is truncated"):
        train(make_net(), digits, run=tmp_path, epochs=1)


def test_a_save_between_the_epochs_ends_changes_no_number(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, saving = make_net(), make_net()
    train(plain, digits, **SETTINGS)
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    train(saving, digits, run=tmp_path, **SETTINGS)
    assert weight_bytes(plain) == weight_bytes(saving)


def test_the_run_folder_holds_the_history_twice_the_logs_and_one_checkpoint(
    digits: ImageData, make_net: MakeNet, tmp_path: Path
) -> None:
    history = train(make_net(), digits, run=tmp_path, **SETTINGS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoints",
        "history.csv",
        "history.parquet",
        "tensorboard",
    ]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.ckpt"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "history.parquet"), history.table())


def test_tensorboard_holds_each_epoch_once_also_after_a_resume(
    digits: ImageData, make_net: MakeNet, tmp_path: Path
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with pytest.raises(Interrupted):
        train(make_net(), digits, run=tmp_path, progress=InterruptAt(8), **SETTINGS)
    history = train(make_net(), digits, run=tmp_path, **SETTINGS)
    logs = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for split in ("train", "validation"):
        events = logs.Scalars(f"loss/{split}")
        assert [event.step for event in events] == [1, 2, 3]
        assert [event.value for event in events] == pytest.approx([row.loss for row in history.of_split(split)])
