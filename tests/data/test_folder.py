"""Folders of class folders."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from layerwise.data.folder import load_folder
from layerwise.data.images import LazyImages
from layerwise.errors import DataError, FileError


def save(root, *names, value=5, size=(3, 2), mode="L"):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, value).save(path)


def photos(root, count=10):
    for row in range(count):
        save(root, f"cat/{row:02d}.png", value=row)
        save(root, f"dog/{row:02d}.png", value=100 + row)
    return root


def test_split_folders_hold_class_folders(tmp_path):
    save(tmp_path, "train/dog/b.png", "train/cat/a.png", "test/dog/c.png", "val/cat/d.png")
    save(tmp_path, "train/dog/deeper/e.png", value=9)
    data = load_folder(tmp_path)
    assert data.ids.tolist() == [
        "train/cat/a.png", "train/dog/b.png", "train/dog/deeper/e.png", "val/cat/d.png", "test/dog/c.png",
    ]  # fmt: skip
    assert data.splits.tolist() == ["train"] * 3 + ["validation", "test"]
    assert data.labels.tolist() == [0, 1, 1, 0, 1]
    assert data.images[:, 0, 0, 0].tolist() == [5, 5, 9, 5, 5]
    assert (data.class_names, data.image_shape, data.name) == (("cat", "dog"), (1, 2, 3), tmp_path.name)


def test_without_split_folders_the_seed_divides_each_class_and_ids_stay(tmp_path):
    first, again, other = (load_folder(photos(tmp_path), test=0.3, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(first.test.labels).tolist() == [3, 3]
    assert first.test.ids.tolist() == again.test.ids.tolist() != other.test.ids.tolist()
    assert first.ids.tolist() == other.ids.tolist()
    assert first.ids[:2].tolist() == ["cat/00.png", "cat/01.png"]


def test_a_class_may_be_called_train(tmp_path):
    save(tmp_path, *[f"{name}/{row}.png" for name in ("train", "bus") for row in range(5)])
    data = load_folder(tmp_path)
    assert (data.class_names, data.split_names) == (("bus", "train"), ("train", "test"))


def test_other_files_and_hidden_folders_are_passed_over(tmp_path):
    photos(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("nothing")
    (tmp_path / "cat" / "._00.png").write_text("nothing")
    (tmp_path / "readme.md").write_text("nothing")
    save(tmp_path, ".cache/x.png")
    assert len(load_folder(tmp_path)) == 20


def test_one_colour_image_makes_all_three_channels(tmp_path):
    save(photos(tmp_path), "cat/colour.jpg", mode="RGB", value=(9, 9, 9))
    data = load_folder(tmp_path)
    assert data.image_shape == (3, 2, 3)
    assert data.images[1].tolist() == [[[1] * 3] * 2] * 3


def test_mixed_sizes_are_refused_with_sizes_counts_and_the_way_out(tmp_path):
    save(photos(tmp_path), "dog/large.png", size=(40, 30))
    with pytest.raises(DataError) as error:
        load_folder(tmp_path)
    assert str(error.value) == (
        f"images in {tmp_path} have 2 sizes: 3×2 (20), 40×30 (1); expected one.\n"
        '    Add "?size=2" to the spec to scale and crop them to 2×2.'
    )
    assert load_folder(tmp_path, size=2).image_shape == (1, 2, 2)


def test_a_large_folder_is_decoded_batch_by_batch_and_gives_the_same_data(tmp_path):
    save(photos(tmp_path), "cat/colour.png", mode="RGB", value=(1, 2, 3))
    whole, lazy = load_folder(tmp_path), load_folder(tmp_path, in_memory_bytes=100)
    assert isinstance(whole.images, np.ndarray)
    assert isinstance(lazy.images, LazyImages)
    assert lazy.fingerprint == whole.fingerprint
    assert lazy.test.batch(np.array([1, 0])).tolist() == whole.test.batch(np.array([1, 0])).tolist()


def test_a_truncated_image_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for name in ("cat", "dog"):
        save(tmp_path, *[f"{name}/{row}.jpg" for row in range(5)], mode="RGB", size=(32, 32))
    broken = tmp_path / "dog" / "broken.jpg"
    Image.fromarray(noise).save(broken)
    broken.write_bytes(broken.read_bytes()[:-300])
    message = rf"^1 of 11 images in {tmp_path} cannot be decoded; replace or remove them:\n    - {broken}: "
    with pytest.raises(FileError, match=message):
        load_folder(tmp_path)
    lazy = load_folder(tmp_path, in_memory_bytes=0)
    row = int(np.flatnonzero(lazy.ids == "dog/broken.jpg")[0])
    with pytest.raises(FileError, match=rf"1 of 1 images .*\n    - {broken}: "):
        lazy.batch(np.array([row]))


def test_a_file_that_only_ends_like_an_image_is_named(tmp_path):
    (photos(tmp_path) / "cat" / "web.png").write_text("<html>")
    with pytest.raises(FileError) as error:
        load_folder(tmp_path, in_memory_bytes=0)
    assert str(error.value) == (
        f"1 of 21 images in {tmp_path} cannot be decoded; replace or remove them:\n"
        f"    - {tmp_path}/cat/web.png: not an image"
    )


def test_a_class_of_the_test_split_that_train_does_not_have_is_refused_with_the_near_name(tmp_path):
    save(tmp_path, "train/cat/a.png", "train/dog/b.png", "test/dgo/c.png")
    with pytest.raises(DataError) as error:
        load_folder(tmp_path)
    assert str(error.value) == (
        'the split "train" has no folder for these classes of other splits:\n    - "dgo". Did you mean "dog"?'
    )


def test_splits_and_classes_side_by_side_are_refused(tmp_path):
    save(tmp_path, "train/cat/a.png", "train/dog/b.png", "bird/c.png")
    with pytest.raises(DataError) as error:
        load_folder(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} holds the split folders train, but also bird.\n    Keep either splits or classes in it."
    )


def test_an_empty_class_folder_is_refused(tmp_path):
    (photos(tmp_path) / "bird").mkdir()
    with pytest.raises(DataError, match=rf"^the class folder {tmp_path}/bird holds no image; add some, or remove it.$"):
        load_folder(tmp_path)


def test_one_class_is_refused(tmp_path):
    save(tmp_path, *[f"cat/{row}.png" for row in range(5)])
    with pytest.raises(DataError, match="all 5 examples have the label 0; expected at least two classes"):
        load_folder(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(FileError) as error:
        load_folder(tmp_path / "none")
    assert str(error.value) == f"no folder {tmp_path}/none; expected one that holds a folder of images for each class."
    save(tmp_path, "loose.png")
    with pytest.raises(FileError) as error:
        load_folder(tmp_path)
    assert str(error.value) == (
        f"no images in the folders of {tmp_path}; expected {tmp_path}/CLASS/IMAGE or {tmp_path}/train/CLASS/IMAGE."
    )
