"""Encoders: what places new images on a picture, or in few numbers; estimators as scikit-learn has them.

- `base`: what all share: checked input, `save` and `load`.
- `linear`: LinearAutoencoder, which finds the subspace of the principal components.
- `autoencoder`: Autoencoder, layers with activations between, and the reconstruction.
- `parametric_tsne`: ParametricTsne, a network that draws the t-SNE map.
- `training`: the steps that the last two share.
- `measured`, `folder`: all of them on the images of a run, a fifth held out; in the run folder.
"""

from __future__ import annotations
