import argparse

import pytest
import torch
from torch import nn

from layerwise.errors import FileError, ModelError
from layerwise.models.catalog import load_model
from layerwise.models.loading import LoadReport, load_weights


class Net(nn.Module):
    def __init__(self, *, classes=2, tied=False):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        self.head = nn.Linear(3, classes)
        if tied:
            self.twin = nn.Linear(3, classes)
            self.twin.weight = self.head.weight


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weights.pt"


def same_weights(first, second):
    other = second.state_dict()
    return all(torch.equal(value, other[name]) for name, value in first.state_dict().items())


def save(model, file, *, prefix="", **beside):
    torch.save({"state_dict": {f"{prefix}{k}": v for k, v in model.state_dict().items()}, **beside}, file)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "_orig_mod.", "module.model._orig_mod.", "net.backbone."])
def test_a_prefix_is_taken_off_when_the_rest_then_fits(file, prefix):
    source, model = Net(), Net()
    save(source, file, prefix=prefix)
    assert load_weights(model, file).prefix == prefix.replace("_orig_mod.", "") or prefix == "_orig_mod."
    assert same_weights(model, source)


def test_a_prefix_that_is_part_of_the_network_stays(file):
    source, model = nn.ModuleDict({"model": Net()}), nn.ModuleDict({"model": Net()})
    save(source, file)
    assert load_weights(model, file) == LoadReport(path=file)
    assert same_weights(model, source)


def test_parts_that_were_compiled_are_recognised_on_both_sides(file):
    source = Net()
    names = {name.replace("body.", "body._orig_mod."): value for name, value in source.state_dict().items()}
    torch.save(names, file)
    model = Net()
    load_weights(model, file)
    assert same_weights(model, source)
    compiled = torch.nn.Module()
    compiled._orig_mod = Net()
    torch.save(source.state_dict(), file)
    load_weights(compiled, file)
    assert same_weights(compiled._orig_mod, source)


def test_a_lightning_checkpoint_is_read_and_what_is_not_the_network_is_reported(file):
    source, model = Net(), Net()
    content = {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {**{f"model.{k}": v for k, v in source.state_dict().items()}, "loss.weight": torch.ones(2)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}}],
        "hyper_parameters": argparse.Namespace(rate=0.1),
    }
    torch.save(content, file)
    report = load_weights(model, file)
    assert same_weights(model, source)
    assert report == LoadReport(file, prefix="model.", ignored=("argparse.Namespace",), unused=("loss.weight",))
    assert report.describe() == (
        f'left out of {file}, and not run: argparse.Namespace. left out of {file}, not under "model.": loss.weight.'
    )


def test_of_two_networks_that_fit_the_one_with_the_shorter_prefix_is_read(file):
    average, source, model = Net(), Net(), Net()
    weights = {f"ema_model.{k}": v for k, v in average.state_dict().items()}
    torch.save({**weights, **{f"model.{k}": v for k, v in source.state_dict().items()}}, file)
    report = load_weights(model, file)
    assert same_weights(model, source)
    assert report.unused == tuple(weights)


def test_a_report_of_nothing_left_out_says_nothing(file):
    save(Net(), file, epoch=3)
    assert load_weights(Net(), file).describe() == ""


def test_all_faults_are_told_at_once_and_the_network_stays_as_it_was(file):
    weights = Net(classes=5).state_dict()
    weights["body.0.wieght"] = weights.pop("body.0.weight")
    torch.save(weights, file)
    model = Net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_weights(model, file)
    assert str(caught.value) == (
        f"the weights in {file} do not fit Net:\n"
        '    1 missing in the file: body.0.weight (Did you mean "body.0.wieght"?)\n'
        "    1 unknown to the network: body.0.wieght\n"
        "    2 of another shape: head.weight is 5×3 in the file, 2×3 in the network; "
        "head.bias is 5 in the file, 2 in the network\n"
        "    The file's network has 5 classes, this one 2: give num_classes=5, or images of 5 classes."
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_weights_of_another_network_are_told_in_a_few_lines(file):
    torch.save(load_model("resnet20", num_classes=10).state_dict(), file)
    with pytest.raises(ModelError) as caught:
        load_weights(Net(), file)
    lines = str(caught.value).splitlines()
    assert lines[1] == (
        "    8 missing in the file: body.0.weight; body.0.bias; body.1.weight; body.1.bias; body.1.running_mean; "
        "and 3 more"
    )
    assert lines[2].startswith("    116 unknown to the network: conv1.weight; bn1.weight; ")
    assert len(lines) == 3


def test_batch_norms_of_old_files_without_a_count_are_read(file):
    source, model = Net(), Net()
    torch.save({k: v for k, v in source.state_dict().items() if not k.endswith("num_batches_tracked")}, file)
    load_weights(model, file)
    assert same_weights(model, source)


def test_weights_that_are_shared_may_come_once(file):
    source, model = Net(tied=True), Net(tied=True)
    weights = source.state_dict()
    del weights["twin.weight"]
    torch.save(weights, file)
    load_weights(model, file)
    assert same_weights(model, source)
    assert model.twin.weight is model.head.weight


def test_the_old_names_of_torchvisions_densenet_are_read(file):
    source = load_model("densenet121", num_classes=2, seed=1)
    weights = {}
    for name, value in source.state_dict().items():
        for part in ("norm", "relu", "conv"):
            name = name.replace(f".{part}1.", f".{part}.1.").replace(f".{part}2.", f".{part}.2.")
        weights[name] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in weights
    torch.save(weights, file)
    model = load_model("densenet121", num_classes=2, seed=2)
    load_weights(model, file)
    assert same_weights(model, source)


def test_the_older_names_of_torchvisions_transformers_are_read(file):
    source, model = nn.Module(), nn.Module()
    from layerwise._torchvision import torchvision

    block = torchvision.models.vision_transformer.MLPBlock
    source.mlp, model.mlp = block(2, 4, 0.0), block(2, 4, 0.0)
    weights = {
        k.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): v
        for k, v in source.state_dict().items()
    }
    assert "mlp.linear_1.weight" in weights
    torch.save(weights, file)
    load_weights(model, file)
    assert same_weights(model, source)


def test_half_precision_weights_become_those_of_the_network(file):
    source, model = Net(), Net()
    torch.save({name: value.half() for name, value in source.state_dict().items()}, file)
    load_weights(model, file)
    assert model.head.weight.dtype == torch.float32
    assert torch.equal(model.head.weight, source.head.weight.half().float())


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileError) as caught:
        load_weights(Net(), tmp_path / "none.pt")
    assert str(caught.value) == f"no file {tmp_path / 'none.pt'}."
