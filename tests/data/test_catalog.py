"""load_data: specs, options, unknown names."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.data.catalog import SOURCES, load_data
from layerwise.errors import FileError, InputError, NotEnoughExamplesError, OptionError, UnknownNameError

FORMS = (
    "shapes, edges, digits, mnist1d, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, cifar100:DIR, svhn:DIR, folder:DIR, "
    "parquet:FILE|DIR, npz:FILE, npy:FILE|DIR, idx:DIR"
)


def test_an_unknown_name_is_refused_with_near_names_and_all_forms():
    with pytest.raises(UnknownNameError) as error:
        load_data("digit")
    assert str(error.value) == (f'no data set is named "digit". Did you mean "digits"?\n    Expected one of: {FORMS}.')


def test_a_bare_path_is_answered_with_the_spec_for_it(tmp_path):
    with pytest.raises(UnknownNameError, match=f'Did you mean "folder:{tmp_path}"'):
        load_data(str(tmp_path))
    file = tmp_path / "x.npz"
    np.savez(file, x=[1])
    with pytest.raises(UnknownNameError, match=rf'Did you mean "npz:{file}\?seed=1"'):
        load_data(f"{file}?seed=1")


@pytest.mark.parametrize(("spec", "form"), [("folder", "folder:DIR"), ("npz:", "npz:FILE"), ("digits:x", "digits")])
def test_a_path_must_be_given_where_and_only_where_one_belongs(spec, form):
    with pytest.raises(UnknownNameError) as error:
        load_data(spec)
    assert str(error.value) == f'"{spec}" was given; expected "{form}".'


def test_unknown_options_are_refused_all_at_once_with_near_names():
    with pytest.raises(UnknownNameError) as error:
        load_data("shapes?trian=10&seeds=1&zebra=2")
    assert str(error.value) == (
        '"shapes" has no option "trian". Did you mean "train"?\n'
        '"shapes" has no option "seeds". Did you mean "seed"?\n'
        '"shapes" has no option "zebra".\n'
        "    Its options are aspect, blur, brightness, contrast, dark, limit, noise, occluded, occlusion, rotation, "
        "seed, size, test, train, validation, x, y."
    )


def test_wrong_values_of_options_are_refused():
    with pytest.raises(OptionError, match=r"^option train=many: expected a whole number from 0\.$"):
        load_data("shapes?train=many")


def test_options_reach_their_source():
    data = load_data("shapes?train=12&test=6&seed=3")
    assert (len(data.train), len(data.test), data.image_shape) == (12, 6, (1, 32, 32))
    assert data.class_names == ("circle", "square", "rectangle", "right_triangle", "heart", "ellipse")


def test_the_seed_of_the_spec_goes_before_the_one_beside_it():
    in_spec, beside, other = load_data("digits?seed=3"), load_data("digits", seed=3), load_data("digits?seed=4", seed=3)
    assert in_spec.test.ids.tolist() == beside.test.ids.tolist() != other.test.ids.tolist()


def test_any_source_holds_out_a_validation_split():
    data = load_data("shapes?train=60&test=6&validation=0.1")
    assert (len(data.train), len(data.validation), len(data.test)) == (54, 6, 6)
    assert np.bincount(data.validation.labels).tolist() == [1] * 6
    again = load_data("shapes?train=60&test=6&validation=0.1&seed=0")
    assert again.validation.ids.tolist() == data.validation.ids.tolist()


def test_a_hold_out_that_would_be_empty_is_refused():
    with pytest.raises(NotEnoughExamplesError, match="12 examples are too few for the shares"):
        load_data("shapes?train=12&test=6&validation=0.01")


@pytest.mark.parametrize("kind", [kind for kind, source in SOURCES.items() if source.takes_path])
def test_every_source_names_what_is_missing(tmp_path, kind):
    missing = tmp_path / "missing"
    with pytest.raises(FileError, match=str(missing)):
        load_data(f"{kind}:{missing}")


@pytest.mark.parametrize("kind", [kind for kind, source in SOURCES.items() if source.takes_path])
def test_every_source_names_a_file_of_another_kind(tmp_path, kind):
    file = tmp_path / "letter.txt"
    file.write_text("Dear all,\n")
    with pytest.raises(FileError, match=str(file)):
        load_data(f"{kind}:{file}")


def test_shapes_take_ranges_of_factors() -> None:
    data = load_data("shapes?train=60&test=30&noise=0.02&contrast=0.5,0.6&occluded=0")
    assert set(data.factors["noise"]) == {0.02}
    assert data.factors["contrast"].min() >= 0.5
    assert data.factors["contrast"].max() <= 0.6
    assert set(data.factors["occlusion"]) == {0.0}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("noise=a", "option noise=a: expected a number, or two with a comma between: noise=0.1,0.5."),
        ("occluded=0,1", "option occluded=0,1: expected one number."),
        ("size=0.5,0.1", "These ranges cannot be drawn from: size is (0.5, 0.1): "),
    ],
)
def test_ranges_that_cannot_be_drawn_from_are_refused(option: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_data(f"shapes?train=6&test=6&{option}")
    assert str(caught.value).startswith(message)
