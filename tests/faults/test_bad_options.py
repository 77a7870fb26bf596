"""Options that mean nothing, contradict each other, or would be passed over in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NAMED = ["difficulty", "--model", "net.py:net", "--data", "npz:small.npz", "-o", "run", "--k", 5]

KNOWN_MODELS = (
    "    Give one of resnet18-cifar, resnet8, resnet14, resnet20, resnet56, resnet110, report-cnn, simple-cnn, "
    "wider-cnn, deeper-cnn, three-layer-cnn, two-layer-mlp, three-layer-mlp, mnist1d-cnn, mnist1d-mlp, "
    "a name of torchvision (resnet18), "
    "timm/NAME, or FILE.py:NAME.\n"
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--taps", "chidlren"],
            'UnknownNameError: no tap named "chidlren" in Sequential (8 taps). Did you mean "children"?\n'
            "    List them with: layerwise taps MODEL\n",
        ),
        (
            ["--taps", "input,9"],
            'UnknownNameError: no tap named "9" in Sequential (8 taps).\n    List them with: layerwise taps MODEL\n',
        ),
        (
            ["--split", "tset"],
            'UnknownNameError: no split is named "tset". Did you mean "test"?\n'
            "    Choose one of: test, train, validation, all.\n",
        ),
        (
            ["--agree-with", "labl"],
            'InputError: agree_with = "labl" is no reference class. Did you mean "label"?\n'
            "    Choose one of: prediction, last-probe, label.\n",
        ),
        (["--threads", "0"], "InputError: --threads must be 1 to 1024; got 0.\n"),
        (["--limit-gb", "0"], "InputError: --limit-gb must be a number above 0; got 0.\n"),
        (["--limit-gb", "nan"], "InputError: --limit-gb must be a number above 0; got nan.\n"),
        (
            ["--limit-gb", "0.000001"],
            'ActivationsTooLargeError: tap "input" needs at least 10.5 kB (41 × 1 × 8 × 8 float32), over the limit of '
            "1.0 kB.\n    Leave it out with a list of taps, use smaller batches (--batch-size), keep activations in "
            "files (--keep-activations), or raise the limit (--limit-gb).\n",
        ),
        (
            ["--limit-gb", "0.000001", "--keep-activations"],
            'ActivationsTooLargeError: tap "0" needs 23.0 kB (40 × 4 × 6 × 6 float32), over the limit of 1.0 kB.\n'
            "    Use a smaller --batch-size, fewer --taps, or a higher --limit-gb.\n",
        ),
        (["--batch-size", "0"], "InputError: batch_size and limit_bytes must be at least 1; got 0 and 4000000000.0.\n"),
        (
            ["--device", "gpu"],
            'InputError: device "gpu" cannot be used here.\n    Use another of: cpu, cuda, mps.\n',
        ),
        (
            ["--mean", "0.5", "--std", "0.5"],
            "InputError: --mean, --std cannot be used together with a run folder: its network has them already.\n"
            "    Leave them out, or leave the run folder out and give --model, --data and -o.\n",
        ),
        (
            ["--model", "resnet20", "--weights", "r20.pth"],
            "InputError: --weights cannot be used together with a run folder: its network has them already.\n"
            "    Leave them out, or leave the run folder out and give --model, --data and -o.\n",
        ),
    ],
)
def test_options_of_a_measurement_that_cannot_be_used_are_refused(
    cli: Any, toys: Path, options: list[str], message: str
) -> None:
    k = [] if "--k" in options else ["--k", 5]
    assert cli.refusal("difficulty", "trained", "--trust-code", *k, *options) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mean", "0.5"], "InputError: --mean and --std go together; give both or neither.\n"),
        (["--std", "0.5"], "InputError: --mean and --std go together; give both or neither.\n"),
        (
            ["--mean", "0.5,0.5,0.5", "--std", "1,1,1"],
            "InputError: images of 1 channels need a preprocessing of as many; got 3.\n",
        ),
        (
            ["--mean", "grey", "--std", "1"],
            'InputError: "grey" is not a list of numbers; write them as 0.485,0.456,0.406.\n',
        ),
        (
            ["--mean", "0", "--std", "0"],
            "InputError: mean (0.0,) and std (0.0,) cannot be used: every standard deviation must be above 0.\n",
        ),
    ],
)
def test_preprocessing_that_cannot_be_used_is_refused(cli: Any, toys: Path, options: list[str], message: str) -> None:
    assert cli.refusal(*NAMED, *options) == message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "resnt20",
            'UnknownNameError: no network named "resnt20". Did you mean "resnet20" or "resnet50" or "resnet152"?\n',
        ),
        (
            "net.py:nte",
            'UnknownNameError: net.py defines no "nte". Did you mean "net"?\n    net.py defines: net, seven.\n',
        ),
        ("gone.py:net", "FileError: no file gone.py. A network of your own is written FILE.py:NAME.\n"),
    ],
)
def test_networks_that_do_not_exist_are_refused(cli: Any, toys: Path, model: str, message: str) -> None:
    expected = message + (KNOWN_MODELS if model == "resnt20" else "")
    assert cli.refusal("taps", model) == expected
    assert cli.refusal("train", model, "npz:small.npz", "-o", "run") == expected
    assert cli.refusal("difficulty", "--model", model, "--data", "npz:small.npz", "-o", "run") == expected


def test_a_network_whose_file_fails_is_the_users_fault_not_ours(cli: Any, toys: Path) -> None:
    Path("broken.py").write_text("import no_such_package\n")
    assert cli.refusal("taps", "broken.py:net") == (
        "ModelError: broken.py fails when it is run: ModuleNotFoundError: No module named 'no_such_package'\n"
    )


def test_a_run_that_does_not_exist_is_refused_by_every_command_that_reads_one(cli: Any, toys: Path) -> None:
    assert cli.refusal("report", "nowhere") == (
        "RunError: no run folder nowhere.\n    Make one: layerwise train MODEL DATA -o nowhere\n"
    )
    assert cli.refusal("difficulty", "nowhere").startswith("RunError: nowhere holds no trained network.\n")
