"""The model of cost finds the coefficients it was given, and the growth benchmark runs at toy sizes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from benchmarks.growth_model import RESNET50_BLOCKS, Accelerator, CostModel, fit, imagenet
from torch.testing import assert_close

from benchmarks import votes_growth, votes_table
from layerwise.models.catalog import load_model
from layerwise.taps import find_taps


def test_the_model_finds_the_coefficients_that_made_the_times() -> None:
    truth = CostModel(2e-11, 3e-9, 5e-10, relative_error=0.0)
    sizes = np.concatenate(
        [votes_growth.sizes_of(axis, votes_growth.CENTER, sweep) for axis, sweep in enumerate(votes_growth.SWEEPS)]
    )
    found = fit(sizes, truth.seconds(sizes))
    assert_close([found.a, found.b, found.c], [truth.a, truth.b, truth.c], rtol=1e-6, atol=0.0)
    assert found.relative_error < 1e-9


def test_no_coefficient_is_below_zero() -> None:
    sizes = votes_growth.sizes_of(0, (100, 100, 100), (100, 200, 400))
    falling = fit(sizes, np.array([4.0, 2.0, 1.0]))
    assert min(falling.a, falling.b, falling.c) >= 0


def test_growth_is_measured_fitted_drawn_and_tabulated(tmp_path: Path) -> None:
    plot = tmp_path / "growth.png"
    result = votes_growth.measure(center=(256, 64, 32), sweeps=((128, 256), (32, 64), (16, 32)), plot=plot)
    assert len(result["points"]) == 6
    assert all(math.isfinite(value) for point in result["points"] for value in point.values())
    assert all(math.isfinite(value) for value in result["model"].values())
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "one GPU, by the assumed rates" in votes_table.imagenet(result)


def test_imagenet_on_a_gpu_is_its_products_by_the_assumed_rate() -> None:
    cost = imagenet(CostModel(1e-11, 0.0, 0.0, relative_error=0.0), Accelerator(flops=400e12, share=0.5))
    products = 2 * 1_281_167 * 50_000 * 5_871_592
    assert cost["features"] == 5_871_592
    assert cost["gpu_s"]["products"] == pytest.approx(products / 200e12)
    assert cost["machine_s"]["products"] == pytest.approx(products / 200e12 / 64)
    assert cost["this_machine_s"] == pytest.approx(products / 2 * 1e-11)


@pytest.mark.slow
def test_the_features_of_resnet50_are_those_of_its_blocks() -> None:
    pixels = np.zeros((1, 3, 224, 224), dtype=np.float32)
    taps = find_taps(load_model("resnet50", num_classes=1000), pixels, "blocks")
    expected = [width for _, count, width in RESNET50_BLOCKS for _ in range(count)]
    assert [math.prod(tap.shape) for tap in taps] == expected


def test_a_page_is_filled_again_without_growing() -> None:
    page = "Before.\n<!-- growth -->\n<!-- end -->\nAfter.\n"
    once = votes_table.fill(page, {"growth": "| a |"})
    assert once == "Before.\n<!-- growth -->\n\n| a |\n\n<!-- end -->\nAfter.\n"
    assert votes_table.fill(once, {"growth": "| a |"}) == once
