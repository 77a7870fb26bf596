"""A small study that trains in seconds, and changes of its text."""

from __future__ import annotations

from layerwise.study.file import Study, parse_study

SMALL = """
title = "Do convolutions help?"
hypothesis = "With few images the convolutional network is ahead."
seeds = 3

[all]
data.kind = "edges"
data.resolution = 8
data.width = [1, 2]
data.validation_per_class = 4
data.test_per_class = 20
training.optimizer = "sgd"
training.learning_rate = 0.05
training.batch_size = 6
training.epochs = 2

[[cells]]
model.name = "simple-cnn"
model.kernel = 3
data.train_per_class = [2, 4]

[[cells]]
model.name = "two-layer-mlp"
model.side = 8
data.train_per_class = [2, 4]

[[compare]]
higher.model.name = "simple-cnn"
lower.model.name = "two-layer-mlp"
for.data.train_per_class = [2, 4]

[[compare]]
kind = "needed"
fewer.model.name = "simple-cnn"
more.model.name = "two-layer-mlp"
along = "data.train_per_class"
level = 0.5
primary = false

[[reference]]
source = "a notebook"
cell.model.name = "simple-cnn"
cell.data.train_per_class = [2, 4]
value = [0.3, 0.4]
"""


def small(*changes: tuple[str, str]) -> Study:
    """The study, with parts of its text replaced."""
    text = SMALL
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return parse_study(text, name="small", source="small.toml")
