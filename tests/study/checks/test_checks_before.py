"""Checks before a run: networks and settings that cannot learn are told, others are not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from check_files import named, with_network
from layerwise.errors import StudyError
from layerwise.study.checks import check_before
from layerwise.study.checks.before import check_by_heart, check_one_image
from layerwise.study.checks.check import Check
from layerwise.study.file import Study
from layerwise.study.trials import Trial, trial_data
from study_files import small

NETWORKS = """
from torch import nn

class Deaf(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.out = nn.Linear(64, num_classes)

    def forward(self, images):
        return self.out(0 * images.flatten(1))

def deaf(num_classes, in_channels):
    return Deaf(num_classes)
"""


def mlps(*changes: tuple[str, str]) -> Study:
    """Of the small study the networks that are quick and sure to learn."""
    study = small(*changes)
    return replace(study, contenders=study.contenders[2:], comparisons=())


def by_heart(study: Study) -> Check:
    return check_by_heart(study, {cell.data_spec: trial_data(Trial(cell, 0)) for cell in study.cells})


def test_a_good_study_is_fine_and_its_checks_can_be_told_in_json() -> None:
    rate = ("training.learning_rate = 0.05", "training.learning_rate = 0.1")
    checks = check_before(small(rate, ("seeds = 3", "seeds = 9")))
    assert [(one.name, one.saw) for one in checks if not one.fine] == []
    assert json.loads(json.dumps([asdict(one) for one in checks]))[0] == asdict(checks[0])


def test_networks_learn_a_handful_by_heart() -> None:
    found = by_heart(mlps())
    assert found.fine
    assert found.saw.startswith("two-layer-mlp?side=8: 100% after")


def test_a_network_that_does_not_look_at_its_images_learns_nothing(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NETWORKS)
    found = by_heart(with_network(small(), f"{file}:deaf"))
    assert not found.fine
    assert "after 200 of Adam" in found.saw
    assert "look for a fault in the network" in found.do


@pytest.mark.parametrize(
    ("rate", "saw", "do"),
    [("1e-9", "of Adam, and its own loss does not fall", "raise"), ("1e30", "the loss is no number", "lower")],
)
def test_a_learning_rate_that_is_far_off_is_told(rate: str, saw: str, do: str) -> None:
    found = by_heart(mlps(("learning_rate = 0.05", f"learning_rate = {rate}")))
    assert not found.fine
    assert saw in found.saw
    assert found.do == f"{do} training.learning_rate"


def test_a_last_batch_of_one_image_is_told_and_harmless() -> None:
    study = small(("batch_size = 6", "batch_size = 11"))
    found = check_one_image(study, {cell.data_spec: trial_data(Trial(cell, 0)) for cell in study.cells})
    assert found.fine
    assert found.saw.startswith("a last batch of one image in simple-cnn (1 of 2 cells: train_per_class = 4), two-")


def test_a_network_or_images_that_cannot_be_made_are_told_in_words() -> None:
    checks = check_before(small(("model.kernel = 3", "model.kernel = 100000000")))
    assert named(checks, "one image alone").saw.startswith("simple-cnn?kernel=100000000 gives RuntimeError: ")
    with pytest.raises(StudyError, match=r"^the images of edges\?resolution=8&.* cannot be had: \w+: "):
        check_before(small(("data.test_per_class = 20", f"data.test_per_class = {10**22}")))


def test_a_run_that_fails_is_told_before_all_of_them_do() -> None:
    checks = check_before(small(("model.side = 8", "model.side = 9")))
    assert not named(checks, "one image alone").fine
    assert not named(checks, "independent of other runs").fine
    assert "cannot take images" in named(checks, "independent of other runs").saw
