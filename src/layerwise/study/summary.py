"""summarize: a study's records as findings and a verdict, by the rule that was planned; load_study, from its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.blocks import Estimate, bootstrap_interval, spending
from layerwise.arrays.intervals import holm_adjusted
from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.study.cells import Cell
from layerwise.study.comparisons import Column, Comparison, Finding, Verdict, compare
from layerwise.study.file import Reference, Study
from layerwise.study.plan import Plan
from layerwise.study.store import Store
from layerwise.study.trials import MEASURES, SHARES
from layerwise.study.tuning import Contender, runs_of


@dataclass(frozen=True)
class Judged:
    """A finding with what the plan makes of it.

    Attributes:
        finding: effect, interval and p value.
        p_adjusted: by Holm, for all planned claims of the same rank, those that are gone included; exploratory ones are
            adjusted among themselves.
        verdict: at the error that this look may use.
        planned: whether the claim stood in the plan before the first run, at this alpha; if not, it is exploratory.
    """

    finding: Finding
    p_adjusted: float
    verdict: Verdict
    planned: bool

    @property
    def still_needed(self) -> int | None:
        """Blocks in all that would decide; None where it is decided, or where none are known that would."""
        return self.finding.still_needed if self.verdict == "open" else None


@dataclass(frozen=True)
class Beside:
    """A number of others beside ours: inside our interval or outside, and among our single runs or beyond them.

    Attributes:
        reference: theirs.
        ours: the mean with its interval.
        run_low, run_high: the 2.5 and 97.5 percent quantiles of our single runs.
    """

    reference: Reference
    ours: Estimate
    run_low: float
    run_high: float

    @property
    def inside(self) -> bool:
        """Whether theirs lies in the interval of our mean."""
        return self._between(self.ours.low, self.ours.high)

    @property
    def among_runs(self) -> bool:
        """Whether theirs lies where 95 % of our single runs do."""
        return self._between(self.run_low, self.run_high)

    def _between(self, low: float, high: float) -> bool:
        """A number that was rounded stands for all that round to it; 0.9 is read as 0.900."""
        digits = max(3, len(str(self.reference.value).partition(".")[2]))
        rounding = 0.5 * 10.0**-digits
        return low - rounding <= self.reference.value <= high + rounding


@dataclass(frozen=True, eq=False)
class StudySummary:
    """What a study found.

    Attributes:
        study: what was asked.
        blocks: how many blocks are whole, and how many of them this look may use.
        used: see there.
        alpha: the error that this look may use; 0 before the first planned one.
        judged: in the order of the comparisons.
        beside: in the order of the references.
        records: a row per run; see `Store.table`.
        plan: what was meant before the first run.
    """

    study: Study
    blocks: int
    used: int
    alpha: float
    judged: tuple[Judged, ...]
    beside: tuple[Beside, ...]
    records: pd.DataFrame = field(repr=False)
    plan: Plan

    @property
    def verdict(self) -> Verdict:
        """Of the hypothesis: supported if every primary claim is, contradicted if one is, else open.

        Open, too, where a planned primary claim is gone, or alpha is another.
        """
        primary = [one.verdict for one in self.judged if one.finding.comparison.primary and one.planned]
        if not primary or self.blocks == 0 or any(one.primary for one in self.gone):
            return "open"
        if "contradicted" in primary:
            return "contradicted"
        return "supported" if set(primary) == {"supported"} else "open"

    @property
    def gone(self) -> tuple[Comparison, ...]:
        """The planned claims that are no longer in the file as they were planned."""
        return self.plan.gone(self.study)

    @property
    def same_hypothesis(self) -> bool:
        """Whether the hypothesis is still that of before the first run."""
        return self.plan.hypothesis == self.study.hypothesis

    @property
    def planned_look(self) -> bool:
        """Whether it was planned to look after as many blocks as are used; if not, p values are exploratory."""
        return self.used in (0, *self.plan.looks)

    @property
    def departures(self) -> tuple[str, ...]:
        """In what the study is not what was planned before the first run, a sentence for each."""
        return self.plan.departures(self.study, self.used)

    @property
    def failures(self) -> pd.DataFrame:
        """The runs that came to nothing: cell, block, status, error."""
        bad = self.records[self.records["status"] != "done"]
        return bad[["cell", "block", "status", "error"]].reset_index(drop=True)

    def table(self, measure: str | None = None) -> pd.DataFrame:
        """A row per contender: its settings that differ, what it chose, and a measure's mean and interval over blocks.

        Columns: the settings by dotted key; `chosen` where something is tuned; `mean`, `low`, `high`, `blocks`.
        """
        contenders = self.study.contenders
        keys = differing_keys(contenders)
        rows = [
            {key: one.settings.get(key) for key in keys} | self._chosen(one) | self._told(one, measure)
            for one in contenders
        ]
        return pd.DataFrame(rows)

    def outcomes(self, contender: Contender, measure: str | None = None) -> NDArray[np.float64]:
        """A measure in each block that is used, shape (R,); NaN where the run failed.

        Raises:
            UnknownNameError: there is no such measure.
        """
        name = measure or self.study.measure
        if name not in MEASURES:
            raise UnknownNameError(f'no measure is called "{name}".{did_you_mean(name, MEASURES)}')
        return _column(self.records, contender, name, self.used)

    def estimate(self, contender: Contender, measure: str | None = None) -> Estimate:
        """A measure's mean with its interval over the blocks that are used."""
        name = measure or self.study.measure
        return _estimate(self.outcomes(contender, name), name)

    def runs(self, contender: Contender) -> pd.DataFrame:
        """A contender's runs in the blocks that are used, a row each."""
        rows = runs_of(self.records, contender)
        return rows[rows["block"] < self.used].reset_index(drop=True)

    def _told(self, contender: Contender, measure: str | None) -> dict[str, Any]:
        found = self.estimate(contender, measure)
        return {"mean": found.value, "low": found.low, "high": found.high, "blocks": found.blocks}

    def _chosen(self, contender: Contender) -> dict[str, str]:
        """What the blocks chose, the most frequent first; nothing in a study that tunes nothing."""
        if isinstance(contender, Cell):
            return {"chosen": ""} if len(self.study.cells) > len(self.study.contenders) else {}
        cells = {cell.address: cell for cell in contender.candidates}
        counts = self.runs(contender)["cell"].value_counts(sort=True)
        return {
            "chosen": "; ".join(
                ", ".join(f"{key.rpartition('.')[2]} {cells[str(address)].settings[key]}" for key in contender.searched)
                + f" in {count}"
                for address, count in counts.items()
            )
        }


