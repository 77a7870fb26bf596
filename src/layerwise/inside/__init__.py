"""What is inside a data set and a network.

- `data_set`, `complexity`: what `layerwise data` shows before any network.
- `filters`: the weights of a convolution; `feature_maps`: what a network computes for one example.
- `embedding`: maps of the images at the pixels and at every tap.
- `encoders`: few numbers for an image, and the way back.
- `units`: what each unit does; `unit_folder`: units in a run folder.
- `gradients`: the gradient of the loss at each layer.
"""
