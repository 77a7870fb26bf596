"""How fast is the explorer in a browser without a GPU? `python -m benchmarks.explorer [--quick] [--json]`.

Everything is measured in headless Chromium on the page as it is exported, opened from its file, of a made-up run
(`explorer_run`) of 60,000 examples and 12 taps; with `--quick` of 6,000. Medians unless said.

- `frame_ms_60k`: time from frame to frame while panning, and while the map goes from tap to tap; the larger of both.
- `frame_ms_1m`: the same while panning a run of 1,000,000 points, without pictures (200,000 with `--quick`).
- `story_ms`: from a click on a point until its story is there, neighbours at every tap included; 95th percentile of
  clicks on a page that has been open for some seconds. `first_story_ms`: of the first click, at once after it opened.
- `first_paint_ms`, `usable_ms`: from opening the page to its first paint, and until map, grid and columns answer.
- `size_mb`: of the exported folder. `script_kb`: of the page's script, gzipped.
- `lasso_ms`: from closing a lasso around the middle of the map to the grid that shows what is in it.
- `foreign_requests`: to anywhere else than the page's own folder.
- `place_ms`: a new image, from its upload to votes, depth and places on the maps, of a served run (`explorer_place`).
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser import chromium

from benchmarks.explorer_place import measure_place
from benchmarks.explorer_run import write_run
from benchmarks.machine import describe_machine
from layerwise.web.export import export_explorer

SIZE = {"width": 1400, "height": 900}
STORIES, LASSOS, OPENINGS = 60, 7, 7
QUICK_STORIES, QUICK_LASSOS, QUICK_OPENINGS = 24, 3, 3
COLLECT = """() => { const at = []; window.frameTimes = at;
  const note = (time) => { at.push(time); window.frameLoop = requestAnimationFrame(note); };
  window.frameLoop = requestAnimationFrame(note); }"""
COLLECTED = "() => { cancelAnimationFrame(window.frameLoop); return window.frameTimes; }"
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
UNDER_WAY = "(name) => performance.getEntriesByType('mark').some((one) => one.name.startsWith(`${name}-`))"
PATIENCE = 200
"""Times that a measure is asked for."""
MEASURED = "(name) => performance.getEntriesByName(name, 'measure').map((one) => one.duration)"


def measure(folder: Path, browser: Browser, served: Path, *, quick: bool) -> dict[str, Any]:
    """All numbers of one run; `served` is the run on which images are placed."""
    many, most = (6_000, 200_000) if quick else (60_000, 1_000_000)
    exported = export_explorer(write_run(folder / "many", count=many), folder / "many-page")
    note("the run is exported")
    with opened(browser, exported.page) as page:
        frames = {"pan": pan(page), "morph": morph(page)}
        result: dict[str, Any] = {"frame_ms_60k": max(frames.values()), "frames_ms": frames}
        result["story_ms"] = statistics.quantiles(stories(page, QUICK_STORIES if quick else STORIES), n=20)[-1]
        result["lasso_ms"] = statistics.median(lassos(page, QUICK_LASSOS if quick else LASSOS))
    note("frames, stories and lassos are measured")
    result["first_story_ms"] = statistics.median(first_story(browser, exported.page) for _ in range(QUICK_OPENINGS))
    openings = [opening(browser, exported.page) for _ in range(QUICK_OPENINGS if quick else OPENINGS)]
    result |= {name: statistics.median(one[name] for one in openings) for name in openings[0]}
    result["foreign_requests"] = max(one["foreign_requests"] for one in openings)
    result |= {"size_mb": exported.size_bytes / 1e6, "script_kb": script_kb(exported.page.parent)}
    bare = write_run(folder / "most", count=most, taps=2, pictures=False)
    with opened(browser, export_explorer(bare, folder / "most-page").page) as page:
        result["frame_ms_1m"] = pan(page)
    note("the largest map is measured")
    note(json.dumps(result))
    return {**result, **measure_place(served, quick=quick), "examples": many, "points": most}


def note(words: str) -> None:
    """Tell how far it is."""
    print(words, file=sys.stderr, flush=True)


@contextmanager
def opened(browser: Browser, path: Path) -> Iterator[Page]:
    """The page of an exported run once everything is there."""
    context = browser.new_context(viewport=SIZE, reduced_motion="no-preference")
    page = context.new_page()
    page.goto(path.as_uri())
    wait_until_usable(page)
    yield page
    context.close()


def wait_until_usable(page: Page) -> None:
    """Until the first map and the columns are there."""
    page.wait_for_selector("html[data-map=ready][data-ready=data]", timeout=120_000)


def opening(browser: Browser, path: Path) -> dict[str, float]:
    """One opening of the page, in a profile of its own."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri(), wait_until="commit")
    wait_until_usable(page)
    usable = page.evaluate("() => performance.now()")
    painted = page.evaluate(PAINTED)
    own = (path.parent.as_uri(), "data:", "blob:")
    context.close()
    return {
        "first_paint_ms": painted,
        "usable_ms": usable,
        "foreign_requests": sum(not url.startswith(own) for url in asked),
    }


