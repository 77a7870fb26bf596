"""The section on early exit: there when exits were evaluated, with its numbers in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exit_files import write_exits
from layerwise.report.page import write_report
from toy_runs import make_run

pytestmark = pytest.mark.slow


def section(run: Path) -> str:
    page = write_report(run).read_text()
    start = page.index('<section id="exits">')
    return page[start : page.index("</section>", start)]


def test_a_run_without_exits_has_no_such_section(tmp_path: Path) -> None:
    assert 'id="exits"' not in write_report(make_run(tmp_path)).read_text()


def test_without_a_budget_the_curve_is_shown_and_how_to_choose_one(tmp_path: Path) -> None:
    written = section(write_exits(make_run(tmp_path), budget=False))
    assert "layerwise exits budget RUN --loss 0.005" in written
    assert "Each exit on its own" in written
    pictures = sorted(path.name for path in (tmp_path / "figures").glob("exits-*"))
    assert pictures == ["exits-curve.svg", "exits-time.svg"]


def test_a_budget_is_told_in_numbers_with_intervals_and_pictures(tmp_path: Path) -> None:
    written = section(write_exits(make_run(tmp_path)))
    assert "37.5 % less MACs, heads counted, and 26.7 % less time (predicted, in batches of 64), for −1.00 " in written
    assert "(−3.00 to +1.00) points of accuracy" in written
    assert "chosen on 80 validation examples" in written
    assert "Promised: at most 2.00% of new examples" in written
    assert "Spearman's ρ of depth with exit +0." in written
    assert "Leave first" in written
    assert "Leave last" in written
    assert len(list((tmp_path / "figures").glob("exits-*"))) == 4


def test_smaller_networks_are_compared(tmp_path: Path) -> None:
    written = section(write_exits(make_run(tmp_path)))
    assert "Early exit, or a smaller network?" in written
    assert "53 % (ms, batch 64)" in written
    assert "52 %" in written
    assert "+3.00 (+1.00 to +5.00)" in written
    assert "out of reach" in written


def test_without_smaller_networks_it_is_said_why(tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path))
    path = run / "exits" / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"smaller": [], "comparisons": [], "compared": "none was asked for"}))
    assert "Not compared: none was asked for." in section(run)


def changed(run: Path, name: str, **facts: object) -> Path:
    path = run / "exits" / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))
    return run


def test_times_of_a_busy_machine_are_not_trusted(tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path))
    assert "not to be trusted" not in section(run)
    times = json.loads((run / "exits" / "summary.json").read_text())["times"]
    written = section(changed(run, "summary.json", times={**times, "plain": [3.8e-3, 0.3]}))
    assert (
        "Times are not to be trusted: the parts of the network take 50 ms together, the whole 300 ms, in batches of "
        "64; the machine was busy. Measure again on a quiet one: layerwise exits evaluate RUN" in written
    )


def test_it_is_said_where_early_exit_does_not_pay(tmp_path: Path) -> None:
    run = write_exits(make_run(tmp_path))
    assert "does not pay" not in section(run)
    compared = json.loads((run / "exits" / "summary.json").read_text())["comparisons"]
    changed(run, "summary.json", comparisons=[one | {"verdict": "the smaller one"} for one in compared])
    written = section(changed(run, "budget.json", gain_95=[-0.03, -0.001]))
    assert (
        "Early exit does not pay here: these thresholds cost accuracy and at equal cost a smaller network is better "
        "(0.5 of the channels). It pays where many images are easy" in written
    )