def summarize(study: Study, store: Store, *, seed: int = 0) -> StudySummary:
    """Compare what was claimed.

    Looks are planned: only the blocks of the last look that is reached are used, and the error is shared among looks.

    Args:
        study: with its claims.
        store: with its records.
        seed: draws resamples and signs.
    """
    plan = Plan.read(store.plan(), study)
    records = store.table()
    addresses = {cell.address for cell in study.cells}
    records = records[records["cell"].isin(addresses) & (records["block"] < study.seeds)].reset_index(drop=True)
    blocks = whole_blocks(records, len(study.cells))
    used, alpha = _look(study, plan, blocks)
    contenders = {one.address: one for one in study.contenders}

    def columns(measure: str) -> Column:
        return lambda address: _column(records, contenders[address], measure, used)

    families = [(plan.holds(one, alpha=study.alpha), one.primary) for one in study.comparisons]
    sizes = Counter([*families, *((True, one.primary) for one in plan.gone(study))])
    findings = [
        _bounded(compare(one, columns(one.measure), alpha=study.alpha, claims=sizes[family], seed=seed))
        for one, family in zip(study.comparisons, families, strict=True)
    ]
    adjusted = _adjusted(findings, families, sizes)
    judged = tuple(
        Judged(finding, p, finding.verdict(p, alpha=alpha) if used else "open", planned)
        for finding, p, (planned, _) in zip(findings, adjusted, families, strict=True)
    )
    beside = tuple(_beside(one, columns(one.measure)(one.cell), seed) for one in study.references)
    return StudySummary(study, blocks, used, alpha, judged, beside, records, plan)


def load_study(folder: Path | str) -> StudySummary:
    """What the study found that was last run in a folder; nothing is run.

    Raises:
        StudyError: nothing was run there, or the folder cannot be used.
    """
    store = Store(folder)
    return summarize(store.study(), store)


def whole_blocks(records: pd.DataFrame, cells: int) -> int:
    """How many blocks from the first on have a record of every cell."""
    counts = records.groupby("block").size()
    missing = [block for block in range(len(counts) + 1) if counts.get(block, 0) < cells]
    return int(missing[0])


def differing_keys(contenders: Sequence[Contender]) -> list[str]:
    """The settings in which contenders differ: the factors."""
    keys = dict.fromkeys(key for one in contenders for key in one.settings)
    return [key for key in keys if len({str(one.settings.get(key)) for one in contenders}) > 1]


def _look(study: Study, plan: Plan, blocks: int) -> tuple[int, float]:
    """The blocks that may be used, and the error that may be made, at the last look that is reached.

    A look that was planned has the error of the plan, however many looks were asked for since.
    """
    reached = [look for look in study.looks if look <= blocks]
    if not reached:
        return 0, 0.0
    used = reached[-1]
    looks = plan.looks if used in plan.looks else study.looks
    return used, float(spending(looks, alpha=study.alpha)[looks.index(used)])


def _column(records: pd.DataFrame, contender: Contender, measure: str, used: int) -> NDArray[np.float64]:
    """A contender's numbers, one for each block that is used; NaN where it failed."""
    rows = runs_of(records, contender)
    rows = rows[rows["block"] < used]
    column = np.full(used, np.nan)
    column[rows["block"].to_numpy(np.int64)] = rows[measure].to_numpy(np.float64)
    return column


def _beside(reference: Reference, outcomes: NDArray[np.float64], seed: int) -> Beside:
    finite = outcomes[np.isfinite(outcomes)]
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) else (np.nan, np.nan)
    return Beside(reference, _estimate(outcomes, reference.measure, seed=seed), float(low), float(high))


def _bounded(finding: Finding) -> Finding:
    """The interval of a level that is a share ends at 0 and 1."""
    if finding.comparison.kind != "at-least" or finding.comparison.measure not in SHARES:
        return finding
    effect = finding.effect
    return replace(finding, effect=replace(effect, low=max(effect.low, 0.0), high=min(effect.high, 1.0)))


def _estimate(outcomes: NDArray[np.float64], measure: str, *, seed: int = 0) -> Estimate:
    """The interval of a share ends at 0 and 1."""
    found = bootstrap_interval(outcomes, seed=seed)
    if measure not in SHARES:
        return found
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))


Family = tuple[bool, bool]
"""Whether a claim is planned, and whether it is primary: claims are adjusted among those of their family."""


def _adjusted(findings: Sequence[Finding], families: Sequence[Family], sizes: Mapping[Family, int]) -> list[float]:
    """P values by Holm; claims that are gone count as such that did not come true."""
    adjusted = np.full(len(findings), np.nan)
    for family in set(families):
        rows = [place for place, one in enumerate(families) if one == family]
        gone = [1.0] * (sizes[family] - len(rows))
        adjusted[rows] = holm_adjusted([*(findings[place].p for place in rows), *gone])[: len(rows)]
    return [float(p) for p in adjusted]
