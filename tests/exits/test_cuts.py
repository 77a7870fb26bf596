"""Where a network can be left: clean cuts are found, others refused with the reason and the nearest clean taps."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from exits.toys import Around, Broadcasting, Pooling, SizeReadBefore, Squeezing, Twice, some_images
from layerwise.errors import ModelError
from layerwise.exits.cuts import clean_cuts
from layerwise.exits.network import ExitNetwork
from layerwise.taps import find_taps


def cuts(model: nn.Module, place: str | list[str] = "children") -> dict[str, str]:
    return clean_cuts(model, find_taps(model, some_images(), place), some_images())


def test_a_residual_branch_is_refused_with_the_nearest_places_before_and_after() -> None:
    message = (
        'the network cannot be left at "inside": with 4 of 5 images left, what comes later fails (RuntimeError: '
        "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 0).\n"
        '    It can be left at "stem" and "after".'
    )
    with pytest.raises(ModelError, match=re.escape(message)):
        ExitNetwork(Around().eval(), some_images(), ["inside"])


def test_a_batch_that_is_mixed_in_silence_is_refused() -> None:
    assert cuts(Pooling().eval())["stem"] == (
        "with 4 of 5 images left, their logits change: what comes later mixes examples, or a path leads around"
    )


def test_a_batch_norm_that_uses_the_batch_is_refused_in_evaluation_mode_too() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    ).eval()
    problems = cuts(model)
    assert "mixes examples" in problems["0"]
    assert problems["1"] == problems["2"] == ""


def test_a_batch_size_that_was_read_before_is_refused() -> None:
    assert "what comes later fails" in cuts(SizeReadBefore().eval())["stem"]


def test_what_goes_wrong_with_a_single_survivor_only_is_found() -> None:
    problem = cuts(Squeezing().eval())["stem"]
    assert problem == "with 1 of 5 images left, there are 3 rows of logits: a path leads around the tap"


def test_a_path_around_that_is_broadcast_is_found() -> None:
    assert "what comes later fails" in cuts(Broadcasting().eval())["stem"]


def test_equal_images_do_not_hide_that_examples_are_mixed_up() -> None:
    images = torch.zeros(5, 1, 6, 6)
    model = Pooling().eval()
    assert "mixes examples" in clean_cuts(model, find_taps(model, images), images)["stem"]


def test_each_call_of_a_module_is_a_place_of_its_own() -> None:
    assert cuts(Twice().eval()) == dict.fromkeys(("one", "relu", "two", "relu_1"), "")


def test_functional_operations_can_be_exits() -> None:
    problems = cuts(Around().eval(), ["add", "inside", "stem"])
    assert problems["add"] == problems["stem"] == ""
    assert problems["inside"]


def test_a_placement_gives_those_taps_at_which_the_network_can_be_left() -> None:
    assert ExitNetwork(Around().eval(), some_images(), "children").names == ("stem", "after", "softmax")
    with pytest.raises(ModelError, match='can be left at none of its 2 taps of "children"; not at "stem": with 4'):
        ExitNetwork(Pooling().eval(), some_images(), "children")


def test_the_network_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(64, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cuts(model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("at", [[], ["input"], ["0", "softmax"]])
def test_an_exit_stands_between_input_and_softmax(at: list[str]) -> None:
    with pytest.raises(ModelError, match="an exit needs a tap between the input and the softmax; got"):
        ExitNetwork(nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), some_images(), at)
