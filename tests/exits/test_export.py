"""The exported file gives what the network gives, stops where it stops, and says what it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from exits.test_routing import halving
from exits.toys import small_exits, some_images
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MarginAbove, MaxProbabilityAbove, Patience
from layerwise.errors import DataError, FileError, InputError, MissingExtraError, NonFiniteError, ShapeError
from layerwise.exits.export import OnnxExits, export_onnx
from layerwise.exits.network import ExitNetwork
from layerwise.models.preprocessing import Preprocessing
from layerwise.seeds import stream

pytestmark = pytest.mark.slow

IMAGES = some_images(24, size=8)
PIXELS = IMAGES.batch(slice(0, 24))


def tiny_exits(preprocessing: Preprocessing | None = None) -> ExitNetwork:
    """Three exits in a network that is exported in seconds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)]
        model = nn.Sequential(*layers).eval()
    return ExitNetwork(model, IMAGES, ["0", "1", "3"], preprocessing=preprocessing).eval()


def test_a_residual_network_gives_what_it_gives(tmp_path: Path) -> None:
    net = small_exits()
    policy = halving(EntropyBelow(0), net, IMAGES)
    export_onnx(net, tmp_path / "net.onnx", policy)
    exported, expected = OnnxExits(tmp_path / "net.onnx"), net.predict(IMAGES, policy)
    for pixels, logits, left in zip(PIXELS, expected.logits, expected.exit, strict=True):
        found, found_exit = exported.predict(pixels)
        assert found_exit == left
        np.testing.assert_allclose(found, logits, atol=1e-5)


@pytest.mark.parametrize("family", [EntropyBelow(0), MaxProbabilityAbove(0), MarginAbove(0)], ids=str)
def test_the_file_gives_what_the_network_gives_and_leaves_where_it_leaves(family: ExitPolicy, tmp_path: Path) -> None:
    net = tiny_exits(Preprocessing((0.4,), (0.3,)))
    policy = halving(family, net, IMAGES)
    export_onnx(net, tmp_path / "net.onnx", policy, class_names=["a", "b", "c"])
    exported = OnnxExits(tmp_path / "net.onnx", class_names=["a", "b", "c"])
    assert exported.names == net.names
    expected = net.predict(IMAGES, policy)
    assert len(set(expected.exit.tolist())) > 2
    for pixels, logits, left in zip(PIXELS, expected.logits, expected.exit, strict=True):
        found, found_exit = exported.predict(pixels)
        assert found_exit == left
        np.testing.assert_allclose(found, logits, atol=1e-5)


def test_thresholds_are_an_input(tmp_path: Path) -> None:
    net = tiny_exits()
    export_onnx(net, tmp_path / "net.onnx", MaxProbabilityAbove(0.9))
    exported = OnnxExits(tmp_path / "net.onnx")
    assert exported.class_names == ("0", "1", "2")
    np.testing.assert_allclose(exported.thresholds, [0.9, 0.9, 0.9])
    for index in range(4):
        thresholds = np.array([0.0 if e == index else 2.0 for e in range(3)])
        logits, left = exported.predict(PIXELS[0], thresholds)
        assert left == index
        np.testing.assert_allclose(logits, net.all_logits(PIXELS[:1])[index, 0], atol=1e-5)


def test_what_cannot_be_exported_or_opened_is_refused(tmp_path: Path) -> None:
    net, path = tiny_exits(), tmp_path / "net.onnx"
    with pytest.raises(InputError, match="Patience cannot be exported: it looks back at earlier exits"):
        export_onnx(net, path, Patience(1))
    with pytest.raises(ShapeError, match="the network has 3 exits before the last"):
        export_onnx(net, path, EntropyBelow([0.1, 0.1]))
    with pytest.raises(InputError, match="thresholds for each class cannot be exported"):
        export_onnx(net, path, EntropyBelow(((0.1,) * 3,) * 3))
    with pytest.raises(InputError, match="3 classes need a list of as many different names; got"):
        export_onnx(net, path, EntropyBelow(0.1), class_names=["a", "b"])
    assert not path.exists()
    with pytest.raises(FileError, match=r"no file .*net.onnx"):
        OnnxExits(path)
    path.write_bytes(b"no network")
    with pytest.raises(FileError, match="is not a file that `layerwise exits export` wrote"):
        OnnxExits(path)
    export_onnx(net, path, EntropyBelow(0.1), class_names=["a", "b", "c"])
    message = "was exported with the classes a, b, c; given were a, c, b.\n    Give the names in the order"
    with pytest.raises(InputError, match=re.escape(message)):
        OnnxExits(path, class_names=["a", "c", "b"])
    with pytest.raises(NonFiniteError, match="the image holds NaN"):
        OnnxExits(path).predict(np.full((1, 8, 8), np.nan))
    with pytest.raises(NonFiniteError, match="or a threshold is NaN"):
        OnnxExits(path).predict(np.zeros((1, 8, 8)), np.array([0.1, np.nan, 0.1]))
    with pytest.raises(DataError, match=r"floats in \[0, 1\] or bytes \(uint8\); got int64"):
        OnnxExits(path).predict(np.zeros((1, 8, 8), np.int64))
    with pytest.raises(ShapeError, match=r"an image \(1, 8, 8\) and 3 thresholds are needed; got"):
        OnnxExits(path).predict(np.zeros((1, 9, 9)))


def test_bytes_are_scaled_as_the_network_scales_them(tmp_path: Path) -> None:
    net, path = tiny_exits(), tmp_path / "net.onnx"
    export_onnx(net, path, EntropyBelow(0.1))
    pixels = stream(0, "bytes").integers(0, 256, (1, 8, 8), np.uint8)
    logits, left = OnnxExits(path).predict(pixels)
    expected = net.predict(pixels[None], EntropyBelow(0.1))
    np.testing.assert_allclose(logits, expected.logits[0], atol=1e-5)
    assert left == expected.exit[0]


def test_no_file_but_an_onnx_file_is_replaced(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    with pytest.raises(FileError, match="is there already, and is no"):
        export_onnx(tiny_exits(), weights, EntropyBelow(0.1))
    assert weights.read_bytes() == b"weights"
    with pytest.raises(FileError, match="is a folder; an ONNX file is to be written"):
        export_onnx(tiny_exits(), tmp_path, EntropyBelow(0.1))


def test_packages_that_are_missing_say_how_to_install_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    advice = re.escape("pip install 'layerwise[onnx]'")
    with pytest.raises(MissingExtraError, match=advice):
        export_onnx(tiny_exits(), tmp_path / "net.onnx", EntropyBelow(0.1))
    with pytest.raises(MissingExtraError, match=advice):
        OnnxExits(tmp_path / "net.onnx")
