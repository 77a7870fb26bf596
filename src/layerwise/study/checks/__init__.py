"""Checks that a careful experimenter makes, before and after a run. Each says what it saw, and what to do.

check     Check: what was seen, and what to do
data      classes, copies, borders and specks of the images
before    networks, settings and runners, before the first run
after     the numbers of the runs, and what is claimed with them
seeds     blocks enough to decide anything, and what was left open
curves    losses by epoch: still falling, or rising while the accuracy rises
noted     what was seen before the first run, kept for the report
results   check_study: all of them, with those of a folder's results
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from layerwise.data.images import ImageData
from layerwise.errors import InputError, StudyError
from layerwise.study.cells import Cell
from layerwise.study.checks.after import (
    check_failures,
    check_kernels,
    check_losses,
    check_saturation,
)
from layerwise.study.checks.before import check_by_heart, check_independence, check_one_image, check_reported
from layerwise.study.checks.check import Check
from layerwise.study.checks.curves import check_confidence, check_flattened
from layerwise.study.checks.data import check_data
from layerwise.study.checks.seeds import check_few, check_seeds
from layerwise.study.file import Study
from layerwise.study.summary import Judged
from layerwise.study.trials import Trial, trial_data


def check_before(study: Study) -> tuple[Check, ...]:
    """Look at the images, networks and settings of a study before it is run; seconds for small networks.

    Args:
        study: of which the images of the first block are looked at.

    Raises:
        InputError: the images or the network of a cell cannot be had.
    """
    spec_to_data = {cell.data_spec: _images_of(cell) for cell in study.cells}
    return (
        *_together({spec: check_data(data) for spec, data in spec_to_data.items()}),
        check_one_image(study, spec_to_data),
        check_by_heart(study, spec_to_data),
        check_independence(study),
        check_reported(study),
        check_few(study),
    )


def _images_of(cell: Cell) -> ImageData:
    try:
        return trial_data(Trial(cell, 0))
    except InputError:
        raise
    except Exception as error:  # more than there is memory for, or a number that NumPy does not take
        raise StudyError(f"the images of {cell.data_spec} cannot be had: {type(error).__name__}: {error}") from error


def check_after(study: Study, records: pd.DataFrame, judged: Sequence[Judged]) -> tuple[Check, ...]:
    """Look at what came of a study.

    Args:
        study: what was asked.
        records: a row per run, with its curves; see `Store.table`.
        judged: the claims.
    """
    addresses = {cell.address for cell in study.cells}
    rows = records[records["cell"].isin(addresses) & (records["block"] < study.seeds)]
    done = rows[rows["status"] == "done"]
    return (
        check_failures(study, rows),
        check_losses(study, done),
        check_kernels(study, done),
        check_flattened(study, done),
        check_confidence(study, done),
        check_saturation(study, done),
        check_seeds(judged),
    )


def _together(spec_to_checks: Mapping[str, Sequence[Check]]) -> tuple[Check, ...]:
    """The checks of several kinds of images as one each: the first that is not fine, or else that of the last kind."""
    told = []
    for alike in zip(*spec_to_checks.values(), strict=True):
        bad = [place for place, one in enumerate(alike) if not one.fine]
        place = bad[0] if bad else len(alike) - 1
        one, spec = alike[place], list(spec_to_checks)[place]
        more = f" (so have {len(bad) - 1} other kinds of images)" if len(bad) > 1 else ""
        told.append(Check(one.name, one.fine, f"{spec}: {one.saw}{more}", one.do))
    return tuple(told)
