"""What --help says of networks and images is what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from layerwise.cli.names import IMAGES, LIST_IMAGES, LIST_NETWORKS, NETWORKS
from layerwise.data.catalog import SOURCES
from layerwise.models.catalog import known_models


def test_the_examples_of_networks_and_images_are_known() -> None:
    named = re.findall(r"[a-z][a-z0-9-]+", NETWORKS.partition(";")[0])
    assert set(named) <= set(known_models())
    forms = re.findall(r"[a-z0-9-]+(?:$|(?=[,;:]))", IMAGES.replace("your own, ", ""))
    assert set(forms) <= set(SOURCES)


@pytest.mark.parametrize("command", ["train", "data", "taps"])
def test_help_names_examples_and_says_how_to_list_all(cli: Any, command: str) -> None:
    shown = " ".join(re.sub(r"[│╭╮╰╯─]", " ", cli(command, "--help").out).split())
    if command != "data":
        assert NETWORKS in shown
    if command != "taps":
        assert IMAGES in shown
    if command == "train":
        assert LIST_NETWORKS in shown
        assert LIST_IMAGES in shown
