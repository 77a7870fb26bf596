"""`layerwise exits`: from a trained run to exits, a curve and a budget; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine
from layerwise.data.catalog import load_data
from layerwise.exits.export import OnnxExits
from layerwise.exits.folder import load_exits, load_recorded
from layerwise.models.catalog import load_model
from layerwise.models.saved import fingerprint, read_model
from layerwise.runs import steps_of

pytestmark = [pytest.mark.usefixtures("toys"), pytest.mark.slow]

TRAIN = ("exits", "train", "trained", "--at", "0,2", "--epochs", "2", "--trust-code")


@pytest.fixture
def with_exits(cli: CommandLine) -> Path:
    assert cli(*TRAIN).code == 0
    assert cli("exits", "evaluate", "trained", "--trust-code", "--smaller", "none").code == 0
    return Path("trained")


def test_training_keeps_the_run_and_adds_its_exits(cli: CommandLine) -> None:
    before = cli.files("trained")
    assert "Next: layerwise exits evaluate trained --model net.py:net\n" in cli(*TRAIN).err
    outcome = cli(*TRAIN, "--again", "--precision", "bf16", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out.splitlines()[-1])["exits"] == ["0", "2", "softmax"]
    after = cli.files("trained")
    assert {name: after[name] for name in before if name != "run.json"} == {
        name: content for name, content in before.items() if name != "run.json"
    }
    facts = steps_of(Path("trained"))["exits"]
    assert (facts["at"], facts["heads"], facts["frozen"]) == (["0", "2"], ["pooled", "pooled"], False)
    assert facts["settings"]["precision"] == "bf16"
    assert facts["model_fingerprint"] == steps_of(Path("trained"))["train"]["model_fingerprint"]


def test_exits_are_read_as_they_were_trained(with_exits: Path) -> None:
    data = load_data("npz:small.npz")
    net = load_exits(with_exits, load_model("net.py:net", num_classes=3, in_channels=1), data.image_shape, None)
    np.testing.assert_allclose(net.all_logits(data.test), load_recorded(with_exits, "test").logits, atol=1e-5)
    own = read_model(with_exits, trust_code=True).model
    assert fingerprint(own) != fingerprint(net.model)  # joint training moved it, in the exits' own file


def test_evaluation_says_what_each_exit_gives_and_costs(cli: CommandLine, with_exits: Path) -> None:
    outcome = cli("exits", "evaluate", with_exits, "--policy", "entropy", "--smaller", "none", "--trust-code", "--json")
    summary = json.loads(outcome.out.splitlines()[-1])
    assert [row["exit"] for row in summary["exits"]] == ["0", "2", "softmax"]
    conv = 9 * 4 * 36
    assert [row["network_macs"] for row in summary["exits"]] == [conv, conv, conv + 144 * 3]
    assert [row["head_macs"] for row in summary["exits"]] == [12, 12, 0]
    assert set(summary["oracles"]) == {"first right", "first agreeing"}
    curve = pd.read_parquet(with_exits / "exits" / "curve.parquet")
    assert curve["macs"].iloc[0] == conv + 432
    assert {"ms_batch_1", "ms_batch_16"} <= set(curve.columns)
    shown = cli("exits", "evaluate", with_exits, "--trust-code", "--smaller", "none")
    assert "each exit on its own" in shown.out
    assert "oracle: first right" in shown.out
    assert "Not compared: no smaller network was asked for." in shown.err


def test_a_smaller_network_is_trained_once_and_compared_at_equal_macs_and_time(
    cli: CommandLine, with_exits: Path
) -> None:
    command = ("exits", "evaluate", with_exits, "--smaller", "0.5", "--trust-code")
    summary = json.loads(cli(*command, "--json").out.splitlines()[-1])
    (smaller,) = summary["smaller"]
    assert smaller["macs"] == 9 * 2 * 36 + 72 * 3
    assert [one["cost"] for one in summary["comparisons"]] == ["MACs", "ms, batch 16"]
    assert summary["comparisons"][0]["smaller_cost"] == smaller["macs"]
    checkpoints = sorted((with_exits / "exits" / "smaller").rglob("last.ckpt"))
    assert [path.parts[-3] for path in checkpoints] == ["phase-1", "phase-2"]  # as the run, then as its exits
    written = [path.stat().st_mtime_ns for path in checkpoints]
    shown = cli(*command)
    assert "Early exit or a smaller network?" in shown.out
    assert [path.stat().st_mtime_ns for path in checkpoints] == written


def test_smaller_networks_that_cannot_be_are_refused(cli: CommandLine, with_exits: Path) -> None:
    before = cli.files(with_exits)
    wanted_to_message = {
        "1.5": "lies between 0 and 1",
        "0.5,": "has an empty part",
        "0.5,resnet21": 'no network named "resnet21"',
    }
    for wanted, message in wanted_to_message.items():
        outcome = cli("exits", "evaluate", with_exits, "--smaller", wanted, "--trust-code")
        assert outcome.code == 2
        assert message in outcome.err
    assert cli.files(with_exits).keys() == before.keys()


def test_a_budget_is_chosen_on_one_part_and_reported_on_the_other(cli: CommandLine, with_exits: Path) -> None:
    outcome = cli("exits", "budget", with_exits, "--macs", "1400", "--of-test", "0.5", "--json")
    facts = json.loads(outcome.out.splitlines()[-1])
    assert facts["chosen_on"] == "10 test examples"
    assert sum(facts["shares"].values()) == pytest.approx(1)
    assert json.loads((with_exits / "exits" / "budget.json").read_text())["macs"] == facts["macs"]
    shown = cli("exits", "budget", with_exits, "--loss", "0.1", "--of-test", "0.5")
    assert shown.code == 0
    assert "10 test images; thresholds chosen on 10 others (test)" in shown.out
    assert "Milliseconds of an image, batches of 16" in shown.err


def test_times_of_a_busy_machine_are_not_trusted(cli: CommandLine, with_exits: Path) -> None:
    path = with_exits / "exits" / "summary.json"
    summary = json.loads(path.read_text())
    summary["times"]["plain"] = [1.0 for _ in summary["times"]["plain"]]
    path.write_text(json.dumps(summary))
    budget = cli("exits", "budget", with_exits, "--macs", "1400", "--of-test", "0.5", "--json")
    assert "Times are not to be trusted: the parts of the network take" in budget.err
    assert f"layerwise exits evaluate {with_exits} --model net.py:net\n" in budget.err


def test_a_budget_of_milliseconds(cli: CommandLine, with_exits: Path) -> None:
    command = ("exits", "budget", with_exits, "--of-test", "0.5")
    facts = json.loads(cli(*command, "--ms", "1000", "--json").out.splitlines()[-1])
    assert 0 < facts["ms"]["1"]["exits"] <= 1000
    refused = cli(*command, "--ms", "1e-9", "--batch-size", "4")
    assert refused.code == 2
    assert "in batches of 4; the least is" in refused.err


def test_what_is_saved_for_a_loss_is_macs_or_milliseconds(cli: CommandLine, with_exits: Path) -> None:
    path = with_exits / "exits" / "summary.json"
    summary = json.loads(path.read_text())
    times = summary["times"]
    assert times["batch_sizes"][:2] == [1, 2]
    times["heads"] = [[10.0 for _ in heads] for heads in times["heads"]]  # whatever is saved is lost in a head
    path.write_text(json.dumps(summary))
    command = ("exits", "budget", with_exits, "--of-test", "0.5", "--loss", "0.5")
    macs = json.loads(cli(*command, "--json").out.splitlines()[-1])
    assert macs["saved"] == "macs"
    assert macs["macs"] < macs["plain_macs"]
    ms = json.loads(cli(*command, "--save", "ms", "--batch-size", "2", "--json").out.splitlines()[-1])
    assert (ms["saved"], ms["batch_size"], set(ms["thresholds"])) == ("ms", 2, {"inf"})
    shown = cli(*command, "--save", "ms").err
    assert "Chosen for little time (predicted, batches of 1), at a loss of at most 50% where" in shown


@pytest.mark.slow
def test_the_chosen_budget_is_exported(cli: CommandLine, with_exits: Path) -> None:
    assert cli("exits", "budget", with_exits, "--macs", "1400", "--of-test", "0.5").code == 0
    outcome = cli("exits", "export", with_exits, "--trust-code", "--json")
    path = Path(json.loads(outcome.out.splitlines()[-1])["file"])
    exported = OnnxExits(path, class_names=["0", "1", "2"])
    budget = json.loads((with_exits / "exits" / "budget.json").read_text())
    np.testing.assert_allclose(exported.thresholds, [float(one) for one in budget["thresholds"]])
    images = load_data("npz:small.npz").test
    logits, _ = exported.predict(images.batch(slice(0, 1))[0], np.array([2.0, 2.0]))
    np.testing.assert_allclose(logits, load_recorded(with_exits, "test").logits[-1, 0], atol=1e-4)


def test_an_export_needs_thresholds(cli: CommandLine, with_exits: Path) -> None:
    message = cli.refusal("exits", "export", with_exits, "--trust-code")
    assert "no thresholds were chosen in trained" in message
    assert "--threshold 0.9" in message
    budget = with_exits / "exits" / "budget.json"
    budget.write_text('{"policy": "probability"}')
    assert "is not what `layerwise exits budget` writes" in cli.refusal("exits", "export", with_exits, "--trust-code")


def test_a_run_without_validation_images_says_how_to_choose(cli: CommandLine, with_exits: Path) -> None:
    message = cli.refusal("exits", "budget", with_exits, "--loss", "0.01")
    assert "trained held out no validation images" in message
    assert "--of-test 0.5" in message


def test_a_promise_that_cannot_be_proven_says_how_many_images_it_needs(cli: CommandLine, with_exits: Path) -> None:
    message = cli.refusal("exits", "budget", with_exits, "--harm", "0.02", "--of-test", "0.5")
    assert "needs 228 calibration examples" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "trained", "--at", "layer9", "--trust-code"), 'no tap named "layer9"'),
        (("train", "trained", "--at", "0", "--heads", "poled", "--trust-code"), 'Did you mean "pooled"'),
        (("train", "trained", "--at", "0", "--weights", "1,x", "--trust-code"), '--weights "1,x" is not a list'),
        (("train", "trained", "--at", "0", "--weights", "1,1,1", "--trust-code"), "3 weights for 2 exits"),
        (("train", "nowhere", "--at", "0"), "nowhere holds no trained network"),
        (("evaluate", "trained", "--trust-code"), "trained has no exits.\n    Train some: layerwise exits train"),
        (("evaluate", "trained", "--policy", "entropie"), 'Did you mean "entropy"'),
        (("budget", "trained"), "give one budget"),
        (("budget", "trained", "--loss", "0.1", "--macs", "1"), "give one budget"),
        (("budget", "trained", "--loss", "0.1"), "trained has no exits"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(
    cli: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    assert message in cli.refusal("exits", *arguments)


def test_other_exits_are_not_trained_over_the_first(cli: CommandLine, with_exits: Path) -> None:
    other = ("exits", "train", with_exits, "--at", "2", "--epochs", "2", "--trust-code")
    assert "objective.exits: 0, 2, softmax → 2, softmax" in cli.refusal(*other)
    assert cli(*other, "--again").code == 0
    assert "has no exits" not in cli("exits", "evaluate", with_exits, "--trust-code").err


def test_exits_stay_until_their_successors_are_trained(cli: CommandLine, with_exits: Path) -> None:
    before = cli.files(with_exits / "exits")
    other = ("exits", "train", with_exits, "--at", "2", "--epochs", "2", "--trust-code", "--again")
    assert "no GPU here" in cli.refusal(*other, "--device", "cuda")
    assert cli("exits", "train", with_exits, "--at", "2", "--lr", "1e30", "--trust-code", "--again").code == 2
    assert cli.files(with_exits / "exits") == before
    assert "remove trained/exits.new, which an unfinished --again has left" in cli.refusal(*other)


def test_weights_of_another_network_are_not_taken_for_the_exits(cli: CommandLine, with_exits: Path) -> None:
    own = (with_exits / "exits" / "network.safetensors").read_bytes()
    assert cli(*TRAIN, "--again", "--seed", "1").code == 0
    (with_exits / "exits" / "network.safetensors").write_bytes(own)
    message = cli.refusal("exits", "evaluate", with_exits, "--trust-code")
    assert "holds other weights than exits.json says" in message
    assert "--again" in message


def test_a_wrong_name_costs_no_earlier_comparison(cli: CommandLine, with_exits: Path) -> None:
    command = ("exits", "evaluate", with_exits, "--trust-code", "--smaller")
    assert cli(*command, "0.5").code == 0
    path = with_exits / "exits" / "summary.json"
    compared = json.loads(path.read_text())["comparisons"]
    assert len(compared) == 2
    cli.refusal(*command, "resnet14x")
    assert json.loads(path.read_text())["comparisons"] == compared


def test_nothing_but_an_onnx_file_is_replaced_by_an_export(cli: CommandLine, with_exits: Path) -> None:
    command = ("exits", "export", with_exits, "--threshold", "0.5", "--trust-code", "-o")
    for output in (with_exits / "model.safetensors", with_exits, ""):
        cli.refusal(*command, output)


def test_a_policy_without_a_threshold_is_not_ignored(cli: CommandLine, with_exits: Path) -> None:
    message = cli.refusal("exits", "export", with_exits, "--policy", "entropy", "--trust-code")
    assert "--policy entropy needs a --threshold" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ms", "5", "--batch-size", "10000000000000"), "from 1 to 1,000,000"),
        (("--macs", "nan"), "--macs must be a number above 0; got nan"),
        (("--loss", "0.1", "--save", "flops"), '--save is macs or ms; got "flops"'),
        (("--macs", "1400", "--save", "ms"), "give it with --loss 0.005"),
        (("--ms", "-1"), "--ms must be a number above 0; got -1"),
        (("--harm", "1e-320"), "needs inf calibration examples"),
    ],
)
def test_budgets_that_are_no_budgets_are_refused(
    cli: CommandLine, with_exits: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in cli.refusal("exits", "budget", with_exits, "--of-test", "0.5", *options)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("test.json", {"head_macs": [1]}),
        ("test.json", {"network_macs": ["a", "b", "c"]}),
        ("test.json", {"network_macs": [3, 2, 1]}),
        ("test.json", {"names": ["x", "y", "z"]}),
        (
            "summary.json",
            {"times": {"batch_sizes": [1], "names": ["x"], "segments": [[1]], "heads": [[]], "plain": [1]}},
        ),
        ("exits.json", {"names": None}),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(
    cli: CommandLine, with_exits: Path, name: str, change: dict[str, object]
) -> None:
    path = with_exits / "exits" / name
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert "    " in cli.refusal("exits", "budget", with_exits, "--loss", "0.1", "--of-test", "0.5")


def test_images_that_lie_elsewhere_now_are_found_with_data(cli: CommandLine, with_exits: Path) -> None:
    Path("small.npz").rename("moved.npz")
    command = ("exits", "evaluate", with_exits, "--smaller", "none", "--trust-code")
    assert "say where: --data DATA" in cli.refusal(*command)
    assert cli(*command, "--data", "npz:moved.npz").code == 0
    assert "they have changed since" in cli.refusal(*command, "--data", "digits")


def test_recordings_of_exits_that_were_trained_anew_are_not_used(cli: CommandLine, with_exits: Path) -> None:
    kept = {name: (with_exits / "exits" / name).read_bytes() for name in ("test.json", "test.npy", "test.parquet")}
    assert cli(*TRAIN, "--again", "--seed", "1").code == 0
    for name, content in kept.items():
        (with_exits / "exits" / name).write_bytes(content)
    message = cli.refusal("exits", "budget", with_exits, "--loss", "0.1", "--of-test", "0.5")
    assert "trained anew after their test images were recorded" in message


@pytest.mark.parametrize("name", ["exits.json", "test.json", "test.npy", "test.parquet"])
def test_a_damaged_file_is_named(cli: CommandLine, with_exits: Path, name: str) -> None:
    path = with_exits / "exits" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert name in cli.refusal("exits", "budget", with_exits, "--loss", "0.1", "--of-test", "0.5")
