"""A run folder → plain tables: what plots draw and the report prints. Nothing here draws, and nothing needs torch.

* `run`: `read_run`, `RunView`; `faults`: whether the parts of a folder belong together.
* `depths`: examples, accuracy and classes at each depth.
* `taps`: accuracy of the probe at each tap, what each tap gains and loses, confusion.
* `examples`: easiest, hardest, and the story of one example.
* `factors`: depth against what is known of how each image was made.
* `exits`, `maps`, `units`: what `layerwise exits` and `layerwise inside` left in the folder.
"""
