"""The two renderers draw the same map: the splat, and regl-scatterplot on an imitated graphics card."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from pages import coded_run, opened
from PIL import Image
from playwright.sync_api import Page
from scipy.ndimage import gaussian_filter

from layerwise.web.server import Explorer, explore

pytestmark = pytest.mark.slow

STATES = {
    "another tap": "tap=input",
    "another colour": "tap=input&color=correct",
    "few are shown": "f=is~label~0",
    "none is shown": "f=in~confidence~2~3",
    "all, and 41 are selected": "sel=g" + 41 * "A",
}
BUSY = """async () => {
  const map = document.querySelector(".map-view");
  map.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  for (let frame = 0; frame < 6; frame++) {
    await new Promise(requestAnimationFrame);
    for (const began = performance.now(); performance.now() - began < 800; );
  }
}"""
SETTLED_MS = 1500
MANY = 900
"""More than are shown as pictures."""


@pytest.fixture(scope="module")
def switches() -> tuple[str, ...]:
    return (*chromium.SWITCHES, "--enable-unsafe-swiftshader")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Explorer]:
    with explore(coded_run(tmp_path / "run", count=MANY)) as explorer:
        yield explorer


def shot(page: Page) -> np.ndarray:
    """The map alone, blurred: a renderer may draw a dot's border as it likes."""
    page.wait_for_timeout(SETTLED_MS)
    picture = Image.open(io.BytesIO(page.locator(".map-view .canvas").screenshot())).convert("RGB")
    return gaussian_filter(np.asarray(picture, dtype=float), (2.5, 2.5, 0))


def states(page: Page) -> dict[str, np.ndarray]:
    """What the map shows as it is looked at: each of STATES, after an interrupted way, enlarged, and in the dark."""
    shots = {"as opened": shot(page)}
    for name, words in STATES.items():
        page.evaluate("(words) => { location.hash = `tab=map&${words}` }", words)
        shots[name] = shot(page)
    page.evaluate("() => { location.hash = 'tab=map' }")
    page.wait_for_timeout(SETTLED_MS)
    page.locator(".map-view").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
    shots["after an interrupted way"] = shot(page)
    page.evaluate(BUSY)
    shots["after a way that the page was too busy to show"] = shot(page)
    page.set_viewport_size({"width": 1100, "height": 800})
    shots["in a smaller window"] = shot(page)
    page.emulate_media(color_scheme="dark")
    shots["in the dark"] = shot(page)
    return shots


def test_both_renderers_show_the_same_in_every_state(page: Page, served: Explorer) -> None:
    """Served, so that the page's Content-Security-Policy holds: it forbids to build programs from text."""
    shown = {}
    for kind in ("splat", "webgl"):
        page.set_viewport_size({"width": 1400, "height": 900})
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        opened(page, f"{served.address}?renderer={kind}")
        shown[kind] = states(page)
        assert page.locator("[data-renderer]").get_attribute("data-renderer") == kind
    for state, splat in shown["splat"].items():
        webgl = shown["webgl"][state]
        ink = np.abs(splat - np.median(splat, axis=(0, 1))).sum()
        assert np.abs(webgl - splat).sum() <= 0.2 * ink, state


def test_where_the_graphics_card_goes_away_the_splat_goes_on(page: Page, served: Explorer) -> None:
    page.add_init_script(
        """const given = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (...asked) {
          const context = given.apply(this, asked);
          if (asked[0] === "webgl") (window.cards ??= []).push(context.getExtension("WEBGL_lose_context"));
          return context;
        };"""
    )
    opened(page, f"{served.address}?renderer=splat")
    splat = shot(page)
    opened(page, f"{served.address}?renderer=webgl")
    assert page.locator("[data-renderer]").get_attribute("data-renderer") == "webgl"
    page.evaluate("() => window.cards.at(-1).loseContext()")
    assert np.abs(shot(page) - splat).max() < 1
    assert page.locator("[data-renderer]").get_attribute("data-renderer") == "splat"


def test_without_webgl_the_splat_draws(page: Page, served: Explorer) -> None:
    page.add_init_script(
        """const given = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (...asked) {
          return asked[0].includes("webgl") ? null : given.apply(this, asked);
        };"""
    )
    opened(page, f"{served.address}?renderer=webgl")
    assert page.locator("[data-renderer]").get_attribute("data-renderer") == "splat"
    assert len(np.unique(shot(page).round().reshape(-1, 3), axis=0)) > 1


@pytest.mark.parametrize(("step_ms", "kind"), [(0, "webgl"), (60, "splat")])
def test_a_graphics_card_draws_where_its_trial_is_fast(page: Page, served: Explorer, step_ms: int, kind: str) -> None:
    page.add_init_script(
        f"""const given = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (name, options) {{
          return given.call(this, name, {{ ...options, failIfMajorPerformanceCaveat: false }});
        }};
        const known = WebGLRenderingContext.prototype.getParameter;
        WebGLRenderingContext.prototype.getParameter = function (asked) {{
          return asked === 0x9246 || asked === this.RENDERER ? "A graphics card" : known.call(this, asked);
        }};
        let clock = 0;
        performance.now = () => (clock += {step_ms});"""
    )
    opened(page, served.address)
    assert page.locator("[data-renderer]").get_attribute("data-renderer") == kind
    assert len(np.unique(shot(page).round().reshape(-1, 3), axis=0)) > 1
