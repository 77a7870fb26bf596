"""Frames, picking and lasso of the map in headless Chromium: `python webapp/harness/measure.py [COUNT ...]`.

Build the page first: `npx vite build --config harness/vite.config.ts`. Medians and ninth deciles, in milliseconds.
"""

import math
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PAGE = (Path(__file__).parent / "index.html").resolve().as_uri()
ROUNDS = 60

PAN = "(f) => { const v = scatter.view; v.x += (f % 20 < 10 ? 1 : -1) * 400; scatter.view = v; }"
ZOOM = "(f) => { const v = scatter.view; v.zoom *= f % 20 < 10 ? 1.1 : 1 / 1.1; scatter.view = v; }"
MORPH = "(f) => { if (f % 30 === 0) scatter.setPoints(f % 60 ? FIRST : OTHER, { morph_ms: 900 }); }"


def frames(page: Page, step: str) -> dict[str, list[float]]:
    """Gaps between frames and times of drawing, while `step` (JavaScript) is called at each frame."""
    clouds = "const FIRST = harness.cloud(1), OTHER = harness.cloud(2)"
    script = f"async () => {{ {clouds}; return harness.frames({ROUNDS}, {step}) }}"
    found: dict[str, list[float]] = page.evaluate(script)
    page.evaluate("scatter.setPoints(harness.cloud(1))")
    return found


def durations(page: Page, name: str) -> list[float]:
    """What the page measured last under a name."""
    script = "name => performance.getEntriesByName(name).map(entry => entry.duration)"
    found: list[float] = page.evaluate(script, f"scatter:{name}")
    return found


def picks(page: Page) -> list[float]:
    """Times of finding the point under a click."""
    times = []
    for i in range(20):
        page.mouse.click(300 + 30 * i, 300 + 13 * i)
        times += durations(page, "pick")
    return times


def lassos(page: Page) -> tuple[list[float], int]:
    """Times of finding the points in a lasso, and how many they are."""
    page.evaluate("scatter.on('lasso', event => (window.held = event.rows.length)), (scatter.mode = 'lasso')")
    times = []
    for _ in range(5):
        page.mouse.move(780, 400)
        page.mouse.down()
        for i in range(60):
            angle = i / 60 * 2 * math.pi
            page.mouse.move(600 + 180 * math.cos(angle), 400 + 180 * math.sin(angle))
        page.mouse.up()
        times += durations(page, "lasso")
    page.evaluate("scatter.mode = 'pan'")
    return times, page.evaluate("held")


def spread(times: list[float]) -> str:
    """The median, and the ninth decile in brackets."""
    return f"{statistics.median(times):6.1f} ({sorted(times)[int(0.9 * len(times))]:.1f})"


def measure(page: Page, count: int, more: str = "") -> None:
    """Opens the page and prints everything about one number of points."""
    page.goto(f"{PAGE}?count={count}{more}")
    page.wait_for_function("window.scatter", timeout=120_000)
    page.wait_for_timeout(700)
    print(f"{count} points, {page.evaluate('scatter.kind')}")
    for name, step in {"still": "() => {}", "pan": PAN, "zoom": ZOOM, "morph": MORPH}.items():
        found = frames(page, step)
        draws = spread(found["draws"]) if found["draws"] else "none"
        print(f"  {name:6} frame {spread(found['gaps'])}  draw {draws}", flush=True)
    page.wait_for_timeout(700)
    print(f"  pick   {spread(picks(page))}")
    times, held = lassos(page)
    print(f"  lasso  {spread(times)} for {held} points")


def main() -> None:
    """Measures for each number of points asked for."""
    counts = [int(count) for count in sys.argv[1:]] or [60_000, 1_000_000]
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for count in counts:
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            measure(page, count)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
