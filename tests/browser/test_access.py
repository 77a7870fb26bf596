"""Access to the explorer's page: axe finds nothing serious, the keyboard reaches everything, on a desk and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import coded_run, opened
from playwright.sync_api import Browser, Page, expect

from layerwise.web.export import export_explorer

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "webapp" / "node_modules" / "axe-core" / "axe.min.js"
TABS = ("map", "pictures", "table", "units", "about")
SIZES = {"desktop": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}
CHECK = """() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] }).then((found) =>
  found.violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`))"""


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("access")
    return export_explorer(coded_run(folder / "run", count=120), folder / "page").page.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_on_any_tab(browser: Browser, exported: str, scheme: str, size: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport=SIZES[size], reduced_motion="reduce")  # type: ignore[arg-type]
    page = opened(context.new_page(), exported)
    page.add_script_tag(path=str(AXE))
    found = {}
    for state in (*(f"tab={tab}" for tab in TABS), "row=7", "tab=table&row=7"):
        page.evaluate("(state) => { location.hash = state }", state)
        page.wait_for_timeout(250)
        found[state] = page.evaluate(CHECK)
    assert found == {state: [] for state in found}
    context.close()


def test_a_phone_has_no_sideways_scrolling(browser: Browser, exported: str) -> None:
    context = browser.new_context(viewport=SIZES["phone"])  # type: ignore[arg-type]
    page = opened(context.new_page(), exported)
    for tab in TABS:
        page.evaluate("(tab) => { location.hash = `tab=${tab}` }", tab)
        page.wait_for_timeout(150)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= SIZES["phone"]["width"], tab
    context.close()


def test_the_keyboard_goes_from_the_map_to_a_story_and_back(page: Page, exported: str) -> None:
    opened(page, exported)
    page.locator(".map-view").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".scrubber .tap-name")).to_contain_text("layer1")
    page.keyboard.press("2")
    page.locator(".grid").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".story[data-row='2']")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(".story[data-row='3']")).to_be_visible()
    expect(page.locator(".story h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".story")).to_have_count(0)
    expect(page.locator(".grid")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_unit_takes_the_focus_and_gives_it_back(page: Page, exported: str) -> None:
    opened(page, f"{exported}#tab=units")
    number = page.locator(".unit-box button.link").nth(1)
    number.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".unit-page h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(number).to_be_focused()


def test_the_table_is_a_twin_of_the_map_for_who_cannot_see_it(page: Page, exported: str) -> None:
    opened(page, f"{exported}#tab=table")
    table = page.get_by_role("table").or_(page.get_by_role("grid")).first
    expect(table).to_have_attribute("aria-rowcount", "121")
    expect(page.get_by_role("columnheader", name="Label", exact=False).first).to_be_visible()


def test_who_prefers_less_motion_gets_the_next_tap_at_once(page: Page, exported: str) -> None:
    opened(page, exported)
    page.locator(".map-view").focus()
    before = page.locator(".map-view canvas").first.screenshot()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(250)
    first = page.locator(".map-view canvas").first.screenshot()
    page.wait_for_timeout(400)
    assert page.locator(".map-view canvas").first.screenshot() == first != before
