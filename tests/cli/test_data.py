"""`layerwise data`: what it prints, draws and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.data.catalog import SOURCES


def test_a_data_set_is_described_as_it_is(cli: Any, toys: Path) -> None:
    printed = json.loads(cli("data", "npz:small.npz", "--json").out)
    with np.load("small.npz") as arrays:
        train = arrays["x_train"] / 255
        pixels = np.concatenate([train, arrays["x_test"] / 255])
    assert (printed["name"], printed["image_shape"], printed["dtype"]) == ("small", [1, 8, 8], "uint8")
    assert printed["range"] == pytest.approx([pixels.min(), pixels.max()])
    assert (printed["mean"], printed["std"]) == (pytest.approx([train.mean()]), pytest.approx([train.std()]))
    assert printed["counts"] == {"train": {"0": 14, "1": 13, "2": 13}, "test": {"0": 6, "1": 7, "2": 7}}
    assert printed["duplicated_images"] == 0
    assert printed["pictures"] == []


def test_for_people_there_is_a_table_on_the_output_and_words_beside_it(cli: Any, toys: Path) -> None:
    outcome = cli("data", "npz:small.npz")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0].rstrip() == "small: 60 images 1×8×8 (uint8), values 0 to 0.804"
    assert outcome.err.splitlines()[0].startswith("Mean ± standard deviation of each channel: 0.3836 ± 0.1514")
    assert outcome.err.splitlines()[1] == (
        "Identical images: 0 copies; 0 groups in more than one split, 0 with different labels."
    )
    assert outcome.err.splitlines()[-1] == "For pictures of examples, of the variance, and maps, add -o FOLDER."
    assert "What pixels tell, without a network: 40 and 20 train and test images" in outcome.out
    assert "components that hold 50 % of the variance, of" in outcome.out
    assert "Pixels alone " in outcome.err


def test_probes_say_what_the_pixels_tell(cli: Any, toys: Path) -> None:
    told = json.loads(cli("data", "npz:small.npz", "--json").out)["complexity"]
    assert told["images"] == "40 and 20 train and test images"
    assert told["chance"] == 0.35
    assert told["knn"]["accuracy"] == 1.0
    low, high = told["linear"]["accuracy_95"]
    assert low <= told["linear"]["accuracy"] <= high
    assert told["components"]["0.5"] <= told["components"]["0.99"] <= 40
    assert told["dimension"]["estimate"] > 0
    assert json.loads(cli("data", "npz:small.npz", "--brief", "--json").out)["complexity"] is None


def test_with_a_folder_the_picture_is_named_and_not_advertised(cli: Any, toys: Path) -> None:
    outcome = cli("data", "npz:small.npz", "-o", "look", "--brief")
    assert outcome.err.splitlines()[2:] == ["Picture: look/figures/examples.svg"]


def test_the_pictures_lie_in_the_folder_that_was_asked_for(cli: Any, toys: Path) -> None:
    printed = json.loads(cli("data", "npz:small.npz", "-o", "look", "--json").out)
    names = ["examples.svg", "variance.svg", "pixels-pca.svg", "pixels-tsne.svg"]
    assert printed["pictures"] == [f"look/figures/{name}" for name in names]
    assert sorted(cli.files("look")) == sorted(f"figures/{name}" for name in names)
    assert b"<svg" in Path("look/figures/examples.svg").read_bytes()


def test_maps_of_a_part_hold_all_classes_though_the_images_lie_in_their_order(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[np.ndarray] = []
    monkeypatch.setattr("layerwise.plots.maps.plot_map", lambda _, labels, *__, **___: drawn.append(labels))
    monkeypatch.setattr("layerwise.plots.saving.save_figure", lambda _, path: path)
    pixels = np.random.default_rng(0).integers(0, 256, (120, 1, 8, 8), dtype=np.uint8)
    np.savez("ordered.npz", x=pixels, y=np.repeat([0, 1, 2], 40))
    assert cli("data", "npz:ordered.npz", "--images", "50", "-o", "look").code == 0
    assert [len(labels) for labels in drawn] == [50, 50]
    assert all(set(labels) == {0, 1, 2} for labels in drawn)


def test_an_output_path_that_is_a_file_is_refused(cli: Any, toys: Path) -> None:
    assert cli.refusal("data", "npz:small.npz", "-o", "small.npz") == (
        "NotADirectoryError: small.npz/figures: Not a directory. Check the path.\n"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "shape",
            'UnknownNameError: no data set is named "shape". Did you mean "shapes"?\n'
            "    Expected one of: shapes, edges, digits, mnist1d, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, "
            "cifar100:DIR, svhn:DIR, folder:DIR, parquet:FILE|DIR, npz:FILE, npy:FILE|DIR, idx:DIR.\n",
        ),
        (
            "npz:small.npz?tst=0.5",
            'UnknownNameError: "npz:FILE" has no option "tst". Did you mean "test"?\n'
            "    Its options are limit, seed, test, validation.\n",
        ),
        ("npz:gone.npz", "FileError: no file gone.npz; expected a .npz file.\n"),
        (
            "npz:small.npz?validation=2",
            "OptionError: option validation=2: expected a number more than 0 and less than 1.\n",
        ),
    ],
)
def test_specs_that_mean_nothing_are_refused(cli: Any, toys: Path, spec: str, message: str) -> None:
    assert cli.refusal("data", spec) == message


def test_a_path_without_its_kind_is_told_its_kind(cli: Any, toys: Path) -> None:
    assert cli.refusal("data", "small.npz").startswith(
        'UnknownNameError: no data set is named "small.npz". Did you mean "npz:small.npz"?\n'
    )


def test_of_images_that_are_all_the_same_all_is_told_but_their_maps(cli: Any, toys: Path) -> None:
    np.savez("same.npz", x=np.full((80, 1, 8, 8), 7, np.uint8), y=np.arange(80) % 2)
    outcome = cli("data", "npz:same.npz", "-o", "look")
    assert outcome.code == 0
    assert "No maps: " in outcome.err
    assert "have the same values" in outcome.err


def test_pixels_whose_squares_are_no_numbers_are_refused(cli: Any, toys: Path) -> None:
    pixels = np.random.default_rng(0).random((80, 1, 8, 8)).astype(np.float32) * 1e30
    np.savez("huge.npz", x=pixels, y=np.arange(80) % 2)
    assert "whose squares are no numbers any more; scale them to the order of 1" in cli.refusal("data", "npz:huge.npz")


def test_all_kinds_of_images_are_listed_with_their_options(cli: Any, toys: Path) -> None:
    listed = json.loads(cli("data", "list", "--json").out)["images"]
    assert list(listed) == [source.form for source in SOURCES.values()]
    assert listed["digits"] == ["limit", "seed", "test", "validation"]
    shown = cli("data", "list").out
    assert "folder:DIR" in shown
    assert "Images, and options after a question mark: digits?limit=500" in shown


def test_the_number_of_threads_can_be_chosen(cli: Any, toys: Path) -> None:
    assert "--threads must be 1 to 1024; got 0." in cli.refusal("data", "npz:small.npz", "--threads", "0")
    assert cli("data", "npz:small.npz", "--brief", "--threads", "1").code == 0
