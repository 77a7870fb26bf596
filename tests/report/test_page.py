"""The whole report as a browser gets it: one file, everything in it, nothing fetched, every name escaped."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exit_files import write_exits
from inside_files import write_encoders, write_features, write_maps, write_units
from label_files import write_folds, write_labels
from layerwise.errors import RunError
from layerwise.report.method import PAPER_ADDRESS
from layerwise.report.page import SECTIONS, write_report
from layerwise.views.run import read_run
from layerwise.views.taps import network_accuracy
from run_series import write_over_runs

pytestmark = pytest.mark.slow

Maker = Callable[..., Path]

HOSTILE = ('<script>alert("1")</script>', "a&b'\"><img src=x onerror=alert(1)>", "$\\frac{", "猫", "حصان", "${title}")
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a page holds: tags with attributes, text, and whether they close in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> Path:
    run = tmp_path_factory.mktemp("reports") / "<b>run&"
    taps = ("input", "<i>conv", "layer1", "softmax")
    make_run(run, class_names=HOSTILE, tap_names=taps, split_counts={"train": 60, "test": 90}, channels=3)
    write_maps(run, taps=("input", "<i>conv", "softmax"))
    write_units(run, taps=("<i>conv",))
    write_encoders(run)
    write_features(run)
    write_labels(run, class_names=HOSTILE)
    write_folds(run, class_names=HOSTILE)
    write_over_runs(run, names=HOSTILE)
    return write_exits(run, names=("<i>conv", "layer1", "softmax"))


@pytest.fixture(scope="module")
def text(hostile_run: Path) -> str:
    return write_report(hostile_run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> Page:
    run = make_run(
        tmp_path_factory.mktemp("bare"), tap_names=("input", "softmax"), factors=False, history=False, base_count=24
    )
    for name in ("thumbnails.npy", "base_thumbnails.npy", "neighbors.npy", "base.parquet", "run.json", "model.json"):
        (run / name).unlink()
    return Page(write_report(run).read_text(encoding="utf-8"))


def test_the_page_parses_with_every_tag_closed_in_order(page: Page) -> None:
    assert page.tags[0][0] == "html"


def test_nothing_is_fetched_from_anywhere(page: Page, text: str) -> None:
    for tag, attributes in page.tags:
        for key in ("src", "href", "srcset", "data", "action", "poster"):
            address = attributes.get(key)
            if address is not None and address != PAPER_ADDRESS:
                assert address.startswith(("data:image/png;base64,", "#")), (tag, key, address[:80])
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert not re.search(r"@import|url\((?!#)", text)


def test_nothing_runs(page: Page) -> None:
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert not [a for a in page.all("a") if (a["href"] or "").startswith("javascript")]


def test_hostile_names_are_shown_as_text(page: Page) -> None:
    for name in (*HOSTILE, "<i>conv", "<b>run&"):
        assert name in page.words


def test_every_picture_says_what_it_shows(page: Page) -> None:
    assert page.all("img")
    assert all(image["alt"] for image in page.all("img"))
    charts = page.all("svg")
    assert len(charts) >= 10
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)


def test_ids_are_unique_and_every_reference_has_its_target(page: Page, text: str) -> None:
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert set(ids.values()) == {1}
    inside = {a["href"][1:] for _, a in page.tags if (a.get("href") or "").startswith("#")}
    assert inside | set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_the_network_and_the_data_are_named_at_the_top(page: Page) -> None:
    assert "layerwise · example difficulty · resnet18-cifar on shapes" in page.words


def test_every_section_is_there_and_linked(page: Page) -> None:
    links = {link["href"] for link in page.all("a")}
    for key, heading, _ in SECTIONS:
        assert f"#{key}" in links
        assert heading in page.words


def test_the_network_accuracy_stands_there_with_its_interval(page: Page, hostile_run: Path) -> None:
    for row in network_accuracy(read_run(hostile_run)).to_dict("records"):
        words = (
            f"{100 * row['accuracy']:.1f} %network accuracy, {row['split']}"
            f"[{100 * row['accuracy_low']:.1f}, {100 * row['accuracy_high']:.1f}], {row['right']} of {row['count']}"
        )
        assert words in page.words


def test_both_splits_are_shown_and_every_tap_is_in_the_table(page: Page) -> None:
    for words in ("The numbers: train", "The numbers: test", "leave-one-out"):
        assert words in page.words
    assert "<i>conv" in page.words


def test_suspect_labels_have_the_kind_of_difficulty_of_their_image_where_folds_were_measured(text: str) -> None:
    table = text[text.index("By its depths (folds)") :]
    first = table[table.index("<tbody>") : table.index("</tr>", table.index("<tbody>"))]
    assert "looks like another class" in first


def test_charts_are_files_too(hostile_run: Path, page: Page) -> None:
    names = {path.name for path in (hostile_run / "figures").iterdir()}
    assert {"depths-test.svg", "depths-train.svg", "accuracy-by-depth.svg", "probe-accuracy.svg"} <= names
    assert len(names) == len(page.all("svg"))


def test_the_same_run_gives_the_same_bytes(hostile_run: Path, text: str, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(hostile_run, tmp_path / hostile_run.name))
    (elsewhere / "report.html").unlink()
    assert write_report(elsewhere).read_text(encoding="utf-8") == text


def test_the_folder_of_whoever_made_the_run_is_not_told(tmp_path: Path, make_run: Maker) -> None:
    run = make_run(tmp_path / "run", split_counts={"test": 20})
    recorded = json.loads((run / "run.json").read_text())
    for step in recorded["steps"].values():
        step["folder"] = "/home/somebody"
    (run / "run.json").write_text(json.dumps(recorded))
    text = write_report(run).read_text(encoding="utf-8")
    assert "train.epochs" in text
    assert "somebody" not in text


def test_a_network_from_elsewhere_without_factors_or_images_still_has_a_report(bare: Page) -> None:
    sections = [link["href"] for link in bare.all("a") if link["href"] != PAPER_ADDRESS]
    assert sections == ["#depth", "#taps", "#examples", "#stories", "#classes", "#data", "#method"]
    assert not bare.all("img")


def test_more_than_a_hundred_classes_stay_under_three_megabytes(tmp_path: Path, make_run: Maker) -> None:
    names = tuple(f"class {number}" for number in range(120))
    run = make_run(
        tmp_path / "run", class_names=names, split_counts={"test": 400}, base_count=240, channels=3, side=64, k=30
    )
    report = write_report(run)
    assert report.stat().st_size < 3_000_000
    Page(report.read_text(encoding="utf-8"))


def test_a_run_without_a_measurement_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nothing measured in"):
        write_report(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_report_needs_no_torch_and_no_window() -> None:
    program = (
        "import sys, layerwise.report.page; sys.exit('torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
