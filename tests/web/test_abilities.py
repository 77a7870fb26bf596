"""What a run's network can be asked is known without loading it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from layerwise.views.run import RunView, read_run
from layerwise.web.abilities import Abilities, find_abilities

EVERYTHING = Abilities(True, True, ())


def abilities_of(run: Path, view: RunView | None = None, **options: Any) -> Abilities:
    given = {"model": None, "data": None, "trust_code": True, "limit_bytes": 4e9, **options}
    return find_abilities(view or read_run(run), run, **given)


def test_what_can_be_asked_is_known_without_loading_the_network(toys_to_change: Path) -> None:
    run = Path("measured")
    view = read_run(run)
    assert abilities_of(run) == EVERYTHING
    untrusted = abilities_of(run, trust_code=False)
    assert (untrusted.feature_maps, untrusted.place) == (False, False)
    assert untrusted.missing[0] == {
        "part": "feature maps",
        "words": "The run names net.py:net as its network. This file would have to be run, and was not.",
        "command": "layerwise explore measured --trust-code",
    }
    in_python = replace(view, model={**view.model, "spec": None})
    assert abilities_of(run, in_python).missing[1] == {
        "part": "new images",
        "words": "The network was made in Python, so no name rebuilds it.",
        "command": "layerwise explore measured --model FILE.py:NAME",
    }
    strange = replace(view, model={**view.model, "image_shape": [5, 8, 8]})
    assert "5 channels" in abilities_of(run, strange).missing[0]["words"]
    assert not abilities_of(run, replace(view, base=None, neighbors=None)).place
    Path("measured/model.safetensors").unlink()
    assert not abilities_of(run).feature_maps


def test_training_images_that_need_too_much_memory_are_told(toys_to_change: Path) -> None:
    run = Path("measured")
    view = read_run(run)
    large = replace(view, taps=view.taps.assign(features=10_000_000))
    found = abilities_of(run, large)
    assert (found.feature_maps, found.place) == (True, False)
    assert found.missing == (
        {
            "part": "new images",
            "words": (
                "The values of 40 training images at every tap take 9.6 GB, over the limit of 4.0 GB. They may also be "
                "kept as files: layerwise difficulty measured --again --keep-activations"
            ),
            "command": "layerwise explore measured --limit-gb 9.7",
        },
    )
    manifest = found.told({"missing": [{"part": "maps"}], "can": {}})
    assert manifest["can"] == {"place": False, "feature_maps": True}
    assert [one["part"] for one in manifest["missing"]] == ["maps", "new images"]
    fast = replace(large, run={"steps": {"difficulty": {**view.run["steps"]["difficulty"], "fast": 16}}})
    assert abilities_of(run, fast).place
