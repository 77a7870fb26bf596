"""What is inside a data set and a network.

- `data_set`: what `layerwise data` shows before any network.
- `embedding`: maps of the images at the pixels and at every tap.
"""
