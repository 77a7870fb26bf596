import argparse
import sys

import pytest
import torch

from layerwise.errors import InputError, MissingExtraError, ModelError, UnknownNameError
from layerwise.models.catalog import known_models, load_model


@pytest.mark.parametrize(
    ("name", "size"),
    [("resnet20", 32), ("resnet18-cifar", 32), ("report-cnn", 32), ("resnet18", 64), ("squeezenet1_1", 64)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_name_gives_a_network_for_the_classes_and_channels(name, size, channels):
    network = load_model(name, num_classes=6, in_channels=channels)
    assert network.training
    assert network.eval()(torch.zeros(2, channels, size, size)).shape == (2, 6)


def test_timm_networks_are_made_for_the_classes_and_channels():
    network = load_model("timm/resnet10t", num_classes=6, in_channels=1).eval()
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 6)


def test_networks_with_auxiliary_heads_give_logits_while_they_train():
    network = load_model("googlenet", num_classes=6)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 6)


@pytest.mark.parametrize("name", ["resnet20", "resnet18", "report-cnn", "timm/resnet10t"])
def test_the_seed_matters_and_suffices(name):
    def weights(seed):
        return torch.cat([p.flatten() for p in load_model(name, num_classes=3, seed=seed).parameters()])

    first = weights(seed=1)
    torch.manual_seed(123)
    assert torch.equal(weights(seed=1), first)
    assert not torch.equal(weights(seed=2), first)


def test_two_models_do_not_draw_from_one_global_generator():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model("resnet20", num_classes=10, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_the_names_are_ours_and_torchvisions_and_each_occurs_once():
    names = known_models()
    assert names[:3] == ("resnet18-cifar", "resnet8", "resnet14")
    assert {"resnet18", "vit_b_16", "swin_t"} <= set(names)
    assert not {"fasterrcnn_resnet50_fpn", "fcn_resnet50", "r3d_18"} & set(names)
    assert len(set(names)) == len(names)


def test_an_unknown_name_is_told_with_near_names():
    with pytest.raises(UnknownNameError) as caught:
        load_model("resnet19", num_classes=10)
    assert str(caught.value) == (
        'no network named "resnet19". Did you mean "resnet18" or "resnet14" or "resnet152"?\n'
        "    Give one of resnet18-cifar, resnet8, resnet14, resnet20, resnet56, resnet110, report-cnn, simple-cnn, "
        "wider-cnn, deeper-cnn, three-layer-cnn, two-layer-mlp, three-layer-mlp, mnist1d-cnn, mnist1d-mlp, "
        "a name of torchvision (resnet18), timm/NAME, or FILE.py:NAME."
    )


def test_an_unknown_name_of_timm_is_told_with_near_names():
    with pytest.raises(UnknownNameError) as caught:
        load_model("timm/resnet10tt", num_classes=10)
    assert str(caught.value).startswith('timm has no network named "resnet10tt". Did you mean "resnet10t"')


def test_a_missing_timm_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError) as caught:
        load_model("timm/resnet10t", num_classes=10)
    assert str(caught.value) == (
        "the network timm/resnet10t needs timm, which is not installed.\n    Install it: pip install 'layerwise[timm]'"
    )


def test_no_classes_or_no_channels_are_refused():
    with pytest.raises(InputError) as caught:
        load_model("resnet20", num_classes=0)
    assert str(caught.value) == "num_classes must be at least 1; got 0."
    with pytest.raises(InputError) as caught:
        load_model("resnet20", num_classes=1, in_channels=-1)
    assert str(caught.value) == "in_channels must be at least 1; got -1."


def test_weights_are_loaded_and_what_was_left_out_is_warned_of(tmp_path):
    source = load_model("resnet20", num_classes=4, seed=7)
    file = tmp_path / "weights.pt"
    torch.save({"state_dict": source.state_dict(), "options": argparse.Namespace(rate=0.1)}, file)
    with pytest.warns(UserWarning, match="Namespace") as caught:
        network = load_model("resnet20", num_classes=4, weights=file)
    assert [str(warning.message) for warning in caught] == [f"left out of {file}, and not run: argparse.Namespace."]
    assert torch.equal(network.linear.weight, source.linear.weight)


def test_weights_of_another_number_of_classes_say_which(tmp_path):
    file = tmp_path / "weights.pt"
    torch.save(load_model("resnet20", num_classes=4).state_dict(), file)
    with pytest.raises(ModelError) as caught:
        load_model("resnet20", num_classes=6, weights=file)
    assert str(caught.value) == (
        f"the weights in {file} do not fit CifarResNet:\n"
        "    2 of another shape: linear.weight is 4×64 in the file, 6×64 in the network; "
        "linear.bias is 4 in the file, 6 in the network\n"
        "    The file's network has 4 classes, this one 6: give num_classes=4, or images of 4 classes."
    )
