"""Whether there are blocks enough: to decide anything, and to decide what was left open.

check_few      before a run: so few that no claim can be decided
check_seeds    after it: claims that are open, and the blocks that would decide them
"""

from __future__ import annotations

from collections.abc import Sequence

from layerwise.arrays.blocks import fewest_blocks, spending
from layerwise.study.checks.check import Check, judge
from layerwise.study.file import Study
from layerwise.study.summary import Judged

NAME = "seeds enough"


def check_few(study: Study) -> Check:
    """Whether any claim can be decided: fewer blocks give no p value that is small enough, even if all agree.

    Claims of sameness are left out: their t test can decide with fewer.
    """
    claims = [one for one in study.comparisons if one.kind != "same"]
    count = len([one for one in claims if one.primary]) or len(claims)
    if not count:
        return judge(NAME, [], otherwise="no difference is claimed", do="")
    alpha = float(spending(study.looks, alpha=study.alpha)[-1])
    fewest = fewest_blocks(alpha, claims=count)
    faults = []
    if study.seeds < fewest:
        faults.append(
            f"{study.seeds} seeds can decide none of {count} claims: even where all seeds agree, "
            f"p is {2 / 2**study.seeds:.2g}, and one of them needs {alpha / count:.2g}"
        )
    otherwise = f"{study.seeds}; fewer than {fewest} could decide none of {count} claims"
    return judge(NAME, faults, otherwise=otherwise, do=f"run {fewest} or more, better twice as many")


def check_seeds(judged: Sequence[Judged]) -> Check:
    """Whether the claims are decided; nothing is said of those that no block, or no planned look, was there for."""
    looked_at = [one for one in judged if one.finding.effect.blocks]
    still_open = [one for one in looked_at if one.verdict == "open"]
    faults = [_open_words(one) for one in sorted(still_open, key=lambda one: one.still_needed or float("inf"))]
    most = max((one.still_needed or 0 for one in still_open), default=0)
    seeds = f" with {most:,} seeds," if most else ""
    do = f"plan a new study{seeds} or with looks; to add seeds until a claim comes true errs more often than alpha says"
    otherwise = f"{len(looked_at)} of {len(judged)} claims are decided"
    return judge(NAME, faults, otherwise=otherwise, do=do)


def _open_words(one: Judged) -> str:
    effect, needed = one.finding.effect, one.still_needed
    would = "no number of seeds is known that would decide it"
    if needed is not None:
        would = f"about {needed:,} in all would show {effect.value:.3g}"
    return f"{one.finding.comparison.claim}: open after {effect.blocks} seeds, {would}"
