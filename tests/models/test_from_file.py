import sys

import pytest
import torch
from torch import nn

from layerwise.errors import FileError, ModelError, UnknownNameError
from layerwise.models.catalog import load_model
from layerwise.models.from_file import is_file_spec

FILE = """
from torch import nn
import sizes

class Small(nn.Module):
    def __init__(self, num_classes, in_channels=3, width=sizes.WIDTH):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 1)
        self.linear = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.linear(self.conv(x).mean((2, 3)))

def fixed():
    return Small(4)

def passes_on(**options):
    return Small(**options)

def demanding(num_classes, growth, *, depth):
    return Small(num_classes)

def broken(num_classes):
    raise KeyError("growth")

def no_network(num_classes):
    return num_classes

ready = Small(5)
number = 7
_hidden = Small(1)
"""

DEFINED = "Small, fixed, passes_on, demanding, broken, no_network, ready"


@pytest.fixture
def nets(tmp_path):
    (tmp_path / "sizes.py").write_text("WIDTH = 2\n")
    file = tmp_path / "nets.py"
    file.write_text(FILE)
    yield file
    sys.modules.pop("sizes", None)


@pytest.mark.parametrize(("name", "classes"), [("Small", 6), ("fixed", 4), ("passes_on", 6), ("ready", 5)])
def test_classes_functions_and_networks_of_a_file_are_loaded(nets, name, classes):
    network = load_model(f"{nets}:{name}", num_classes=6)
    assert isinstance(network, nn.Module)
    assert network(torch.zeros(2, 3, 4, 4)).shape == (2, classes)


def test_the_channels_are_given_to_what_takes_them(nets):
    assert load_model(f"{nets}:Small", num_classes=6, in_channels=1).conv.in_channels == 1


def test_networks_of_a_file_are_seeded_too(nets):
    first, again, other = (load_model(f"{nets}:ready", num_classes=5, seed=seed).conv.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_import_path_is_as_before(nets):
    before = list(sys.path)
    load_model(f"{nets}:Small", num_classes=6)
    assert sys.path == before


def test_a_colon_alone_does_not_make_a_file():
    assert is_file_spec("a/b.py:net")
    assert is_file_spec("C:\\nets.py:net")
    assert not is_file_spec("timm/net:b")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("{}:big", UnknownNameError, '{} defines no "big".\n    {} defines: ' + DEFINED + "."),
        (
            "{}:small",
            UnknownNameError,
            '{} defines no "small". Did you mean "Small"?\n    {} defines: ' + DEFINED + ".",
        ),
        (
            "{}",
            UnknownNameError,
            "{} needs the name of a network after a colon: {}:NAME.\n    {} defines: " + DEFINED + ".",
        ),
        (
            "{}:number",
            ModelError,
            '"number" in {} is of type int; a network, or what makes one, is needed.\n    {} defines: ' + DEFINED + ".",
        ),
        (
            "{}:demanding",
            ModelError,
            "{}:demanding needs growth, depth, which layerwise cannot know.\n"
            "    Give them defaults, or name a function that makes the network: def network(num_classes): …",
        ),
        ("{}:broken", ModelError, "{}:broken(num_classes=6) fails: KeyError: 'growth'"),
        ("{}:no_network", ModelError, "{}:no_network gives an object of type int; a torch.nn.Module is needed."),
    ],
)
def test_what_cannot_be_used_is_told(nets, spec, error, message):
    with pytest.raises(error) as caught:
        load_model(spec.replace("{}", str(nets)), num_classes=6)
    assert str(caught.value) == message.replace("{}", str(nets))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileError) as caught:
        load_model(f"{tmp_path}/none.py:net", num_classes=6)
    assert str(caught.value) == f"no file {tmp_path}/none.py. A network of your own is written FILE.py:NAME."


def test_a_file_that_fails_is_told_and_forgotten(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text("import nothing_of_this_name")
    before = set(sys.modules)
    with pytest.raises(ModelError) as caught:
        load_model(f"{file}:net", num_classes=6)
    assert str(caught.value) == (
        f"{file} fails when it is run: ModuleNotFoundError: No module named 'nothing_of_this_name'"
    )
    assert set(sys.modules) == before


def test_a_file_without_networks_is_told(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text("from torch import nn\n")
    with pytest.raises(UnknownNameError) as caught:
        load_model(f"{file}:net", num_classes=6)
    assert str(caught.value) == f'{file} defines no "net".\n    {file} defines no function, class or network.'
