"""Which labels are wrong: ranked, with a class in their place and what speaks for it.

- `suspicion`: how likely each label is wrong, and each image ambiguous, from training dynamics.
- `errors`: LabelErrors and find_label_errors, the easy door.
- `evidence`: the neighbours of the most suspect ones at every tap, and where they were lost.
- `folder`: both to and from a run folder.
- `export`: the same tables under the names that other tools expect.
"""
