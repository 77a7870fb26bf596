"""The report of a study says the verdict first, and loses nothing that failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.errors import NonFiniteError
from layerwise.report.study.answer import tiles
from layerwise.report.study.claims import effect_words
from layerwise.report.study.page import write_study_page, write_study_report
from layerwise.report.study.view import read_study_view
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.running import run_study
from layerwise.study.store import Store
from layerwise.study.summary import summarize
from layerwise.study.trials import Trial, failed
from study_files import made_up, small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return made_up(small(("seeds = 3", "seeds = 5")), tmp_path_factory.mktemp("study") / "small", failing=(6,))


def test_the_page_leads_with_the_verdict_and_shows_every_part(store: Store) -> None:
    view = read_study_view(store)
    page = write_study_page(view, store.folder).read_text()
    assert page.index("Predicted:") < page.index("<svg") < page.index('id="claims"')
    assert f"{view.summary.verdict}. " in page
    for key in ("claims", "references", "checks", "curves", "confusion", "calibration", "kernels", "ledger", "method"):
        assert f'<section id="{key}">' in page
    assert "horizontal" in page  # the names of the classes, which no record has
    assert "no room for &lt;b&gt;this&lt;/b&gt;" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_what_the_question_is_called_stands_at_the_head(store: Store, tmp_path: Path) -> None:
    asked = made_up(small(("seeds = 3", 'seeds = 3\nquestion = "Q2 < Q3"')), tmp_path / "asked")
    page = write_study_report(asked.folder).read_text()
    assert "study · <bdi>Q2 &lt; Q3</bdi>" in page[: page.index("Predicted:")]
    assert "study · " not in write_study_report(store.folder).read_text()


def test_the_same_results_give_the_same_bytes(store: Store) -> None:
    first = write_study_page(read_study_view(store), store.folder).read_bytes()
    assert write_study_page(read_study_view(store), store.folder).read_bytes() == first


def test_numbers_stand_beside_the_page(store: Store) -> None:
    view = read_study_view(store)
    write_study_page(view, store.folder)
    told = json.loads((store.folder / "summary.json").read_text(), parse_constant=pytest.fail)
    assert told["verdict"] == view.summary.verdict
    assert [one["p"] for one in told["claims"] if one["kind"] == "needed"] == [0.125]
    assert told["claims"][0]["effect"]["value"] == view.summary.judged[0].finding.effect.value
    runs = pd.read_csv(store.folder / "runs.csv")
    assert len(runs) == 20
    assert set(runs["status"]) == {"done", "failed"}
    assert runs["model.name"].nunique() == 2
    cells = pd.read_csv(store.folder / "cells.csv")
    ours = view.summary.table("ece")["mean"]
    assert cells.loc[cells["measure"] == "ece", "mean"].tolist() == pytest.approx(ours.tolist())
    claims = pd.read_csv(store.folder / "claims.csv")
    assert claims["effect_low"].tolist() == [one.finding.effect.low for one in view.summary.judged]
    assert "effect" not in claims
    assert claims["claim"].tolist() == [one.finding.comparison.claim for one in view.summary.judged]


def test_several_studies_stand_side_by_side(store: Store, tmp_path: Path) -> None:
    stores = [made_up(small(("Do convolutions", f"{word} convolutions")), tmp_path / word) for word in ("Do", "Can")]
    assert write_study_report(stores[0].folder) == stores[0].folder / "report.html"
    assert not (tmp_path / "report.html").exists()
    path = write_study_report(tmp_path)
    assert path == tmp_path / "report.html"
    page = path.read_text()
    assert "2 studies:" in page
    assert 'href="Do/report.html"' in page
    assert page.count("<svg") == 2


def test_one_study_in_two_folders_has_two_sections_and_two_charts(tmp_path: Path) -> None:
    for name in ("fröh", "früh", "late"):
        made_up(small(), tmp_path / name)
    page = write_study_report(tmp_path).read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert re.findall(r"<h2>([^<]+)</h2>", page) == [
        f"Do convolutions help? ({name})" for name in ("fröh", "früh", "late")
    ]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "fr-h-1-outcomes.svg", "fr-h-2-outcomes.svg", "late-outcomes.svg"
    ]  # fmt: skip
    assert (tmp_path / "late" / "figures" / "outcomes.svg").exists()


def test_of_a_loss_the_worst_run_is_the_one_with_the_highest(tmp_path: Path) -> None:
    store = made_up(small(("seeds = 3", 'seeds = 5\nmeasure = "test_loss"')), tmp_path / "loss")
    view = read_study_view(store)
    page = write_study_page(view, store.folder).read_text()
    losses = view.summary.outcomes(view.summary.study.contenders[0])
    told = [f"seed {block}, {losses[block]:.3f}" for block in np.argsort(-losses)]
    assert re.findall(r"seed \d, [^<]*", page)[:3] == [told[0], told[2], told[4]]


def test_one_seed_has_no_interval_and_says_so(tmp_path: Path) -> None:
    view = read_study_view(made_up(small(("seeds = 3", "seeds = 1")), tmp_path / "one"))
    found = view.summary.judged[0].finding
    assert effect_words(found) == f"{100 * found.effect.value:+.1f} points (one seed)".replace("-", "−")
    page = write_study_page(view, tmp_path / "one").read_text()
    assert re.findall(r"[^<>]*\bnan\b[^<>]*", page) == []


def test_what_diverged_is_not_called_failed(tmp_path: Path) -> None:
    study = small()
    store, gone = made_up(study, tmp_path / "study"), Trial(study.cells[0], 0)
    store.forget([gone])
    store.keep([failed(gone, "diverged", NonFiniteError("the loss became NaN."), 0.1)])
    assert "<small>1 of them came to nothing</small>" in tiles(summarize(study, store))


OWN = """
from pathlib import Path
from torch import nn

