import collections
import functools
import os
import pickle

import pytest
import torch

from layerwise.models.inert_pickle import read_inert

BEFORE_TORCH_1_6 = {"_use_new_zipfile_serialization": False}


class Command:
    """Pickled, it asks its reader to run a program."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Calls:
    """Pickled, it asks its reader to call a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
def test_a_payload_is_not_executed_and_is_named(tmp_path, options):
    trace, file = tmp_path / "trace", tmp_path / "weights.pt"
    torch.save({"weight": torch.tensor([1.0, 2.0]), "payload": Command(f"touch {trace}")}, file, **options)
    torch.load(file, weights_only=False)
    assert trace.exists(), "the payload must be one that works"
    trace.unlink()
    content, names = read_inert(file)
    assert content["weight"].tolist() == [1.0, 2.0]
    assert names == (f"{os.system.__module__}.system",)
    assert not trace.exists()


@pytest.mark.parametrize("options", [{}, BEFORE_TORCH_1_6])
def test_plain_values_and_every_type_of_tensor_come_back_as_they_were(tmp_path, options):
    base = torch.arange(12.0).reshape(3, 4)
    content = {
        "view": base[1:, ::2],
        "transposed": base.t(),
        "types": [
            torch.ones(2, dtype=t) for t in (torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
        ],
        "parameter": torch.nn.Parameter(torch.tensor([3.0])),
        "empty": torch.zeros(0, 3),
        "number": torch.tensor(4),
        "plain": [1, 2.5, "text", b"bytes", None, True, (1, 2), {3}, complex(1, 2)],
        "ordered": collections.OrderedDict(a=1),
        "counted": collections.Counter("aab"),
        "default": collections.defaultdict(list, {"x": [1]}),
        "dtype": torch.float64,
        "shape": torch.Size([2, 3]),
        "device": torch.device("cpu"),
    }
    file = tmp_path / "content.pt"
    torch.save(content, file, **options)
    found, names = read_inert(file)
    assert names == ()
    for key in ("view", "transposed", "parameter", "empty", "number"):
        assert torch.equal(found[key], content[key].detach())
    for value, expected in zip(found["types"], content["types"], strict=True):
        assert value.dtype == expected.dtype
        assert torch.equal(value, expected)
    assert found["plain"] == content["plain"]
    assert found["ordered"] == content["ordered"]
    assert found["counted"] == {"a": 2, "b": 1}
    assert found["default"] == {"x": [1]}
    assert found["dtype"] is torch.float64
    assert found["shape"] == (2, 3)
    assert found["device"] == "cpu"


def test_objects_of_every_make_become_placeholders_that_keep_their_state(tmp_path):
    class_of_list = type("Options", (list,), {"__module__": __name__})
    class_of_dict = type("Table", (dict,), {"__module__": __name__})
    class_of_set = type("Bag", (set,), {"__module__": __name__})
    for made in (class_of_list, class_of_dict, class_of_set):
        globals()[made.__name__] = made
    content = [class_of_list([1]), class_of_dict(a=1), class_of_set({1}), functools.partial(sorted)]
    content[0].rate = 0.1
    file = tmp_path / "objects.pt"
    torch.save({"objects": content}, file)
    found, names = read_inert(file)
    assert found["objects"][0].state == {"rate": 0.1}
    assert names == (
        "builtins.sorted",
        "functools.partial",
        f"{__name__}.Bag",
        f"{__name__}.Options",
        f"{__name__}.Table",
    )


@pytest.mark.parametrize(
    "payload",
    [
        Calls(eval, "1 / 0"),
        Calls(exec, "raise SystemExit"),
        Calls(getattr, "text", "upper"),
        Calls(__import__, "antigravity"),
        Calls(torch.storage._load_from_bytes, pickle.dumps(Command("exit 1"))),
        Calls(torch.hub.load, "nobody/nothing", "net"),
    ],
)
def test_no_function_is_reached_by_its_name(tmp_path, payload):
    file = tmp_path / "payload.pt"
    torch.save({"payload": payload}, file)
    content, names = read_inert(file)
    assert type(content["payload"]).__mro__[1].__name__ == "Placeholder"
    assert len(names) == 1


def test_what_a_pickle_may_call_cannot_be_changed_by_it(tmp_path):
    # GLOBAL _rebuild_tensor_v2, then BUILD with (None, {"_build": 1}): sets an attribute of the function itself.
    program = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x06\x00\x00\x00_buildK\x01s\x86b."
    file = tmp_path / "changes.pt"
    torch.save({"name": "here"}, file, **BEFORE_TORCH_1_6)
    header = file.read_bytes()
    file.write_bytes(header.replace(_pickled({"name": "here"}), program))
    before = vars(torch._utils._rebuild_tensor_v2).copy()
    with pytest.raises(pickle.UnpicklingError, match=r"^the file tries to change _build of a function$"):
        read_inert(file)
    assert vars(torch._utils._rebuild_tensor_v2) == before


def _pickled(value):
    return pickle.dumps(value, protocol=2)


def test_a_tensor_cannot_reach_beyond_its_storage(tmp_path):
    file = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(3)}, file, **BEFORE_TORCH_1_6)
    content = file.read_bytes()
    shape, longer = b"K\x03\x85", b"K\x7f\x85"
    assert content.count(shape) == 1
    file.write_bytes(content.replace(shape, longer))
    with pytest.raises(pickle.UnpicklingError, match=r"^a tensor that reaches beyond its storage$"):
        read_inert(file)
