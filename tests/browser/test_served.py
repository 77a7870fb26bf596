"""The served page in a real browser: feature maps, a new image, a server that goes away, and sixty thousand points."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from benchmarks.explorer_run import write_run
from pages import opened
from playwright.sync_api import Page, expect

from command_line import toy_folder
from explorer_files import as_file, full
from layerwise.runs import read_table, write_table
from layerwise.views.explorer.maps import LARGEST, map_square
from layerwise.views.run import read_run
from layerwise.web.export import export_explorer
from layerwise.web.server import Explorer, explore

__all__ = ["full", "toy_folder"]


@pytest.fixture
def served(full: Path) -> Iterator[Explorer]:
    with contextlib.chdir(full), explore(Path("measured"), trust_code=True) as explorer:
        yield explorer


@pytest.mark.slow
def test_a_new_image_gets_the_votes_and_depth_of_its_twin(page: Page, served: Explorer, full: Path) -> None:
    opened(page, served.address)
    row = 3
    pixels = np.load(full / "small.npz")["x_test"][row, 0]
    page.locator("input[type=file]").set_input_files(
        {"name": "twin.png", "mimeType": "image/png", "buffer": as_file(pixels)}
    )
    panel = page.locator("[data-placed=ready]")
    panel.wait_for(timeout=60_000)
    view = read_run(full / "measured")
    depth = int(view.examples["depth"][row])
    where = "unresolved" if depth == len(view.taps) else view.tap_names[depth]
    expect(panel).to_contain_text(where, ignore_case=True)
    votes = [view.class_names[vote] for vote in view.votes[row]]
    assert [vote.strip() for vote in panel.locator(".tap-row .vote > span:first-of-type").all_inner_texts()] == votes


def test_what_is_no_image_is_said_in_words_and_the_page_goes_on(page: Page, served: Explorer) -> None:
    opened(page, served.address)
    with page.expect_response("**/api/place"):
        page.locator("input[type=file]").set_input_files(
            {"name": "no.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
        )
    expect(page.locator("[data-placed=failed] [role=alert]")).to_contain_text("no picture that can be read")
    page.keyboard.press("Escape")
    page.locator(".grid .cell").first.click()
    expect(page.locator(".story[data-ready=true]")).to_be_visible()


def test_feature_maps_are_shown_when_they_are_asked_for(page: Page, served: Explorer) -> None:
    opened(page, f"{served.address}#row=2")
    part = page.locator(".feature-maps")
    part.get_by_role("button").first.click()
    page.get_by_role("option", name="input").click()
    part.locator("[data-ready=true]").wait_for(timeout=60_000)
    expect(part.get_by_role("img", name="Feature map of unit 0")).to_be_visible()
    part.get_by_role("button").first.click()
    page.get_by_role("option", name="softmax").click()
    expect(part.locator(".hint")).to_have_text(re.compile(r"(\d+); \1 values"))


def test_a_server_that_went_away_is_told(page: Page, full: Path) -> None:
    with contextlib.chdir(full), explore(Path("measured"), trust_code=True) as explorer:
        opened(page, explorer.address)
    page.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": as_file(np.zeros((8, 8), np.uint8))}
    )
    expect(page.locator("[data-placed=failed] [role=alert]")).to_contain_text("layerwise explore")


@pytest.mark.slow
def test_a_click_among_sixty_thousand_points_opens_the_one_that_was_meant(page: Page, tmp_path: Path) -> None:
    run, row = write_run(tmp_path / "run", pictures=False, taps=2), 41_234
    table = read_table(run / "maps" / "01-tap.parquet")
    table.loc[row, ["tsne_x", "tsne_y"]] = [3.0, 4.0]
    write_table(run / "maps" / "01-tap.parquet", table)
    opened(page, export_explorer(run, tmp_path / "page").page.as_uri())
    expect(page.locator(".filters")).to_contain_text("60,000")
    box = page.locator(".map-view .canvas").bounding_box()
    assert box is not None
    share = map_square(table, "tsne").apply(np.array([[3.0, 4.0]]))[0] / LARGEST - 0.5  # of the map's square
    reach = 0.94 * min(box["width"], box["height"])  # which fills so much of the panel
    x, y = box["x"] + box["width"] / 2 + share[0] * reach, box["y"] + box["height"] / 2 - share[1] * reach
    page.mouse.click(float(x), float(y))
    expect(page.locator(f".story[data-row='{row}'] h2")).to_have_text(f"test-{row}")
