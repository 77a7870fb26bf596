"""`layerwise difficulty`: every way to say what is measured, and what is left in the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from command_line import save_images
from layerwise.models.catalog import load_model
from layerwise.runs import steps_of

pytestmark = pytest.mark.slow


def summary(outcome: Any) -> dict[str, Any]:
    assert (outcome.code, outcome.err) == (0, "")
    printed: dict[str, Any] = json.loads(outcome.out.splitlines()[-1])
    return printed


def test_the_summary_counts_what_the_table_of_examples_holds(cli: Any, toys: Path) -> None:
    printed = summary(cli("difficulty", "trained", "--trust-code", "--k", 5, "--json"))
    examples = pd.read_parquet("trained/examples.parquet")
    resolved = examples[examples["depth"] < 6]
    shown = printed["splits"]["test"]
    assert printed["taps"] == ["input", "0", "1", "2", "3", "softmax"]
    assert shown["examples"] == len(examples) == 20
    assert shown["accuracy"] == (examples["label"] == examples["prediction"]).mean()
    assert shown["unresolved"] == 20 - len(resolved)
    assert shown["mean_depth_of_resolved"] == (resolved["depth"].mean() if len(resolved) else None)


@pytest.mark.parametrize(
    ("split", "counts"),
    [
        ("test", {"test": 20}),
        ("train", {"train": 36}),
        ("validation", {"validation": 4}),
        ("all", {"train": 36, "validation": 4, "test": 20}),
    ],
)
def test_the_split_that_is_asked_for_is_measured(cli: Any, toys: Path, split: str, counts: dict[str, int]) -> None:
    data = "npz:small.npz?validation=0.1"
    command = ["difficulty", "trained", "--trust-code", "--data", data, "--k", 5, "--split", split]
    printed = summary(cli(*command, "--json"))
    assert {name: shown["examples"] for name, shown in printed["splits"].items()} == counts
    examples = pd.read_parquet("trained/examples.parquet")
    assert examples["split"].value_counts().to_dict() == counts
    assert len(pd.read_parquet("trained/base.parquet")) == 36


def test_no_training_example_is_its_own_neighbour(cli: Any, toys: Path) -> None:
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--split", "train").code == 0
    neighbors = np.load("trained/neighbors.npy")
    assert not (neighbors == np.arange(40)[:, None, None]).any()


@pytest.mark.parametrize(
    ("agree_with", "column"), [("label", "label"), ("last-probe", None), ("prediction", "prediction")]
)
def test_the_reference_class_is_the_one_asked_for(cli: Any, toys: Path, agree_with: str, column: str | None) -> None:
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--agree-with", agree_with).code == 0
    examples, votes = pd.read_parquet("trained/examples.parquet"), np.load("trained/votes.npy")
    expected = votes[:, -1] if column is None else examples[column].to_numpy()
    assert examples["reference"].tolist() == expected.tolist()
    assert steps_of(Path("trained"))["difficulty"]["agree_with"] == agree_with
    if agree_with == "last-probe":
        assert examples["resolved"].all()


def test_taps_are_placed_as_asked_for(cli: Any, toys: Path) -> None:
    assert summary(cli("difficulty", "trained", "--trust-code", "--k", 5, "--taps", "2, 0", "--json"))["taps"] == [
        "input", "0", "2", "softmax",
    ]  # fmt: skip
    again = ["difficulty", "trained", "--trust-code", "--k", 5, "--taps", "blocks", "--again"]
    blocks = summary(cli(*again, "--json"))["taps"]
    assert (blocks[0], blocks[-1]) == ("input", "softmax")
    assert blocks != ["input", "0", "1", "2", "3", "softmax"]


def test_other_images_are_measured_with_the_network_of_the_run(cli: Any, toys: Path) -> None:
    save_images(Path("more.npz"), side=8)
    with np.load("more.npz") as arrays:
        np.savez("more.npz", **{**arrays, "x_test": arrays["x_test"][:7], "y_test": arrays["y_test"][:7]})
    printed = summary(
        cli("difficulty", "trained", "--trust-code", "--data", "npz:more.npz", "-o", "other", "--k", 5, "--json")
    )
    assert printed["splits"]["test"]["examples"] == 7
    assert steps_of(Path("other"))["difficulty"]["data"] == "npz:more.npz"
    assert Path("other/model.safetensors").read_bytes() == Path("trained/model.safetensors").read_bytes()
    assert not Path("trained/examples.parquet").exists()


def test_a_measured_folder_of_a_named_network_can_be_measured_again_by_itself(cli: Any, toys: Path) -> None:
    named = ["difficulty", "--model", "net.py:net", "--data", "npz:small.npz", "-o", "run", "--k", 5]
    assert cli(*named, "--mean", 0.5, "--std", 0.25).code == 0
    votes = np.load("run/votes.npy")
    assert cli("difficulty", "run", "--trust-code", "--k", 5, "--again").code == 0
    assert np.load("run/votes.npy").tolist() == votes.tolist()
    assert json.loads(Path("run/model.json").read_text())["preprocessing"] == {"mean": [0.5], "std": [0.25]}


def test_a_network_that_is_named_beside_a_run_takes_its_weights_and_its_preprocessing(cli: Any, toys: Path) -> None:
    Path("elsewhere").mkdir()
    Path("net.py").rename("elsewhere/mine.py")
    named = ["difficulty", "measured", "--model", "elsewhere/mine.py:net", "-o", "again", "--k", 5]
    assert cli(*named).code == 0
    assert Path("again/votes.npy").read_bytes() == Path("measured/votes.npy").read_bytes()
    assert Path("again/model.safetensors").read_bytes() == Path("measured/model.safetensors").read_bytes()
    described = [json.loads(Path(run, "model.json").read_text()) for run in ("measured", "again")]
    assert described[1] == {**described[0], "spec": "elsewhere/mine.py:net"}


def test_a_network_that_is_named_beside_a_run_must_fit_its_weights(cli: Any, toys: Path) -> None:
    assert cli.refusal("difficulty", "trained", "--model", "report-cnn", "--k", 5).startswith(
        "ModelError: the weights in trained/model.safetensors do not fit ReportCNN:\n"
    )


def test_a_file_that_is_not_where_it_was_is_asked_for(cli: Any, toys: Path) -> None:
    Path("net.py").unlink()
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == (
        "FileError: no file net.py. A network of your own is written FILE.py:NAME.\n"
        "    trained names it; if it lies elsewhere now, say where: --model FILE.py:NAME (model=...).\n"
    )


def vote_of(base: NDArray[Any], labels: NDArray[Any], query: NDArray[Any], k: int) -> int:
    distances = np.square(base.reshape(len(base), -1).astype(np.float64) - query.ravel()).sum(axis=1)
    nearest = labels[np.argsort(distances, kind="stable")[:k]]
    counts = np.bincount(nearest)
    return int(next(label for label in nearest if counts[label] == counts.max()))


def test_kept_activations_give_the_depths_with_numpy_alone(cli: Any, toys: Path) -> None:
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--taps", "0,1,2,3", "--keep-activations").code == 0
    base, held_out = Path("trained/activations/base"), Path("trained/activations/held-out")
    labels, files = np.load(base / "labels.npy"), sorted(path.name for path in base.glob("0[0-9]-*.npy"))
    assert files == ["00-input.npy", "01-0.npy", "02-1.npy", "03-2.npy", "04-3.npy", "05-softmax.npy"]
    votes = np.array(
        [[vote_of(np.load(base / file), labels, query, 5) for query in np.load(held_out / file)] for file in files]
    )  # (L, N)
    assert votes.T.tolist() == np.load("trained/votes.npy").tolist()
    predictions = np.load(held_out / "logits.npy").argmax(axis=1)
    agrees = votes == predictions
    depths = [next((tap for tap in range(6) if agrees[tap:, n].all()), 6) for n in range(20)]
    assert pd.read_parquet("trained/examples.parquet")["depth"].tolist() == depths


def test_a_resnet20_with_published_weights_in_data_parallel_layout_is_measured(cli: Any, toys: Path) -> None:
    save_images(Path("ten.npz"), channels=3, classes=10)
    source = load_model("resnet20", num_classes=10, seed=7)
    weights = {f"module.{name}": value for name, value in source.state_dict().items()}
    torch.save({"state_dict": weights, "best_prec1": 91.73}, "resnet20.th")
    command = ["difficulty", "--model", "resnet20", "--weights", "resnet20.th", "--data", "npz:ten.npz", "-o", "r20"]
    preprocessing = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
    printed = summary(cli(*command, *preprocessing, "--k", 5, "--taps", "blocks", "--json"))
    assert len(printed["taps"]) == 12  # the input, the stem, nine blocks, the softmax
    with np.load("ten.npz") as arrays:
        pixels = torch.from_numpy(arrays["x_test"] / np.float32(255))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        logits = source.eval()((pixels - mean) / std)
    assert np.load("r20/logits.npy") == pytest.approx(logits.numpy(), abs=1e-4)
    assert pd.read_parquet("r20/examples.parquet")["prediction"].tolist() == logits.argmax(dim=1).tolist()


@pytest.mark.parametrize("split", ["test", "train"])
def test_depths_alone_are_those_of_the_whole_measurement(cli: Any, toys: Path, split: str) -> None:
    command = ["difficulty", "trained", "--trust-code", "--k", 5, "--split", split, "--again"]
    assert cli(*command).code == 0
    whole, taps = pd.read_parquet("trained/examples.parquet"), pd.read_parquet("trained/taps.parquet")
    printed = summary(cli(*command, "--depths-only", "--json"))
    pd.testing.assert_frame_equal(pd.read_parquet("trained/examples.parquet"), whole.drop(columns="soft_depth"))
    shown = pd.read_parquet("trained/taps.parquet")
    assert list(shown.columns) == ["order", "name", "shape", "features", "asked", "parameters", "macs"]
    pd.testing.assert_frame_equal(shown.drop(columns="asked"), taps[shown.columns.drop("asked")])
    assert dict(zip(shown["name"], shown["asked"], strict=True)) == printed["asked"]
    assert steps_of(Path("trained"))["difficulty"]["asked"] == printed["asked"]
    assert printed["asked"]["softmax"] == len(whole)
    assert printed["splits"][split]["unresolved"] == (~whole["resolved"]).sum()
    assert not Path("trained/votes.npy").exists()
    assert not Path("trained/neighbors.npy").exists()


def test_depths_alone_are_shown_tap_by_tap_and_refused_by_the_report(cli: Any, toys: Path) -> None:
    outcome = cli("difficulty", "trained", "--trust-code", "--k", 5, "--depths-only")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "20 images, asked from the last tap backwards until a probe disagrees"
    assert [word for word in lines[2].split() if word.isalpha()] == [
        "depth",
        "tap",
        "decided",
        "here",
        "asked",
        "seconds",
    ]
    assert "unresolved" in lines[-2]
    assert outcome.err.endswith(
        "For the report, measure all of it: layerwise difficulty trained --model net.py:net --again\n"
    )
    assert cli.refusal("report", "trained") == (
        "RunError: trained holds depths only, without the votes and the pictures that are shown.\n"
        "    Measure all of it: layerwise difficulty trained --again\n"
    )
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--again").code == 0
    assert cli("report", "trained").code == 0


def test_the_neighbours_of_the_raw_images_are_kept_for_the_next_network_unless_not_wanted(
    cli: Any, toys: Path, cache_of_ones_own: Path
) -> None:
    command = ["difficulty", "trained", "--trust-code", "--k", 5]
    assert cli(*command, "--no-cache").code == 0
    assert not cli.files(cache_of_ones_own)
    neighbors = np.load("trained/neighbors.npy")
    assert cli(*command, "--again").code == 0
    (kept,) = cache_of_ones_own.rglob("*.npy")
    assert np.load(kept).tolist() == neighbors[:, 0].tolist()


def test_the_fast_mode_says_on_the_console_and_in_the_summary_that_it_is_approximate(cli: Any, toys: Path) -> None:
    command = ["difficulty", "trained", "--trust-code", "--k", 5, "--fast", 16, "--again"]
    said = summary(cli(*command, "--json"))["approximate"]
    assert said.startswith("Approximate: 5 of 6 taps were projected to 16 numbers. Votes agree with the exact ones on ")
    assert said in cli(*command).err
    assert said in cli(*command, "--depths-only").err
    assert summary(cli(*command, "--depths-only", "--json"))["approximate"] == said
    assert "approximate" not in summary(cli(*command[:-3], "--again", "--json"))