def frame_ms(page: Page, act: Callable[[], None]) -> float:
    """The median time from frame to frame while something moves."""
    page.evaluate(COLLECT)
    act()
    times = page.evaluate(COLLECTED)
    return statistics.median(late - early for early, late in itertools.pairwise(times))


def map_box(page: Page) -> tuple[float, float, float, float]:
    """Left, top, width and height of the map."""
    box = page.locator(".map-view .canvas").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def pan(page: Page) -> float:
    """Drag the map to and fro."""
    left, top, width, height = map_box(page)
    x, y = left + width / 2, top + height / 2

    def drag() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        for turn in range(8):
            page.mouse.move(x + (-1) ** turn * 120, y + (-1) ** (turn // 2) * 80, steps=15)
        page.mouse.move(x, y)
        page.mouse.up()

    return frame_ms(page, drag)


def morph(page: Page) -> float:
    """Go from tap to tap; frames in which nothing moves are few beside those in which all does."""
    page.locator(".map-view").focus()

    def step() -> None:
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(600)

    return statistics.median(frame_ms(page, step) for _ in range(8))


def stories(page: Page, count: int) -> list[float]:
    """Clicks on points all over the map, each until its story is complete."""
    left, top, width, height = map_box(page)
    durations: list[float] = []
    for turn in range(count):
        page.evaluate("() => performance.clearMeasures('story')")
        page.mouse.click(left + width * (0.3 + 0.4 * (turn % 8) / 7), top + height * (0.3 + 0.4 * (turn // 8) / 7))
        durations += measured(page, "story")
    return durations


def first_story(browser: Browser, path: Path) -> float:
    """The first click on a page that has only just opened."""
    with opened(browser, path) as page:
        return stories(page, 1)[0]


def lassos(page: Page, count: int) -> list[float]:
    """Lassos around the middle of the map, each until the grid shows what is in it."""
    left, top, width, height = map_box(page)
    x, y, radius = left + width / 2, top + height / 2, 0.3 * min(width, height)
    durations = []
    for turn in range(count):
        page.evaluate("() => performance.clearMeasures('lasso')")
        page.keyboard.down("Shift")
        page.mouse.move(x - radius, y - radius + turn)
        page.mouse.down()
        for across, down in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
            page.mouse.move(x + across * radius, y + down * radius + turn, steps=6)
        page.mouse.up()
        page.keyboard.up("Shift")
        durations += measured(page, "lasso")
    return durations


def measured(page: Page, name: str) -> list[float]:
    """What the page has measured once it has; nothing where nothing was hit, so that nothing is under way."""
    for turn in range(PATIENCE):
        page.wait_for_timeout(50)
        if durations := page.evaluate(MEASURED, name):
            return durations
        if turn > 4 and not page.evaluate(UNDER_WAY, name):
            return []
    raise TimeoutError(f"no {name} was measured")


def script_kb(folder: Path) -> float:
    """The size of the page's script, gzipped."""
    return len(gzip.compress((folder / "app.js").read_bytes(), 9)) / 1e3


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--run", type=Path, help="a run with maps on which to place images, instead of a new one")
    options = parser.parse_args()
    path = chromium.find()
    if path is None:
        sys.exit(f"no Chromium was found. {chromium.HOW}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.SWITCHES))
        served = options.run or Path(folder) / "served"
        result = measure(Path(folder), browser, served, quick=options.quick)
        result["browser"] = browser.version
        browser.close()
    print(json.dumps({**result, "machine": describe_machine()}, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
