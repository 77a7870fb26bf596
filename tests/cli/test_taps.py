"""`layerwise taps`: the table of places, as a table and as JSON."""

from __future__ import annotations

import json

import pytest

from layerwise.cli.taps import taps
from layerwise.errors import InputError, UnknownNameError
from layerwise.models.catalog import known_models


def test_the_places_of_resnet18_are_printed_in_order_with_parameters_and_macs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    taps("resnet18")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "resnet18: 11 taps, 11,181,642 parameters, 37,016,576 MACs an image"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert rows[0] == ["0", "input", "3×32×32", "3072", "0", "0"]
    assert rows[1] == ["1", "conv1", "64×16×16", "16384", "9,408", "2,408,448"]
    assert rows[-1] == ["10", "softmax", "10", "10", "5,130", "37,016,576"]


def test_named_places_come_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    taps("resnet20", place="layer1.0.add, layer1", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert [tap["name"] for tap in printed["taps"]] == ["input", "layer1.0.add", "layer1", "softmax"]
    assert printed["taps"][2]["shape"] == "16×32×32"
    assert printed["skipped"] == {}


def test_unknown_places_and_sizes_are_refused() -> None:
    with pytest.raises(UnknownNameError, match='no tap named "layr1" in CifarResNet'):
        taps("resnet20", place="layr1")
    with pytest.raises(InputError, match="at least 1 and --num-classes at least 2; got 0, 3 and 10"):
        taps("resnet20", image_size=0)


def test_all_networks_with_a_name_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    taps("list", as_json=True)
    assert json.loads(capsys.readouterr().out)["networks"] == list(known_models())
    taps("list")
    said = capsys.readouterr()
    assert said.out.splitlines() == list(known_models())
    assert "timm/NAME, where timm is installed, and your own: FILE.py:NAME" in said.err
