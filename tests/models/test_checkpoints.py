import argparse
import os
import tarfile

import pytest
import safetensors.torch
import torch
from torch import nn

from layerwise.errors import FileError, UnsafeFileError
from layerwise.models.checkpoints import read_checkpoint

BEFORE_TORCH_1_6 = {"_use_new_zipfile_serialization": False}
WEIGHTS = {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([3.0])}


class Command:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def read_lists(path):
    return {name: tensor.tolist() for name, tensor in read_checkpoint(path).tensors.items()}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weights.pt"


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
@pytest.mark.parametrize(
    "content",
    [
        WEIGHTS,
        {"state_dict": WEIGHTS, "epoch": 3, "best_prec1": 91.8},
        {"model": WEIGHTS, "optimizer": {"state": {0: {"momentum": torch.zeros(2)}}, "param_groups": []}},
        {"net": WEIGHTS, "acc": 0.9},
        {"student": WEIGHTS, "epoch": 3},
        {"model": {"state_dict": WEIGHTS}},
        {**WEIGHTS, "epoch": 3},
    ],
)
def test_state_dicts_are_found_wherever_programs_put_them(file, content, options):
    torch.save(content, file, **options)
    assert read_lists(file) == {"weight": [[1.0, 2.0]], "bias": [3.0]}


def test_safetensors_are_read_whatever_the_file_is_called(tmp_path):
    for name in ("weights.safetensors", "weights.bin"):
        safetensors.torch.save_file(WEIGHTS, tmp_path / name)
        assert read_lists(tmp_path / name) == {"weight": [[1.0, 2.0]], "bias": [3.0]}


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
def test_objects_beside_the_tensors_are_left_out_and_named(file, options):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    content = {"state_dict": WEIGHTS, "options": argparse.Namespace(rate=0.1), "optimizer": optimizer}
    torch.save(content, file, **options)
    checkpoint = read_checkpoint(file)
    assert {name: tensor.tolist() for name, tensor in checkpoint.tensors.items()} == {
        "weight": [[1.0, 2.0]],
        "bias": [3.0],
    }
    assert checkpoint.ignored == ("argparse.Namespace", "torch.optim.sgd.SGD")


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_network_that_was_saved_whole_gives_its_state_dict(file, options):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()))
    network.register_buffer("passing", torch.zeros(1), persistent=False)
    torch.save({"epoch": 1, "model": network}, file, **options)
    tensors = read_checkpoint(file).tensors
    assert list(tensors) == list(network.state_dict())
    assert all(torch.equal(tensors[name], value) for name, value in network.state_dict().items())


def test_a_payload_beside_the_weights_is_not_executed_and_is_named(file, tmp_path):
    torch.save({"state_dict": WEIGHTS, "payload": Command(f"touch {tmp_path / 'trace'}")}, file)
    checkpoint = read_checkpoint(file)
    assert list(checkpoint.tensors) == ["weight", "bias"]
    assert checkpoint.ignored == (f"{os.system.__module__}.system",)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
def test_a_payload_instead_of_weights_is_refused_and_not_executed(file, tmp_path, options):
    torch.save(Command(f"touch {tmp_path / 'trace'}"), file, **options)
    with pytest.raises(UnsafeFileError) as caught:
        read_checkpoint(file)
    assert str(caught.value) == (
        f"{file} holds no weights that can be read without running the code it names: {os.system.__module__}.system.\n"
        "    Nothing was run. Save the weights where the file was made: torch.save(model.state_dict(), FILE)"
    )
    assert not (tmp_path / "trace").exists()


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_torchscript_program_is_refused(file):
    torch.jit.save(torch.jit.script(nn.Linear(2, 1)), file)
    with pytest.raises(UnsafeFileError) as caught:
        read_checkpoint(file)
    assert str(caught.value) == (
        f"{file} is a TorchScript program, which would have to be run.\n"
        "    Save its weights: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')"
    )


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
@pytest.mark.parametrize("payload", [None, argparse.Namespace(rate=0.1)])
def test_a_file_truncated_anywhere_is_told(file, options, payload):
    torch.save({"state_dict": {"weight": torch.zeros(50, 50)}, "payload": payload}, file, **options)
    content = file.read_bytes()
    for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.999):
        file.write_bytes(content[: max(3, int(share * len(content)))])
        with pytest.raises(FileError, match=r"is a torch file that is truncated or damaged \(.+\)\.$"):
            read_checkpoint(file)


def test_truncated_safetensors_are_told(tmp_path):
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(WEIGHTS, file)
    content = file.read_bytes()
    for size in (3, 20, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(FileError, match=r"is truncated or is not a safetensors file \(.+\)\.$"):
            read_checkpoint(file)


@pytest.mark.parametrize(
    "content", [b"epoch,loss\n1,0.5\n", b"\x89PNG\r\n\x1a\n", b"PKlayerwise", b"\x00" * 64, b"\x80"]
)
def test_a_file_of_another_kind_is_told(file, content):
    file.write_bytes(content)
    with pytest.raises(FileError, match=r"is neither a safetensors nor a torch file\.$|truncated or damaged"):
        read_checkpoint(file)


def test_the_message_names_the_file(file):
    file.write_text("epoch,loss")
    with pytest.raises(FileError) as caught:
        read_checkpoint(file)
    assert str(caught.value) == f"{file} is neither a safetensors nor a torch file."


def test_a_tar_archive_is_told(file):
    with tarfile.open(file, "w"):
        pass
    with pytest.raises(FileError, match=r"is a tar archive; a file of weights is needed \("):
        read_checkpoint(file)


def test_a_missing_file_an_empty_one_and_a_folder_are_told(tmp_path):
    empty = tmp_path / "empty.pt"
    empty.touch()
    for path, message in (
        (tmp_path / "none.pt", f"no file {tmp_path / 'none.pt'}."),
        (empty, f"{empty} is empty."),
        (tmp_path, f"{tmp_path} is a folder; a file of weights is needed (.safetensors, .pt, .pth, .ckpt)."),
    ):
        with pytest.raises(FileError) as caught:
            read_checkpoint(path)
        assert str(caught.value) == message


def test_a_torch_file_without_weights_says_what_it_holds(file):
    torch.save({"epoch": 3, "loss": [0.5]}, file)
    with pytest.raises(FileError) as caught:
        read_checkpoint(file)
    assert str(caught.value) == (
        f"{file} holds no weights, but a dict with the keys 'epoch', 'loss'. "
        "Save them with: torch.save(model.state_dict(), FILE)"
    )
