"""A class has one colour in reports, drawn in Python, and in the explorer, drawn in TypeScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerwise.plots import style

PALETTE = Path(__file__).parents[2] / "webapp" / "src" / "palette.ts"


@pytest.mark.parametrize("name", ["OKABE_ITO", "PETROFF"])
def test_reports_and_the_explorer_have_the_same_colors(name: str) -> None:
    listed = re.search(rf"const {name} = \[(.*?)\]", PALETTE.read_text(encoding="utf-8"), re.DOTALL)
    assert listed is not None
    assert tuple(re.findall(r"#[0-9a-f]{6}", listed[1])) == getattr(style, name)
