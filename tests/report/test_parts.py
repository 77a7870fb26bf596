"""The parts of the report: markup that escapes, sentences that say no more than the numbers, charts that keep apart."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from layerwise.report.answer import answer
from layerwise.report.factors import factor_section
from layerwise.report.galleries import gallery_section
from layerwise.report.html import Html, joined, name, number_words, share_words, table, tag
from layerwise.report.pictures import Album, inline_svg, png_uri, thumbnail
from layerwise.views.run import RunView


def made(
    shallow_right: int, deep_right: int, *, of: int = 100, unresolved: int = 0, agree: str = "prediction"
) -> RunView:
    """A run of `of` examples decided at the first of two taps and `of` at the second, so many of each right."""
    decided_first = np.arange(2 * of) < of
    right = np.concatenate([np.arange(of) < shallow_right, np.arange(of) < deep_right])
    predictions = right.astype(np.int64)  # every label is class 1
    votes = np.stack([np.where(decided_first, predictions, 1 - predictions), predictions], axis=1)
    votes[len(votes) - unresolved :, 1] = 1 - predictions[len(votes) - unresolved :]
    depth = np.where(decided_first, 0, 1)
    depth[len(votes) - unresolved :] = 2
    examples = pd.DataFrame(
        {
            "id": [f"{n:04d}" for n in range(2 * of)],
            "split": "test",
            "label": 1,
            "prediction": predictions,
            "correct": right,
            "confidence": 0.9,
            "depth": depth,
            "reference": predictions,
        }
    )
    return RunView(
        name="made",
        class_names=("a", "b"),
        examples=examples,
        taps=pd.DataFrame({"name": ["input", "softmax"]}),
        votes=votes,
        run={"steps": {"difficulty": {"agree_with": agree}}},
    )


def plain(markup: str) -> str:
    return "".join(ET.fromstring(f"<x>{markup}</x>").itertext()).replace("\u00a0", " ")


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b & c", tag("b", "d")) == "<p>a &lt; b &amp; c<b>d</b></p>"
    assert joined(["<", Html("<br>")]) == "&lt;<br>"
    assert tag("img", alt='"><script>') == '<img alt="&quot;&gt;&lt;script&gt;">'


def test_names_are_kept_apart_and_control_characters_shown() -> None:
    assert name("a\x00<b>\u202e") == "<bdi>a�&lt;b&gt;�</bdi>"


def test_cells_of_tables_are_escaped() -> None:
    assert '<td class="name">&lt;i&gt;</td><td class="number">1</td>' in table(["A", "B"], [["<i>", "1"]])


def test_a_share_of_nothing_is_a_dash_and_an_unknown_interval_is_left_out() -> None:
    assert share_words(0, 0) == "–"
    assert number_words(1.0, float("nan"), float("nan")) == "1.00"


def test_accuracy_is_said_to_fall_only_where_the_intervals_lie_apart() -> None:
    assert "accuracy falls from 95.0 % [88.8, 97.8] on the images decided at input to 50.0 %" in plain(
        answer(made(95, 50))
    )
    assert "accuracy rises from 50.0 %" in plain(answer(made(50, 95)))
    overlapping = plain(answer(made(95, 90)))
    assert "accuracy is 95.0 % [88.8, 97.8] on the images decided at input and 90.0 %" in overlapping
    assert "(the intervals overlap)." in overlapping


def test_accuracies_of_few_images_are_not_spoken_of() -> None:
    assert "accuracy falls" not in plain(answer(made(19, 0, of=19)))
    assert "accuracy falls" in plain(answer(made(20, 0, of=20)))


def test_depths_of_few_images_are_spoken_of_together() -> None:
    depth = np.array([0] * 30 + [1] * 15 + [2] * 10)
    votes = np.stack([depth == 0, depth <= 1, depth <= 2], axis=1).astype(np.int64)  # all right, the label is 1
    examples = pd.DataFrame(
        {"id": [f"{n:02d}" for n in range(55)], "split": "test", "label": 1, "prediction": 1, "correct": True}
    ).assign(confidence=0.9, depth=depth, reference=1)
    taps = pd.DataFrame({"name": ["input", "layer1", "softmax"]})
    view = RunView(name="few", class_names=("a", "b"), examples=examples, taps=taps, votes=votes)
    assert "decided at input and 100.0 % [86.7, 100.0] on those decided only at layer1 or later" in plain(answer(view))


def test_the_unresolved_are_counted_with_their_accuracy() -> None:
    assert "None is unresolved." in plain(answer(made(95, 50)))
    words = plain(answer(made(95, 100, unresolved=30)))
    assert "30 (15.0 % [10.7, 20.6]) are unresolved" in words
    assert "the network is right on 100.0 % [88.6, 100.0] of them." in words
    one = plain(answer(made(95, 100, unresolved=1)))
    assert "1 (0.5 % [0.1, 2.8]) is unresolved" in one
    assert "the network is right on it." in one


@pytest.mark.parametrize(
    ("agree", "words"), [("prediction", "the network's own prediction"), ("last-probe", "the last probe")]
)
def test_the_reference_class_is_named_as_recorded(agree: str, words: str) -> None:
    assert f"every k-NN probe agrees with {words}." in plain(answer(made(95, 50, agree=agree)))


def test_a_record_that_the_columns_contradict_is_not_believed() -> None:
    assert "agrees with the network's own prediction." in plain(answer(made(95, 50, agree="label")))


def test_two_charts_on_one_page_share_no_id() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 50">'
        '<style>* {fill: red}</style><defs><path id="m1" d="M 0 0"/></defs><g id="axes_1" clip-path="url(#m1)">'
        '<use xlink:href="#m1" style="fill: #1b2430"/><text>id="m1" &lt;b&gt;</text></g></svg>'
    )
    assert inline_svg(svg, "one", 'a "chart"') == (
        '<div class="plot"><svg viewBox="0 0 100 50" role="img" aria-label="a &quot;chart&quot;" '
        'style="max-width: 136px"><defs><path d="M 0 0" id="one-m1" /></defs><g clip-path="url(#one-m1)">'
        '<use style="fill: var(--ink)" href="#one-m1" /><text>id="m1" &lt;b&gt;</text></g></svg></div>'
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_thumbnails_keep_their_pixels(channels: int) -> None:
    image = np.arange(channels * 20, dtype=np.uint8).reshape(channels, 4, 5)
    encoded = png_uri(image).removeprefix("data:image/png;base64,")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    np.testing.assert_array_equal(pixels.reshape(4, 5, channels), np.moveaxis(image, 0, -1))


def test_large_images_are_made_small() -> None:
    encoded = png_uri(np.zeros((3, 300, 200), np.uint8)).removeprefix("data:image/png;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (64, 96)


def with_factors(**factors: object) -> RunView:
    """100 examples decided at the first tap, then 100 decided at the second."""
    view = made(90, 60)
    return replace(view, examples=view.examples.assign(**{f"factor_{name}": some for name, some in factors.items()}))


DEEPER = np.repeat([0.0, 1.0], 100) + 0.1 * np.sin(np.arange(200.0))
NEITHER = np.tile([0.0, 1.0], 100)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (
            {"size": -DEEPER, "noise": DEEPER, "hue": NEITHER},
            "Depth rises with noise (ρ +0.87); it falls with size (ρ −0.87), beyond chance after Holm's correction "
            "for 3 factors. Of the other it cannot be said.",
        ),
        ({"noise": DEEPER}, "Depth rises with noise (ρ +0.87), beyond chance."),
        (
            {"hue": NEITHER, "tilt": NEITHER[::-1]},
            "None of the 2 factors rises or falls with depth beyond chance; the pictures show whether depth changes in "
            "another way.",
        ),
        (
            {"hue": NEITHER},
            "The factor neither rises nor falls with depth beyond chance; the pictures show whether depth changes in "
            "another way.",
        ),
    ],
)
def test_the_section_on_factors_begins_with_what_was_found(
    tmp_path: Path, factors: dict[str, object], said: str
) -> None:
    written = factor_section(with_factors(**factors), Album(tmp_path))
    first = written[: written.index("</p>") + len("</p>")]
    assert plain(first) == said


@pytest.mark.parametrize(("agree", "words"), [("prediction", "the network's own prediction"), ("label", "the label")])
def test_captions_name_what_the_probes_are_compared_with(tmp_path: Path, agree: str, words: str) -> None:
    view = made(100, 100, unresolved=3, agree=agree)
    said = plain(gallery_section(view, Album(tmp_path)).replace("<br>", " "))
    assert f"a bar beneath where it is {words}." in said
    assert f"Not even the last probe agrees with {words};" in said
    assert "reference class" not in said


def test_pictures_are_there_before_they_are_scrolled_to() -> None:
    assert "loading" not in thumbnail(np.zeros((1, 4, 4), np.uint8), "a picture")
