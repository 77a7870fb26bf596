import subprocess
import sys

import pytest
import torch

import layerwise._torchvision as guarded


def test_models_transforms_data_sets_and_feature_extraction_can_be_used():
    from layerwise._torchvision import feature_extraction, torchvision

    network = torchvision.models.get_model("squeezenet1_1", weights=None, num_classes=2)
    assert feature_extraction.get_graph_node_names(network.eval())[1][0] == "x"
    assert torchvision.transforms.functional.hflip(torch.tensor([[1, 2]])).tolist() == [[2, 1]]
    assert torchvision.datasets.CIFAR10.__name__ == "CIFAR10"


@pytest.mark.slow
def test_torchvision_is_imported_when_it_is_needed_and_before_timm():
    program = (
        "import sys, layerwise._torchvision, layerwise.models.catalog as catalog; print('torchvision' in sys.modules)\n"
        "catalog.load_model('timm/resnet10t', num_classes=2); print('torchvision' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\nTrue\n"


def test_another_error_of_torchvision_is_not_swallowed(monkeypatch):
    def fail(name):
        raise RuntimeError("torchvision was built for another torch")

    monkeypatch.setattr(guarded.importlib, "import_module", fail)
    monkeypatch.setattr(guarded, "_declared", [])
    with pytest.raises(RuntimeError, match=r"^torchvision was built for another torch$"):
        guarded.ensure_importable()
    assert guarded._declared == []


def test_the_operators_are_declared_only_when_their_absence_is_met(monkeypatch):
    monkeypatch.setattr(guarded.importlib, "import_module", lambda name: None)
    monkeypatch.setattr(guarded, "_declared", [])
    guarded.ensure_importable()
    assert guarded._declared == []


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'layerwise._torchvision' has no attribute 'torchaudio'$"):
        _ = guarded.torchaudio
