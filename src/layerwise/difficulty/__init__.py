"""How hard each example is, and at which layer it is decided.

- `measuring`: measure_difficulty, the easy door: taps, recording, probes, depths.
- `probing`: the k nearest training examples at every tap, within a memory limit, resumable tap by tap.
- `result`: Difficulty: depths, votes and neighbours, with its tables.
- `folder`: Difficulty to and from a run folder.
"""
