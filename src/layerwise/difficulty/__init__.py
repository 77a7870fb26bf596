"""How hard each example is, and at which layer it is decided.

- `measuring`: measure_difficulty and measure_depths, the easy doors: taps, recording, probes, depths.
- `settings`: ProbeSettings.
- `recorder`: activations in groups of taps that fit the memory limit; whom to ask, and who is left out of its own vote.
- `recorded`, `shards`: a group of taps in memory, or one tap that is too large for that.
- `clock`: where the time went.
- `probing`: the k nearest training examples at every tap.
- `lazy`: depths alone, from the last tap backwards, with fewer and fewer examples.
- `found`: finished taps, from which an interrupted measurement goes on.
- `projection`, `agreement`: approximate votes from folded activations, and how many of them are the exact ones.
- `input_cache`: the neighbours of the raw images, which no network changes.
- `result`, `depths`: Difficulty (votes and neighbours) and Depths, with their tables.
- `folder`: both to and from a run folder.
- `folds`, `kept_folds`: the four kinds of difficulty by several trainings; folds that an earlier call finished.
- `over_runs`: depths and scores over runs of several seeds.
- `gradients`: the variance of gradients.
- `labels`: which labels are wrong.
"""