Path(__file__).with_name("was-run").touch()

def net(num_classes, in_channels):
    return nn.Sequential(nn.Conv2d(in_channels, 2, 3), nn.Flatten(), nn.Linear(72, num_classes))
"""


def test_a_report_runs_no_program_that_results_name(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    network = f'model.name = "{tmp_path}/own.py:net"'
    study = small(("seeds = 3", "seeds = 1"), ('model.name = "simple-cnn"\nmodel.kernel = 3', network),
                  *[('model.name = "simple-cnn"', network)] * 3)  # fmt: skip
    folder = run_study(study, tmp_path / "study", run_in_loop).folder
    (tmp_path / "was-run").unlink()
    assert '<section id="kernels">' in write_study_report(folder).read_text()
    (folder / "described.json").unlink()
    assert '<section id="kernels">' not in write_study_report(folder).read_text()
    assert not (tmp_path / "was-run").exists()


def test_a_study_that_has_not_reached_its_first_look_says_so(tmp_path: Path) -> None:
    study = small(("seeds = 3", "seeds = 6\nlooks = [4, 6]"))
    store = made_up(small(), tmp_path / "early")
    store.begin(study)
    page = write_study_page(read_study_view(store), store.folder).read_text()
    assert "No planned look is reached yet: 3 of 4 blocks are whole." in page


def test_what_departs_from_the_plan_is_told_with_the_plan_that_was_noted(tmp_path: Path) -> None:
    planned = small(("seeds = 3", "seeds = 20"))
    store = made_up(planned.with_seeds(4), tmp_path / "early")
    store.begin(small(("seeds = 3", "seeds = 4"), ("is ahead", "is behind")))
    view = read_study_view(store)
    page = write_study_page(view, store.folder).read_text()
    hypothesis = "The hypothesis was changed after the first run, so its verdict is exploratory."
    look = (
        "4 of 20 planned blocks are done, and the plan was to judge the results only after 20, so p values are "
        "exploratory."
    )
    assert page.count(f"{hypothesis} {look}") == 2
    assert f"Plan {planned.plan}, noted before the first run. {hypothesis}" in page
    assert "p (Holm), exploratory" in page
    told = json.loads((store.folder / "summary.json").read_text())
    assert (told["departures"], told["planned_look"]) == ([hypothesis, look], False)
    assert not pd.read_csv(store.folder / "claims.csv")["planned_look"].any()
