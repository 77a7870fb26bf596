"""The story of an image in a real browser: each score its own value, what is not known in words, room for all of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pages import BASE, opened
from playwright.sync_api import Page, expect

from exit_files import write_exits
from inside_files import write_maps
from label_files import measured_in_training
from layerwise.views.run import read_run
from layerwise.web.export import export_explorer
from toy_runs import make_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run whose training images are examples and were noted, and its page."""
    run = tmp_path_factory.mktemp("noted") / "run"
    names = ("ant", "bee", "cat", "dog")
    measured_in_training(make_run(run, class_names=names, split_counts={"test": 20, "train": 100}, base_count=BASE))
    write_maps(run)
    write_exits(run)
    return run, export_explorer(run, run.parent / "page").page.as_uri()


def test_a_story_shows_each_confidence_with_its_own_value_and_place(page: Page, noted: tuple[Path, str]) -> None:
    run, address = noted
    view = read_run(run)
    row = int(np.flatnonzero(view.examples["split"] == "train")[3])
    opened(page, f"{address}#row={row}")
    of_training = dict(zip(view.noted.ids, view.noted.dynamics.scores["confidence"], strict=True))
    for title, value, among in (
        ("Confidence", view.examples["confidence"][row], view.examples["confidence"]),
        (
            "Mean confidence in the label over the training",
            of_training[view.examples["id"][row]],
            pd.Series(of_training),
        ),
    ):
        name = page.get_by_role("rowheader", name=re.compile(f"^{title}( ?high|$)"))
        line = page.locator(".scores tr").filter(has=name)
        expect(line.locator("td").first).to_have_text(f"{value:.3f}")
        expect(line.locator(".rank")).to_contain_text(f"of {len(among)}, 1 hardest")
        expect(line.locator(".rank")).to_have_text(re.compile(rf"^{int((among < value).sum()) + 1}(–\d+)?of"))


def test_the_exits_of_an_image_that_was_not_evaluated_are_one_sentence(page: Page, noted: tuple[Path, str]) -> None:
    opened(page, f"{noted[1]}#row=100")
    expect(page.locator(".story")).to_contain_text(
        "Of this image the exits are not known: they were evaluated on images of the test split."
    )
    expect(page.locator(".exits")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 768, 900, 1024, 1280, 1400])
def test_a_story_fits_its_window(page: Page, noted: tuple[Path, str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    opened(page, f"{noted[1]}#row=25")
    page.wait_for_selector(".story[data-ready=true]")
    parts = ("", " .panel-body", " h2", " .vote > span:not(.unseen)", " dd")
    sizes = page.evaluate(
        """(parts) => [...document.querySelectorAll(parts)].map((one) =>
          [one.textContent.slice(0, 20), one.scrollWidth, one.clientWidth])""",
        ", ".join(f".story{part}" for part in parts),
    )
    assert [one for one in sizes if one[1] > one[2] + 1] == []
    assert [words for words in page.locator(".story dd").all() if words.evaluate("(dd) => dd.clientWidth") < 60] == []
