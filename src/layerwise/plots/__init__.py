"""View → matplotlib axes. Every function draws into the axes given, or makes a figure of its own, and returns the axes.

None of them computes, shows, saves, or touches matplotlib's global settings.

* `depths`: histogram, accuracy, classes.
* `taps`: probe accuracy, gains and losses, confusion.
* `examples`: grids of images, the vote strip, the neighbours at every tap.
* `data_set`: examples of each class, explained variance; `maps`: examples as points; `filters`: filters, feature maps;
  `units`: firing, gradients, top images; `encoders`: reconstructions.
* `exits`: accuracy against cost.
* `factors`, `training`: depth against factors; the curves of training.
* `style`, `saving`: colours and letters; deterministic SVG files.
"""
