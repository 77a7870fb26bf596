"""Runs whose pictures say which row they are of, and what tests ask of the explorer's page."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from exit_files import write_exits
from inside_files import write_features, write_maps, write_units
from layerwise.runs import write_array
from toy_runs import make_run

COUNT, BASE = 300, 120
SIDE = 16
STEP = 16
"""Numbers are written in digits to the base of 16, each a shade apart from the next: no rounding can mix them up."""


def coded_run(path: Path, *, count: int = COUNT) -> Path:
    """A run with maps, units and exits, whose picture of row r is one colour that spells r."""
    run = make_run(path, split_counts={"test": count}, base_count=BASE, channels=3, side=SIDE)
    write_array(run / "thumbnails.npy", coded(np.arange(count)))
    write_array(run / "base_thumbnails.npy", coded(np.arange(BASE) + 2048))
    for write in (write_maps, write_units, write_features, write_exits):
        write(run)
    return run


def coded(numbers: np.ndarray) -> np.ndarray:
    """Pictures (n, 3, 16, 16) of one colour each: three digits, the lowest is red."""
    digits = np.stack([numbers % STEP, numbers // STEP % STEP, numbers // STEP**2 % STEP], axis=1)
    colors = (digits * STEP + STEP // 2).astype(np.uint8)
    return np.repeat(np.repeat(colors[:, :, None, None], SIDE, axis=2), SIDE, axis=3)


def opened(page: Page, address: str) -> Page:
    """The page once all columns are there, and the first map where one is shown."""
    page.goto(address)
    page.wait_for_selector("html[data-ready=data]")
    if page.locator("main[data-tab=map]").count():
        page.wait_for_selector("html[data-map=ready]")
    return page


def rows_shown(page: Page, within: str = ".grid") -> dict[int, int]:
    """What the pictures that are in view say they are of, and which row their colour spells."""
    page.wait_for_function("(within) => !document.querySelector(`${within} .picture.arriving`)", arg=within)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    found = {}
    for row, x, y in middles(page, within):
        red, green, blue = (int(value) // STEP for value in shot[y, x])
        found[row] = red + STEP * green + STEP**2 * blue
    return found


def middles(page: Page, within: str) -> Iterable[tuple[int, int, int]]:
    """The row and the middle of each picture that lies in the window wholly and under nothing."""
    return page.evaluate(
        """(within) => [...document.querySelectorAll(`${within} [data-row]`)].map((one) => {
          const box = (one.querySelector(".picture") ?? one).getBoundingClientRect();
          const x = Math.round(box.left + box.width / 2), y = Math.round(box.top + box.height / 2);
          const top = document.elementFromPoint(x, y);
          return [Number(one.dataset.row), x, y, top === one || top?.contains(one) || one.contains(top)];
        }).filter((found) => found[3]).map((found) => found.slice(0, 3))""",
        within,
    )
