"""scikit-learn's handwritten digits: 1,797 grey images of 8×8 that need no file and no network."""

from __future__ import annotations

import numpy as np

from layerwise.data.images import ImageData
from layerwise.data.split_files import numbered_ids, train_and_test


def load_digits(*, test: float = 0.2, seed: int = 0) -> ImageData:
    """The digits 0 to 9, written by 43 people.

    Args:
        test: the share of the examples that a seeded, stratified draw puts into "test".
        seed: decides the draw.

    Source: Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI, in scikit-learn.
    """
    from sklearn import datasets  # slow to import, and no other source needs it

    bunch = datasets.load_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # (N, H, W); 0 to 16 in the source
    labels = bunch.target.astype(np.int64)
    return ImageData.create(
        pixels[:, None],
        labels,
        ids=numbered_ids("digits", len(labels)),
        splits=train_and_test(labels, test_share=test, seed=seed),
        class_names=[str(name) for name in bunch.target_names],
        name="digits",
    )
