"""What each score means, as data: its direction, formula, cost and source. Who compares scores asks here for the sign.

SCORES        every score by the name of its column
hardness      a score turned so that high is hard
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerwise.errors import UnknownNameError, did_you_mean

__all__ = ["SCORES", "Score", "hardness", "score"]


@dataclass(frozen=True)
class Score:
    """One score.

    Attributes:
        name: of its column in tables.
        words: what it is, for people.
        high_means: "hard" or "easy".
        formula: with p the probabilities, z the logits, y the label, over E epochs.
        cost: beside one ordinary training.
        source: where it comes from.
    """

    name: str
    words: str
    high_means: Literal["hard", "easy"]
    formula: str
    cost: str
    source: str


EPOCHS = "a forward and a backward pass of each epoch's weights"
FREE, PASS, VOTES = "free with training", "one forward pass", "a forward pass and votes"
MAPS, FORGETTING, DIET = "Swayamdipta and others (2020)", "Toneva and others (2019)", "Paul and others (2021)"
QUALITY = "Kuan and Mueller (2022)"

SCORES = {
    one.name: one
    for one in (
        Score("aum", "area under the margin", "easy", "mean of z_y - max z_other", FREE, "Pleiss and others (2020)"),
        Score("confidence", "mean confidence in the label", "easy", "mean of p_y", FREE, MAPS),
        Score("variability", "variability", "hard", "deviation of p_y", FREE, MAPS),
        Score("correctness", "share of epochs right", "easy", "mean of [right]", FREE, MAPS),
        Score("aleatoric", "aleatoric uncertainty", "hard", "mean of p_y (1 - p_y)", FREE, "Seedat and others (2022)"),
        Score("mean_loss", "mean loss", "hard", "mean of -log p_y", FREE, "Huang and others (2019)"),
        Score("mean_margin", "mean margin", "easy", "mean of p_y - max p_other", FREE, QUALITY),
        Score("mean_entropy", "mean entropy", "hard", "mean of -Σ p log p", FREE, "Shannon (1948)"),
        Score("el2n", "error norm, early", "hard", "mean of |p - e_y|, first 10 epochs", FREE, DIET),
        Score("forgetting", "forgetting events", "hard", "times right, then wrong", FREE, FORGETTING),
        Score("iteration_learned", "epoch learned", "hard", "from then on right", FREE, "Baldock and others (2021)"),
        Score("learning_error", "error norm while learning", "hard", "weighted mean of |p - e_y|", FREE, "layerwise"),
        Score("learning_aum", "AUM while learning", "easy", "weighted mean of z_y - max z_other", FREE, "layerwise"),
        Score("self_confidence", "confidence in the label", "easy", "p_y", PASS, "Northcutt and others (2021)"),
        Score("normalized_margin", "margin of the label", "easy", "(p_y - max p_other + 1) / 2", PASS, QUALITY),
        Score("confidence_weighted_entropy", "confidence-weighted entropy", "hard", "-Σ p log p / (p_y log K)", PASS,
              QUALITY),
        Score("loss", "loss", "hard", "-log p_y", PASS, "cross-entropy"),
        Score("entropy", "entropy", "hard", "-Σ p log p", PASS, "Shannon (1948)"),
        Score("grand", "gradient norm of the last layer", "hard", "|p - e_y| |(h, 1)|", PASS, DIET),
        Score("vog", "variance of gradients", "hard", "deviation of dz_y/dx over epochs, mean of pixels", EPOCHS,
              "Agarwal and others (2022)"),
        Score("depth", "prediction depth", "hard", "first tap from which all probes agree", VOTES,
              "Baldock and others (2021)"),
        Score("soft_depth", "soft depth", "hard", "taps not surely agreeing", VOTES, "layerwise"),
        Score("knn_disagreement", "neighbours of other labels", "hard", "share of k neighbours not of class y", VOTES,
              "Zhu and others (2022)"),
    )
}  # fmt: skip


def score(name: str) -> Score:
    """The facts of a score.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in SCORES:
        raise UnknownNameError(
            f'no score is named "{name}".{did_you_mean(name, SCORES)}\n    The scores are: {", ".join(SCORES)}.'
        )
    return SCORES[name]


def hardness(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """A score with the sign that makes high values hard, so that no comparison mixes directions.

    Args:
        name: which score.
        values: of any shape.

    Raises:
        UnknownNameError: there is no such score.

    >>> hardness("aum", [2.0, -1.0]).tolist(), hardness("el2n", [0.5]).tolist()
    ([-2.0, 1.0], [0.5])
    """
    sign = 1.0 if score(name).high_means == "hard" else -1.0
    return sign * np.asarray(values, np.float64)
