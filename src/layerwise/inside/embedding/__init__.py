"""Maps: every example as a point of the plane, at the pixels and at every tap, so that one sees where classes part.

- `taps`: embed_taps, a map for each tap and method; a tap's map starts from the one before it and is turned to it.
- `result`: Embedding, one map with its quality.
- `reduction`: PCA, which comes before every other method.
- `tsne`: t-SNE by openTSNE, on exact neighbours; `umap`: UMAP.
- `alignment`: turns a map to another, so that points can be followed.
- `placing`: where new points fall on maps that are drawn; `new_images`: MapPlacer, for images and all taps.
- `folder`: maps in a run folder.
"""

from __future__ import annotations
