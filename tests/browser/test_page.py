"""The explorer's page in a real browser: pictures belong to their rows, links, filters, two windows, no network."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pages import BASE, COUNT, coded_run, opened, rows_shown
from playwright.sync_api import Browser, Page, expect

from layerwise.runs import read_json, read_table, write_json, write_table
from layerwise.seeds import stream
from layerwise.web.export import export_explorer
from toy_runs import make_run

pytestmark = pytest.mark.slow

ROUNDS = 14
TWO_SHEETS = 1300
"""Pictures: more than one file holds."""
ACTS = ("search", "legend", "range", "sort", "size", "lasso", "clear")


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return coded_run(tmp_path_factory.mktemp("coded") / "run")


@pytest.fixture(scope="session")
def exported(run: Path) -> str:
    """The address of a page that is opened from its file."""
    return export_explorer(run, run.parent / "page").page.as_uri()


@pytest.fixture
def explorer(page: Page, exported: str) -> Page:
    return opened(page, exported)


def test_every_picture_belongs_to_its_row_after_any_filter_order_and_size(page: Page, tmp_path: Path) -> None:
    """A filter, an order or a size that mixed up rows would show a colour that spells another number."""
    run = coded_run(tmp_path / "run", count=TWO_SHEETS)
    opened(page, export_explorer(run, tmp_path / "page").page.as_uri())
    random = stream(0, "browsing")
    seen: set[int] = set()
    for turn in range(ROUNDS):
        for act in random.permutation(ACTS)[: 1 + turn % 4]:
            browse(page, str(act), int(random.integers(1 << 30)))
        for tab, within in (("table", ".table-box"), ("map", ".grid")):
            page.evaluate("(tab) => { location.hash = location.hash.replace(/tab=[a-z]*/, `tab=${tab}`) }", tab)
            page.wait_for_timeout(120)
            shown = rows_shown(page, within)
            assert all(row == spelt for row, spelt in shown.items()), f"round {turn}, {tab}: {shown}"
            seen |= set(shown)
    assert len(seen) > 150
    assert min(seen) < 1024 <= max(seen)


def browse(page: Page, act: str, draw: int) -> None:
    """One thing that a reader may do to what is listed."""
    if act == "search":
        page.get_by_role("searchbox").fill(["", "1", "22", "heart", "test-000"][draw % 5])
    elif act == "legend":
        entries = page.locator(".legend button")
        entries.nth(draw % entries.count()).click(modifiers=["Shift"] if draw % 2 else [])
    elif act == "range":
        low = draw % 5 / 10
        page.evaluate("(clause) => { location.hash += '&f=' + clause }", f"in~confidence~{low}~{low + 0.5}")
    elif act == "lasso":
        lasso(page)
        if draw % 2 and page.get_by_role("button", name="Filter to these").is_visible():
            page.get_by_role("button", name="Filter to these").click()
    elif act == "clear":
        page.evaluate("() => { location.hash = 'tab=map' }")
    elif act == "sort":
        order = ["-confidence", "confidence", "-depth", "id", "-factor_size"][draw % 5]
        page.evaluate(
            "(order) => { location.hash = location.hash.replace(/(&|#)sort=[^&]*/, '') + '&sort=' + order }", order
        )
    else:
        page.get_by_title("Size of the pictures").fill(str([24, 48, 96, 160][draw % 4]))
    page.wait_for_timeout(120)


def test_filters_leave_what_the_table_of_the_run_says(explorer: Page, run: Path) -> None:
    examples = read_table(run / "examples.parquet")
    hearts = examples["label_name"] == "heart"
    explorer.locator(".legend button", has_text="heart").first.click()
    expect(explorer.locator(".filters")).to_contain_text(f"{hearts.sum()} of {COUNT}")
    explorer.get_by_role("searchbox").fill("test-0001")
    both = hearts & examples["id"].str.contains("test-0001")
    expect(explorer.locator(".filters")).to_contain_text(f"{both.sum()} of {COUNT}")
    assert set(rows_shown(explorer)) == set(np.flatnonzero(both))


def test_the_export_opens_with_the_network_denied_and_asks_nothing_of_it(browser: Browser, exported: str) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, exported)
    page.goto(f"{exported}#row=3")
    page.wait_for_selector(".story[data-ready=true]")
    own = exported.rsplit("/", 1)[0]
    assert [url for url in asked if not url.startswith((own, "data:", "blob:"))] == []
    context.close()


def test_a_story_shows_the_votes_depth_and_neighbors_of_its_row(explorer: Page, exported: str, run: Path) -> None:
    row = 17
    explorer.goto(f"{exported}#row={row}")
    story = explorer.locator(f".story[data-row='{row}'][data-ready=true]")
    example = read_table(run / "examples.parquet").iloc[row]
    expect(story).to_contain_text(str(example["id"]))
    expect(story).to_contain_text(str(example["prediction_name"]))
    tap = read_table(run / "taps.parquet")["name"][example["depth"]]
    expect(story).to_contain_text(f"Prediction depth {example['depth']}, decided at {tap}:")
    neighbors = np.load(run / "neighbors.npy")[row, :, :5]
    shown = explorer.evaluate(
        "() => [...document.querySelectorAll('.story [data-base]')].map((one) => Number(one.dataset.base))"
    )
    assert shown == neighbors.ravel().tolist()


def test_back_and_forward_go_through_stories(explorer: Page) -> None:
    cells = explorer.locator(".grid .cell")
    for place in (0, 1, 2):
        cells.nth(place).click()
        expect(explorer.locator(f".story[data-row='{place}']")).to_be_visible()
        explorer.keyboard.press("Escape")
    explorer.go_back()
    expect(explorer.locator(".story[data-row='2']")).to_be_visible()
    explorer.go_forward()
    expect(explorer.locator(".story")).to_have_count(0)


def test_a_link_that_is_sent_opens_the_same_page(browser: Browser, explorer: Page) -> None:
    explorer.locator(".legend button", has_text="heart").first.click()
    explorer.keyboard.press("ArrowLeft")
    explorer.locator(".grid .cell").nth(2).click()
    explorer.wait_for_selector(".story[data-ready=true]")
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    other = opened(context.new_page(), explorer.url)
    other.wait_for_selector(".story[data-ready=true]")
    for part in (".filters", ".story h2", ".legend", ".scrubber"):
        assert other.locator(part).first.inner_text() == explorer.locator(part).first.inner_text()
    context.close()


def test_two_windows_do_not_disturb_each_other(explorer: Page, exported: str) -> None:
    second = opened(explorer.context.new_page(), exported)
    explorer.get_by_role("searchbox").fill("heart")
    second.goto(f"{exported}#row=5")
    second.wait_for_selector(".story[data-row='5']")
    expect(second.get_by_role("searchbox")).to_have_value("")
    expect(explorer.locator(".story")).to_have_count(0)


def test_parts_of_a_link_that_mean_nothing_are_told_and_left_out(page: Page, exported: str) -> None:
    opened(page, f"{exported}#tap=nowhere&row=9999&color=depth&%E0%A4%A")
    notice = page.locator(".notice")
    for part in ("tap=nowhere", "row=9999"):
        expect(notice).to_contain_text(part)
    expect(page.locator(".legend")).to_contain_text("Prediction depth")


def test_a_choice_is_found_by_its_name_and_its_group_only(explorer: Page) -> None:
    explorer.keyboard.press("o")
    search, found = explorer.get_by_role("combobox", name="Sort: search"), explorer.locator(".list .option")
    search.fill("depth")
    expect(found.first).to_have_text("Prediction depth")
    search.fill("undefined")
    expect(found).to_have_count(0)


def test_the_axes_of_two_columns_follow_when_keys_zoom(page: Page, exported: str) -> None:
    opened(page, f"{exported}#map=columns")
    tick = page.locator(".axes .tick.x").first
    before = tick.bounding_box()
    page.locator(".map-view").focus()
    for _ in range(3):
        page.keyboard.press("-")
    page.wait_for_timeout(250)
    assert tick.bounding_box() != before


def test_a_lasso_selects_and_the_grid_shows_the_selected(explorer: Page) -> None:
    lasso(explorer)
    expect(explorer.locator(".list-bar")).to_contain_text(f"Selected {COUNT}")
    assert len(rows_shown(explorer)) > 20


def lasso(page: Page) -> None:
    """Around all of the map."""
    page.wait_for_selector("html[data-map=ready]")
    box = page.locator(".map-view .canvas").bounding_box()
    assert box is not None
    left, top, right, bottom = box["x"] + 5, box["y"] + 5, box["x"] + box["width"] - 5, box["y"] + box["height"] - 5
    page.keyboard.down("Shift")
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")


def test_the_card_at_the_pointer_is_of_the_point_that_lies_there(explorer: Page) -> None:
    box = explorer.locator(".map-view .canvas").bounding_box()
    assert box is not None
    spots = [(box["x"] + across * box["width"], box["y"] + 0.5 * box["height"]) for across in np.arange(0.1, 0.9, 0.01)]
    card = explorer.locator(".hover-card")
    seen = []
    for act in (
        lambda: explorer.mouse.wheel(0, -400),
        lambda: explorer.keyboard.press("ArrowLeft"),
        lambda: explorer.mouse.wheel(0, 200),
        lambda: explorer.locator(".legend button").first.press("Enter"),
    ):
        explorer.locator(".map-view").focus()
        x, y = next(spot for spot in spots if explorer.mouse.move(*spot) or card.count())
        act()
        explorer.wait_for_timeout(700)
        told = card.get_attribute("data-row") if card.count() else None
        explorer.mouse.move(x, box["y"] - 20)
        explorer.mouse.move(x, y)
        explorer.wait_for_timeout(100)
        assert told == (card.get_attribute("data-row") if card.count() else None)
        seen.append(told)
    assert any(seen)


def test_markup_in_names_stays_text(page: Page, run: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(run, bad)
    model = read_json(bad / "model.json")
    name = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    write_json(bad / "model.json", {**model, "class_names": [name, *model["class_names"][1:]]})
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    opened(page, export_explorer(bad, tmp_path / "page").page.as_uri())
    expect(page.locator(".legend")).to_contain_text(name)
    assert page.locator("img[src=x]").count() == 0
    assert asked == []


def test_a_bare_run_says_what_is_missing_and_shows_two_columns(page: Page, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", split_counts={"test": 40}, base_count=BASE)
    opened(page, export_explorer(run, tmp_path / "page").page.as_uri())
    expect(page.locator(".no-maps")).to_contain_text("Two columns are drawn against each other instead")
    expect(page.locator(".counts")).to_have_attribute("data-drawn", "40")
    page.get_by_role("button", name="Units").click()
    expect(page.locator(".units-none")).to_contain_text("Units were not measured.")
    expect(page.locator(".units-none")).to_contain_text(f"layerwise inside {run} --units")
    page.get_by_role("button", name="About").click()
    expect(page.locator("main")).to_contain_text(f"layerwise inside {run} --embed pca,tsne")


def test_examples_without_a_place_on_the_maps_say_the_command_that_maps_them(
    page: Page, run: Path, tmp_path: Path
) -> None:
    part = Path(shutil.copytree(run, tmp_path / "part"))
    for path in (part / "maps").glob("*.parquet"):
        write_table(path, read_table(path).head(COUNT - 40))
    opened(page, export_explorer(part, tmp_path / "page").page.as_uri())
    page.get_by_role("button", name="40 not on the maps").click()
    expect(page.locator(".counts .sheet")).to_contain_text(
        f"layerwise inside {part} --embed pca,tsne --split test --again"
    )


def test_a_unit_without_pictures_says_of_which_they_were_kept(page: Page, exported: str) -> None:
    opened(page, f"{exported}#tab=units&unit=1")
    words = re.compile(r"Kept only for the \d+ most selective units? of this tap; this is not one of them\.")
    expect(page.locator(".unit-page")).to_contain_text(words)
    expect(page.locator("tr[data-unit='1'] .strongest span")).to_have_attribute("title", words)


def test_enter_in_the_search_opens_the_first_hit(explorer: Page) -> None:
    explorer.get_by_role("searchbox").fill("test-00017")
    explorer.keyboard.press("Enter")
    expect(explorer.locator(".story[data-row='17']")).to_be_visible()
