"""Plan: what was meant before the first run, and in what a study departs from it since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerwise.study.comparisons import Comparison, planned_comparison
from layerwise.study.file import Study


@dataclass(frozen=True)
class Plan:
    """What was meant before the first run.

    Attributes:
        digest: a hash of the hypothesis, alpha and the claims; see `Study.plan`.
        hypothesis: in words.
        comparisons: the identities of the claims.
        alpha: the error that the verdict may have.
        looks: after how many blocks one meant to look; the last is all of them.
    """

    digest: str
    hypothesis: str
    comparisons: tuple[str, ...]
    alpha: float
    looks: tuple[int, ...]

    @classmethod
    def read(cls, noted: Mapping[str, Any], study: Study) -> Plan:
        """The plan that was noted; what older folders did not note is taken from the study."""
        return cls(
            noted.get("plan", study.plan),
            noted.get("hypothesis", study.hypothesis),
            tuple(noted.get("comparisons", ())),
            noted.get("alpha", study.alpha),
            tuple(noted.get("looks", study.planned_looks)),
        )

    def holds(self, comparison: Comparison, *, alpha: float) -> bool:
        """Whether a claim was planned as it stands, and with this alpha."""
        return comparison.identity in self.comparisons and alpha == self.alpha

    def gone(self, study: Study) -> tuple[Comparison, ...]:
        """The planned claims that the study has no more, or not as they were planned."""
        there = {one.identity for one in study.comparisons}
        return tuple(planned_comparison(one) for one in self.comparisons if one not in there)

    def departures(self, study: Study, used: int) -> tuple[str, ...]:
        """In what a study is not what was planned, a sentence for each.

        Args:
            study: as it is now.
            used: the blocks that it is told after.
        """
        told = []
        if self.hypothesis != study.hypothesis:
            told.append("The hypothesis was changed after the first run, so its verdict is exploratory.")
        if self.alpha != study.alpha:
            told.append(
                f"alpha was {self.alpha:g} before the first run and is {study.alpha:g} now, "
                "so all claims are exploratory."
            )
        if gone := self.gone(study):
            claims = f"1 planned claim is no longer in the file as planned ({gone[0].claim})"
            if len(gone) > 1:
                claims = f"{len(gone)} planned claims are no longer in the file as planned (the first: {gone[0].claim})"
            told.append(claims + (", so the verdict is open." if any(one.primary for one in gone) else "."))
        if used and used not in self.looks:
            told.append(f"{self._look_words(used)}, so p values are exploratory.")
        return tuple(told)

    def _look_words(self, used: int) -> str:
        if used > self.looks[-1]:
            return f"{self.looks[-1]} blocks were planned, {used} ran"
        *earlier, last = map(str, self.looks)
        when = f"{', '.join(earlier)} or {last}" if earlier else last
        return f"{used} of {last} planned blocks are done, and the plan was to judge the results only after {when}"
