import json

import pytest
import torch
from torch import nn

from layerwise.errors import FileError, InputError, ModelError
from layerwise.models.catalog import load_model
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.saved import ModelDescription, fingerprint, read_model, save_model

DESCRIPTION = ModelDescription(
    spec="resnet20",
    num_classes=2,
    image_shape=(1, 32, 32),
    class_names=("circle", "square"),
    preprocessing=Preprocessing(mean=(0.5,), std=(0.25,)),
)


@pytest.fixture
def model():
    return load_model("resnet20", num_classes=2, in_channels=1, seed=4)


def test_a_network_comes_back_with_its_weights_and_description(tmp_path, model):
    save_model(tmp_path, model, DESCRIPTION)
    saved = read_model(tmp_path)
    assert saved.description == DESCRIPTION
    assert fingerprint(saved.model) == fingerprint(model)
    assert not saved.model.training
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(saved.model(images), model.eval()(images))


def test_the_files_can_be_read_by_others(tmp_path, model):
    save_model(tmp_path, model, DESCRIPTION)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    assert json.loads((tmp_path / "model.json").read_text()) == {
        "spec": "resnet20",
        "num_classes": 2,
        "image_shape": [1, 32, 32],
        "class_names": ["circle", "square"],
        "preprocessing": {"mean": [0.5], "std": [0.25]},
        "in_channels": 1,
    }


def test_weights_that_are_shared_come_back(tmp_path):
    def make(seed):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        network[1].weight = network[0].weight
        return network

    network = make(seed=1)
    save_model(tmp_path, network, ModelDescription(None, 2, (2, 1, 1), ("a", "b")))
    again = read_model(tmp_path, make(seed=2)).model
    assert fingerprint(again) == fingerprint(network)
    assert again[1].weight is again[0].weight


def test_weights_of_other_memory_layouts_come_back(tmp_path, model):
    save_model(tmp_path, model.to(memory_format=torch.channels_last), DESCRIPTION)
    assert fingerprint(read_model(tmp_path).model) == fingerprint(model)


def test_a_network_made_in_python_has_to_be_given(tmp_path):
    save_model(tmp_path, nn.Linear(2, 2), ModelDescription(None, 2, (2, 1, 1), ("a", "b")))
    with pytest.raises(InputError) as caught:
        read_model(tmp_path)
    assert str(caught.value) == (
        f"the network in {tmp_path} was made in Python, so no name rebuilds it.\n"
        "    Give the network: --model FILE.py:NAME (model=...)."
    )


def test_a_file_that_the_folder_names_is_run_only_for_who_trusts_it(tmp_path):
    program, marker = tmp_path / "net.py", tmp_path / "was-run"
    program.write_text(
        "from pathlib import Path\n"
        "from torch import nn\n"
        f"Path({str(marker)!r}).touch()\n"
        "def net(num_classes):\n"
        "    return nn.Linear(2, num_classes)\n"
    )
    run, network = tmp_path / "run", nn.Linear(2, 2)
    save_model(run, network, ModelDescription(f"{program}:net", 2, (2, 1, 1), ("a", "b")))
    with pytest.raises(ModelError) as caught:
        read_model(run)
    assert str(caught.value) == (
        f"{run} names {program}:net as its network: this file would have to be run, and was not.\n"
        "    A run folder may come from a stranger, and a program can do anything. If you trust it: --trust-code "
        "(trust_code=True).\n    Or name a network of your own: --model FILE.py:NAME (model=...)."
    )
    assert fingerprint(read_model(run, nn.Linear(2, 2)).model) == fingerprint(network)
    assert not marker.exists()
    assert fingerprint(read_model(run, trust_code=True).model) == fingerprint(network)
    assert marker.exists()


def test_a_network_that_does_not_fit_the_run_is_told(tmp_path, model):
    save_model(tmp_path, model, DESCRIPTION)
    with pytest.raises(ModelError, match=r"^the weights in .*model\.safetensors do not fit Linear:"):
        read_model(tmp_path, nn.Linear(2, 2))


def test_a_folder_without_a_network_is_told(tmp_path):
    with pytest.raises(FileError) as caught:
        read_model(tmp_path)
    assert str(caught.value) == f"no file {tmp_path / 'model.json'}."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "KeyError: 'image_shape'"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
        (
            '{"spec": null, "num_classes": 3, "image_shape": [1, 8, 8], "class_names": ["a"], "preprocessing": null}',
            "InputError: 3 classes need as many names; got 1.",
        ),
    ],
)
def test_a_damaged_description_is_told(tmp_path, text, reason):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(FileError) as caught:
        read_model(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'model.json'} does not describe a network ({reason})."


def test_a_preprocessing_of_other_channels_is_refused():
    with pytest.raises(InputError) as caught:
        ModelDescription("resnet20", 1, (3, 8, 8), ("a",), Preprocessing(mean=(0.5,), std=(0.5,)))
    assert str(caught.value) == "images of 3 channels need a preprocessing of as many; got 1."


def test_the_fingerprint_knows_names_shapes_types_and_every_bit():
    def make(shape=(2, 3), value=0.0, dtype=torch.float32, name="weight"):
        network = nn.Module()
        network.register_buffer(name, torch.full(shape, value, dtype=dtype))
        return fingerprint(network)

    assert make() == make()
    assert len({make(), make((3, 2)), make(value=1e-45), make(dtype=torch.int32), make(name="bias")}) == 5


def test_the_fingerprint_does_not_depend_on_mode_gradients_or_memory_layout(model):
    before = fingerprint(model)
    model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    assert fingerprint(model) == before


def test_a_scalar_and_an_empty_tensor_have_a_fingerprint():
    network = nn.Module()
    network.register_buffer("count", torch.tensor(3))
    network.register_buffer("nothing", torch.zeros(0, 2))
    assert len(fingerprint(network)) == 64
