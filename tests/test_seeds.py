"""Named streams: a seed and a name suffice, and both matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layerwise.seeds import stream, stream_seed


@given(st.integers(0, 2**63), st.text(max_size=8))
def test_the_same_seed_and_name_give_the_same_numbers(seed: int, name: str) -> None:
    assert stream(seed, name).random(3).tolist() == stream(seed, name).random(3).tolist()


def test_seeds_and_names_matter_and_streams_do_not_share_a_state() -> None:
    first = stream(0, "order")
    alone = stream(0, "init").random(5)
    first.random(100)
    assert stream(0, "init").random(5).tolist() == alone.tolist()
    values = [stream(seed, *names).random() for seed, names in [(0, ("a",)), (1, ("a",)), (0, ("b",)), (0, ("a", 1))]]
    assert len(set(values)) == 4


def test_names_are_not_glued_together() -> None:
    assert stream_seed(0, "ab", "c") != stream_seed(0, "a", "bc")


def test_a_stream_is_the_same_on_every_machine() -> None:
    assert stream_seed(0, "init") == 925402481798332886
    np.testing.assert_allclose(stream(0, "order").random(2), [0.38615715, 0.83818627], atol=1e-8)


@given(st.integers(1, 128))
def test_a_stream_seed_fits_its_bits(bits: int) -> None:
    assert 0 <= stream_seed(0, "x", bits=bits) < 2**bits
