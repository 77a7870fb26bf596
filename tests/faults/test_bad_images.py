"""Images and labels that cannot be used, and networks that do not fit them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from command_line import save_images
from layerwise.views.run import read_run


def save(name: str, **changed: np.ndarray) -> str:
    """A copy of small.npz with some arrays changed; gives its spec."""
    with np.load("small.npz") as arrays:
        np.savez(name, **{**arrays, **changed})
    return f"npz:{name}"


def training() -> tuple[np.ndarray, np.ndarray]:
    with np.load("small.npz") as arrays:
        return arrays["x_train"], arrays["y_train"]


def test_labels_that_are_not_whole_numbers_are_refused(cli: Any, toys: Path) -> None:
    _, labels = training()
    assert cli.refusal("data", save("bad.npz", y_train=labels + 0.5)) == (
        "DataError: labels are of type float64, the first is np.float64(0.5); expected whole numbers from 0.\n"
        "    Give class numbers, and the names as class_names.\n"
    )


def test_labels_out_of_range_are_refused(cli: Any, toys: Path) -> None:
    _, labels = training()
    assert cli.refusal("data", save("bad.npz", y_train=np.where(labels == 2, -1, labels))) == (
        """DataError: 13 labels are out of range, the first is -1 (example "train-00002"); expected 0 to 2.\n"""
    )
    named = save("named.npz", class_names=np.array(["circle", "square"]))
    assert cli.refusal("data", named) == (
        """DataError: 20 labels are out of range, the first is 2 (example "train-00002"); expected 0 to 1.\n"""
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_refused(cli: Any, toys: Path, value: float) -> None:
    images, _ = training()
    floats = images.astype(np.float32)
    floats[7, 0, 3, 3] = value
    assert cli.refusal("train", "net.py:net", save("bad.npz", x_train=floats), "-o", "run") == (
        'NonFiniteError: 1 of 60 images hold NaN or infinity, the first is "train-00007"; repair or drop them.\n'
    )


def test_activations_that_become_infinite_are_refused_with_the_tap(cli: Any, toys: Path) -> None:
    Path("huge.py").write_text(
        "from torch import nn\n"
        "def net(num_classes):\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, num_classes))\n"
        "    nn.init.constant_(net[1].weight, 3e38)\n"
        "    return net\n"
    )
    assert cli.refusal("difficulty", "--model", "huge.py:net", "--data", "npz:small.npz", "-o", "run", "--k", 5) == (
        'NonFiniteError: tap "1" holds NaN or infinity for 40 of the first 40 examples (the first is "train-00000").\n'
        "    Look for them in the weights, the preprocessing and the images.\n"
    )


def test_one_class_only_is_refused(cli: Any, toys: Path) -> None:
    images, labels = training()
    one = np.zeros_like(labels)
    spec = save("one.npz", y_train=one, x_test=images[:20], y_test=one[:20])
    assert cli.refusal("data", spec) == (
        "DataError: all 60 examples have the label 0; expected at least two classes.\n"
    )
    assert cli.refusal(
        "difficulty", "trained", "--trust-code", "--data", save("half.npz", y_train=one), "-o", "run", "--k", 5
    ) == (
        'DataError: all 40 training examples are of one class, "0": every probe would vote for it.\n'
        "    Give examples of at least two classes.\n"
    )


def test_an_empty_split_is_refused(cli: Any, toys: Path) -> None:
    assert cli.refusal("difficulty", "trained", "--trust-code", "--split", "validation") == (
        'NotEnoughExamplesError: small has no example in the split "validation"; it has "train" (40), "test" (20).\n'
        '    Add "?validation=0.1" to its spec, or call hold_out(data, 0.1), to take some of "train".\n'
    )
    images, labels = training()
    np.savez("only.npz", x_train=images, y_train=labels)
    assert cli.refusal("difficulty", "trained", "--trust-code", "--data", "npz:only.npz", "-o", "run") == (
        'NotEnoughExamplesError: only has no example in the split "test"; it has "train" (40).\n'
        "    Load the data's test files too.\n"
    )


def test_as_many_neighbours_as_training_examples_are_refused(cli: Any, toys: Path) -> None:
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 40) == (
        "NotEnoughExamplesError: k = 40 needs more than 40 training examples; got 40. Lower k, or give more examples.\n"
    )
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 0) == (
        "NotEnoughExamplesError: k = 0: a vote needs at least one neighbour. Give k of 1 or more.\n"
    )


def test_colour_images_for_a_grey_network_of_a_run_are_refused(cli: Any, toys: Path) -> None:
    save_images(Path("colour.npz"), channels=3)
    assert cli.refusal("difficulty", "trained", "--trust-code", "--data", "npz:colour.npz", "-o", "run") == (
        "DataError: the images of npz:colour.npz have 3 channels; the network in trained takes 1.\n"
        "    Give images of the kind that it was trained on.\n"
    )


def test_grey_images_for_the_weights_of_a_colour_network_are_refused(cli: Any, toys: Path) -> None:
    import torch

    from layerwise.models.catalog import load_model

    torch.save(load_model("net.py:net", num_classes=3, in_channels=3).state_dict(), "colour.pth")
    command = ["difficulty", "--model", "net.py:net", "--weights", "colour.pth", "--data", "npz:small.npz", "-o", "run"]
    assert cli.refusal(*command) == (
        "ModelError: the weights in colour.pth do not fit Sequential:\n"
        "    1 of another shape: 0.weight is 4×3×3×3 in the file, 4×1×3×3 in the network\n"
        "    The file's network takes 3 channels, this one 1: give in_channels=3, or images of 3 channels.\n"
    )


def test_images_of_another_size_than_the_network_takes_are_refused(cli: Any, toys: Path) -> None:
    save_images(Path("larger.npz"), side=9)
    assert cli.refusal("difficulty", "trained", "--trust-code", "--data", "npz:larger.npz", "-o", "run", "--k", 5) == (
        'ModelError: Sequential cannot take images of shape 1×9×9. It fails in "4" (Linear).\n'
        "    RuntimeError: mat1 and mat2 shapes cannot be multiplied (5x196 and 144x3)\n"
        "    Give images (C, H, W) of the kind that it was made for. Its first convolution takes 1 channels.\n"
    )


def test_images_of_mixed_sizes_are_refused(cli: Any, toys: Path) -> None:
    for n in range(6):
        path = Path("photos", ("cat", "dog")[n % 2], f"{n}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8) if n else (9, 7)).save(path)
    assert cli.refusal("data", "folder:photos") == (
        "DataError: images in photos have 2 sizes: 8×8 (5), 9×7 (1); expected one.\n"
        '    Add "?size=8" to the spec to scale and crop them to 8×8.\n'
    )


def test_a_network_with_more_outputs_than_there_are_classes_is_refused(cli: Any, toys: Path) -> None:
    command = ["difficulty", "--model", "net.py:seven", "--data", "npz:small.npz", "-o", "run", "--k", 5]
    assert cli.refusal(*command) == (
        "ModelError: Sequential gives 7 classes, but the labels have 3.\n"
        "    Give the network that was trained on these classes, and the names of all of them, in its order.\n"
    )


def test_classes_in_another_order_than_the_networks_are_refused(cli: Any, toys: Path) -> None:
    import json

    description = json.loads(Path("trained/model.json").read_text())
    Path("trained/model.json").write_text(json.dumps({**description, "class_names": ["a", "b", "c"]}))
    spec = save("other.npz", class_names=np.array(["b", "a", "c"]))
    assert cli.refusal("difficulty", "trained", "--trust-code", "--data", spec, "-o", "run", "--k", 5) == (
        "DataError: the classes of npz:other.npz are b, a, c; those of the network in trained are a, b, c.\n"
        "    Give images of its classes, in its order.\n"
    )


def test_images_of_fewer_numbered_classes_get_the_names_of_the_network(cli: Any, toys: Path) -> None:
    save_images(Path("two.npz"), classes=2)
    assert cli("difficulty", "trained", "--trust-code", "--data", "npz:two.npz", "-o", "run", "--k", 5).code == 0
    assert read_run(Path("run")).class_names == ("0", "1", "2")
