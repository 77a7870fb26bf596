"""Files that are missing or cut in the middle: a message that names them, and nothing else happens."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

pytestmark = pytest.mark.slow

RUN_ADVICE = "    Measure it again: layerwise difficulty measured\n"


def cut(path: str) -> None:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


def save_parquet() -> None:
    Path("table").mkdir()
    for split in ("train", "test"):
        images = [{"bytes": b"never decoded", "path": f"{n}.png"} for n in range(4)]
        pd.DataFrame({"image": images, "label": [0, 1, 0, 1]}).to_parquet(f"table/{split}.parquet")


def save_idx() -> None:
    Path("idx").mkdir()
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (4, 8, 8))
    with gzip.open("idx/train-images-idx3-ubyte.gz", "wb") as file:
        file.write(header + bytes(range(256)))
    Path("idx/train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1]))


def save_folder() -> None:
    for n in range(8):
        path = Path("photos", ("cat", "dog")[n % 2], f"{n}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(n).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(path)


def test_missing_files_of_every_kind_are_named(cli: Any, toys: Path) -> None:
    expected = {
        "npz:gone.npz": "FileError: no file gone.npz; expected a .npz file.\n",
        "npy:gone.npy": "FileError: no file gone.npy.\n",
        "parquet:gone": "FileError: no file or folder gone; expected a Parquet file, or a folder of them.\n",
        "folder:gone": "FileError: no folder gone; expected one that holds a folder of images for each class.\n",
        "idx:gone": (
            "FileError: no idx files in gone; expected train-images-idx3-ubyte and train-labels-idx1-ubyte, "
            "t10k-… likewise, plain or .gz.\n"
        ),
    }
    assert {spec: cli.refusal("data", spec) for spec in expected} == expected


def test_a_truncated_npz_is_named(cli: Any, toys: Path) -> None:
    cut("small.npz")
    assert cli.refusal("data", "npz:small.npz") == (
        "FileError: small.npz is truncated, or is not a .npz file (File is not a zip file).\n"
    )


def test_a_truncated_npy_is_named(cli: Any, toys: Path) -> None:
    np.save("digits.npy", {"x": np.zeros((6, 4, 4)), "y": [0, 1] * 3}, allow_pickle=True)  # type: ignore[arg-type]
    assert cli("data", "npy:digits.npy").code == 0
    cut("digits.npy")
    assert cli.refusal("data", "npy:digits.npy") == (
        "FileError: digits.npy is truncated, or does not hold arrays of numbers (pickle data was truncated).\n"
    )


def test_a_truncated_parquet_table_is_named(cli: Any, toys: Path) -> None:
    save_parquet()
    cut("table/test.parquet")
    message = cli.refusal("data", "parquet:table")
    assert message.startswith("FileError: table/test.parquet ")
    assert "truncated" in message


def test_truncated_idx_files_are_named(cli: Any, toys: Path) -> None:
    save_idx()
    assert cli("data", "idx:idx").code == 0
    cut("idx/train-images-idx3-ubyte.gz")
    assert cli.refusal("data", "idx:idx") == (
        "FileError: idx/train-images-idx3-ubyte.gz cannot be read, or is truncated "
        "(Compressed file ended before the end-of-stream marker was reached).\n"
    )
    save_again = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (4, 8, 8)) + bytes(100)
    Path("idx/train-images-idx3-ubyte.gz").unlink()
    Path("idx/train-images-idx3-ubyte").write_bytes(save_again)
    assert cli.refusal("data", "idx:idx") == (
        "FileError: idx/train-images-idx3-ubyte has 116 bytes, its header says 272; it is truncated or overwritten.\n"
    )


def test_a_truncated_image_in_a_folder_is_named(cli: Any, toys: Path) -> None:
    save_folder()
    assert cli("data", "folder:photos").code == 0
    cut("photos/cat/2.png")
    message = cli.refusal("data", "folder:photos")
    assert message.startswith("FileError: 1 of 8 images in photos cannot be decoded; replace or remove them:\n")
    assert "    - photos/cat/2.png: " in message


@pytest.mark.parametrize("file", ["weights.pth", "weights.safetensors"])
def test_missing_and_truncated_weights_are_named(cli: Any, toys: Path, file: str) -> None:
    command = ["difficulty", "--model", "net.py:net", "--weights", file, "--data", "npz:small.npz", "-o", "run"]
    assert cli.refusal(*command) == f"FileError: no file {file}.\n"
    if file.endswith(".pth"):
        torch.save({"4.weight": torch.zeros(3, 144), "4.bias": torch.zeros(3)}, file)
    else:
        shutil.copy("trained/model.safetensors", file)
    cut(file)
    kind = "is a torch file that is truncated or damaged (" if file.endswith(".pth") else "is truncated or is not a saf"
    assert cli.refusal(*command).startswith(f"FileError: {file} {kind}")


def test_a_run_without_its_network_is_no_run(cli: Any, toys: Path) -> None:
    Path("trained/model.json").unlink()
    assert cli.refusal("difficulty", "trained", "--trust-code") == (
        "RunError: trained holds no trained network.\n    Train one: layerwise train MODEL DATA -o trained. "
        "Or name one: layerwise difficulty --model MODEL --weights FILE --data DATA -o trained\n"
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("run.json", "FileError: trained/run.json is not JSON, or is truncated ("),
        ("model.json", "FileError: trained/model.json is not JSON, or is truncated ("),
        ("model.safetensors", "FileError: trained/model.safetensors is truncated or is not a safetensors file ("),
    ],
)
def test_truncated_files_of_a_trained_run_are_named(cli: Any, toys: Path, file: str, message: str) -> None:
    cut(f"trained/{file}")
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "FileError: trained/run.json does not describe a run. Choose another folder, or remove this one.\n"),
        (
            '{"format": 1, "steps": {"train": 3}}',
            "FileError: trained/run.json does not describe a run. Choose another folder, or remove this one.\n",
        ),
        (
            '{"format": 1, "steps": {"train": {"data": "npz:small.npz"}}}',
            "FileError: trained/run.json does not say data_seed, validation, data_fingerprint.\n"
            "    Name the data to use: --data DATA\n",
        ),
    ],
)
def test_a_run_json_that_says_something_else_is_refused(cli: Any, toys: Path, content: str, message: str) -> None:
    Path("trained/run.json").write_text(content)
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == message


def test_a_model_json_that_lacks_something_is_refused(cli: Any, toys: Path) -> None:
    Path("trained/model.json").write_text('{"spec": "net.py:net"}')
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == (
        "FileError: trained/model.json does not describe a network (KeyError: 'image_shape').\n"
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("votes.npy", "FileError: measured/votes.npy is not a NumPy array, or is truncated ("),
        ("neighbors.npy", "FileError: measured/neighbors.npy is not a NumPy array, or is truncated ("),
        ("thumbnails.npy", "FileError: measured/thumbnails.npy is not a NumPy array, or is truncated ("),
        ("examples.parquet", "FileError: measured/examples.parquet is not a Parquet table, or is truncated ("),
        ("taps.parquet", "FileError: measured/taps.parquet is not a Parquet table, or is truncated ("),
        ("base.parquet", "FileError: measured/base.parquet is not a Parquet table, or is truncated ("),
    ],
)
def test_a_report_of_truncated_files_is_not_written(cli: Any, toys: Path, file: str, message: str) -> None:
    cut(f"measured/{file}")
    written = cli.refusal("report", "measured")
    assert written.startswith(message)
    assert written.endswith(RUN_ADVICE)


def test_a_damaged_history_stops_no_measurement_and_the_report_says_so(cli: Any, toys: Path) -> None:
    Path("trained/history.parquet").write_bytes(b"half a table")
    assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 0
    assert cli("report", "trained").code == 0
    page = Path("trained/report.html").read_text()
    assert (
        "<p>history.parquet cannot be read: it is truncated, or of another kind. So there are no curves here. "
        "The command of the training, run again, writes it again from its checkpoint.</p>"
    ) in page
    assert Path("trained/votes.npy").read_bytes() == Path("measured/votes.npy").read_bytes()


@pytest.mark.parametrize("file", ["votes.npy", "examples.parquet", "taps.parquet"])
def test_a_report_without_what_it_is_about_is_not_written(cli: Any, toys: Path, file: str) -> None:
    Path("measured", file).unlink()
    assert cli.refusal("report", "measured") == (
        f"RunError: nothing measured in measured: no {file}.\n    Measure it first: layerwise difficulty measured\n"
    )


def test_votes_of_another_measurement_are_not_reported(cli: Any, toys: Path) -> None:
    votes = np.load("measured/votes.npy")
    np.save("measured/votes.npy", votes[:-1])
    assert cli.refusal("report", "measured") == (
        "RunError: measured holds parts of different measurements:\n"
        "    - votes.npy is int64 (19, 6); 20 examples and 6 taps need whole numbers (20, 6)\n" + RUN_ADVICE
    )
