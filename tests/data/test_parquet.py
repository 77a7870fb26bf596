"""Parquet tables of encoded images."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from layerwise.data.parquet import load_parquet
from layerwise.errors import DataError, FileError

DEVELOPMENT_DATA = os.environ.get("LAYERWISE_DATA")


def png(value, size=(2, 2)):
    file = io.BytesIO()
    Image.new("L", size, value).save(file, "PNG")
    return file.getvalue()


def write(path, values, labels, *, paths=None, names=("cat", "dog"), image="image", label="label", **columns):
    paths = paths or [None] * len(values)
    images = [{"bytes": value if isinstance(value, bytes) else png(value), "path": path}
              for value, path in zip(values, paths, strict=True)]  # fmt: skip
    table = pa.table({image: pa.array(images), label: labels, **columns})
    if names:
        features = {image: {"_type": "Image"}, label: {"_type": "ClassLabel", "names": names}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def test_one_file_of_a_named_split(tmp_path):
    data = load_parquet(write(tmp_path / "train.parquet", [7, 8, 9], [1, 0, 1], paths=["a.png", "b.png", "c.png"]))
    assert data.images[:, 0, 0, 0].tolist() == [7, 8, 9]
    assert data.labels.tolist() == [1, 0, 1]
    assert data.ids.tolist() == ["a.png", "b.png", "c.png"]
    assert data.splits.tolist() == ["train"] * 3
    assert (data.class_names, data.name, data.image_shape) == (("cat", "dog"), "train", (1, 2, 2))


def test_a_folder_holds_its_splits_at_any_depth_and_in_several_files(tmp_path):
    write(tmp_path / "data" / "test-00000-of-00001.parquet", [5], [1])
    write(tmp_path / "data" / "train-00001-of-00002.parquet", [3], [0])
    write(tmp_path / "data" / "train-00000-of-00002.parquet", [1, 2], [0, 1])
    write(tmp_path / "data" / "validation-00000-of-00001.parquet", [4], [0])
    data = load_parquet(tmp_path)
    assert data.images[:, 0, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert data.splits.tolist() == ["train", "train", "train", "validation", "test"]
    assert data.ids.tolist() == ["train-00000", "train-00001", "train-00002", "validation-00000", "test-00000"]


def test_paths_that_repeat_in_another_split_get_the_split_before_them(tmp_path):
    write(tmp_path / "train.parquet", [1, 2], [0, 1], paths=["cat/1.png", "dog/1.png"])
    write(tmp_path / "test.parquet", [3], [0], paths=["cat/1.png"])
    assert load_parquet(tmp_path).ids.tolist() == ["train/cat/1.png", "train/dog/1.png", "test/cat/1.png"]


@pytest.mark.parametrize("paths", [["a", "a", "b"], ["a", None, "b"]])
def test_paths_that_repeat_or_are_missing_are_not_ids(tmp_path, paths):
    write(tmp_path / "train.parquet", [1, 2, 3], [0, 1, 0], paths=paths)
    assert load_parquet(tmp_path).ids.tolist() == ["train-00000", "train-00001", "train-00002"]


def test_files_without_images_are_passed_over(tmp_path):
    write(tmp_path / "train.parquet", [1, 2], [0, 1])
    pq.write_table(pa.table({"path": ["a", "b"], "label": [0, 1]}), tmp_path / "train_humans.parquet")
    assert len(load_parquet(tmp_path)) == 2


def test_a_file_that_names_no_split_is_divided_by_the_seed_and_ids_stay(tmp_path):
    file = write(tmp_path / "photos.parquet", range(40), [0, 1] * 20)
    first, again, other = (load_parquet(file, test=0.25, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(first.test.labels).tolist() == [5, 5]
    assert first.test.ids.tolist() == again.test.ids.tolist() != other.test.ids.tolist()
    assert first.ids.tolist() == other.ids.tolist() == [f"image-{row:05d}" for row in range(40)]


def test_files_of_which_only_some_name_a_split_are_refused(tmp_path):
    write(tmp_path / "train.parquet", [1, 2], [0, 1])
    write(tmp_path / "more.parquet", [3], [0])
    with pytest.raises(DataError) as error:
        load_parquet(tmp_path)
    assert str(error.value) == (
        f"the split of these files in {tmp_path} is not known: more.parquet.\n"
        "    Begin their names with train, validation or test, or move them away."
    )


def test_without_metadata_classes_are_numbers(tmp_path):
    assert load_parquet(write(tmp_path / "train.parquet", [1, 2], [0, 2], names=None)).class_names == ("0", "1", "2")


def test_labels_of_words_become_classes_in_alphabetical_order(tmp_path):
    data = load_parquet(write(tmp_path / "train.parquet", [1, 2, 3], ["dog", "cat", "dog"], names=None))
    assert (data.class_names, data.labels.tolist()) == (("cat", "dog"), [1, 0, 1])


def test_other_names_of_columns_are_found_when_there_is_one_choice(tmp_path):
    data = load_parquet(write(tmp_path / "train.parquet", [1, 2], [1, 0], image="img", label="animal"))
    assert data.labels.tolist() == [1, 0]


def test_a_label_can_be_chosen_and_other_plain_columns_become_factors(tmp_path):
    file = write(
        tmp_path / "train.parquet", [1, 2], [1, 0], coarse=[0, 1], note=["x", "y"], box=[[1], [2]], gap=[1, None]
    )
    data = load_parquet(file, label="coarse")
    assert data.labels.tolist() == [0, 1]
    assert {name: values.tolist() for name, values in data.factors.items()} == {"label": [1, 0], "note": ["x", "y"]}


def test_images_may_be_a_plain_column_of_bytes(tmp_path):
    pq.write_table(pa.table({"image": [png(4), png(5)], "label": [0, 1]}), tmp_path / "test.parquet")
    assert load_parquet(tmp_path).test.images[:, 0, 0, 0].tolist() == [4, 5]


def test_size_brings_images_to_one_size(tmp_path):
    file = write(tmp_path / "train.parquet", [png(1, (8, 4)), png(2, (5, 9))], [0, 1])
    with pytest.raises(DataError, match=r"have 2 sizes: 8×4 \(1\), 5×9 \(1\); expected one"):
        load_parquet(file)
    assert load_parquet(file, size=4).image_shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "lable"}, '{file} has no column "lable". Did you mean "label"?'),
        ({"image": "imag"}, '{file} has no column of images named "imag". Did you mean "image"?'),
    ],
)
def test_unknown_columns_are_refused_with_the_near_name(tmp_path, arguments, message):
    file = write(tmp_path / "train.parquet", [1, 2], [0, 1])
    with pytest.raises(DataError) as error:
        load_parquet(file, **arguments)
    assert str(error.value) == message.format(file=file)


def test_a_table_without_a_column_of_labels_says_which_columns_it_has(tmp_path):
    file = write(tmp_path / "train.parquet", [1, 2], [0, 1], label="kind", names=None)
    with pytest.raises(DataError) as error:
        load_parquet(file)
    assert str(error.value) == (
        f'{file} has no column "label"; its columns are image, kind.\n    Choose one with ?label=COLUMN.'
    )


def test_two_columns_of_images_want_a_choice(tmp_path):
    file = write(tmp_path / "train.parquet", [1, 2], [0, 1], mask=[png(8), png(9)])
    with pytest.raises(DataError, match=r"has 2 columns of images: image, mask; choose with \?image=COLUMN"):
        load_parquet(file)
    assert load_parquet(file, image="mask").images[:, 0, 0, 0].tolist() == [8, 9]


def test_files_that_declare_other_classes_are_refused(tmp_path):
    write(tmp_path / "train.parquet", [1, 2], [0, 1])
    write(tmp_path / "test.parquet", [1], [0], names=("dog", "cat"))
    with pytest.raises(DataError) as error:
        load_parquet(tmp_path)
    assert str(error.value) == (
        "the files declare different classes; expected the same in each:\n"
        f"    - {tmp_path}/train.parquet: ('cat', 'dog')\n    - {tmp_path}/test.parquet: ('dog', 'cat')"
    )


def test_missing_labels_and_missing_bytes_are_counted(tmp_path):
    with pytest.raises(DataError, match=r"1 of 2 labels in .*train.parquet are missing"):
        load_parquet(write(tmp_path / "train.parquet", [1, 2], [0, None]))
    pq.write_table(
        pa.table({"image": [{"bytes": None, "path": "a"}, {"bytes": png(1), "path": "b"}], "label": [0, 1]}),
        tmp_path / "train.parquet",
    )
    with pytest.raises(FileError, match=r"1 of 2 images in .*train.parquet have no bytes"):
        load_parquet(tmp_path)


def test_a_label_of_minus_one_that_hides_the_test_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"1 labels are out of range, the first is -1"):
        load_parquet(write(tmp_path / "train.parquet", [1, 2, 3], [0, 1, -1]))


def test_a_broken_image_inside_is_named_by_file_and_row(tmp_path):
    write(tmp_path / "test.parquet", [1, png(2)[:-30], 3], [0, 1, 0])
    write(tmp_path / "train.parquet", [1, 2], [0, 1])
    with pytest.raises(FileError, match=rf"1 of 5 images in .*\n    - row 1 of {tmp_path}/test.parquet: "):
        load_parquet(tmp_path)


@pytest.mark.parametrize("keep", [0, 3, 0.5, 0.98])
def test_a_truncated_file_is_named(tmp_path, keep):
    file = write(tmp_path / "train.parquet", list(range(50)), [0, 1] * 25)
    data = file.read_bytes()
    file.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(FileError, match=rf"^{file} is truncated, or is not a Parquet file"):
        load_parquet(file)


def test_a_file_with_overwritten_pages_is_named(tmp_path):
    file = write(tmp_path / "train.parquet", list(range(50)), [0, 1] * 25)
    data = bytearray(file.read_bytes())
    data[4:400] = bytes(396)
    file.write_bytes(data)
    with pytest.raises(FileError, match=rf"{file}|images in {file}"):
        load_parquet(file)


def test_missing_files_and_folders_without_images_are_named(tmp_path):
    with pytest.raises(FileError) as error:
        load_parquet(tmp_path / "none.parquet")
    assert str(error.value) == (
        f"no file or folder {tmp_path}/none.parquet; expected a Parquet file, or a folder of them."
    )
    with pytest.raises(FileError) as error:
        load_parquet(tmp_path)
    assert str(error.value) == (
        f"no Parquet file with a column of images in {tmp_path} (0 looked at).\n"
        "    Expected a column of {bytes, path} or of bytes; name it with ?image=COLUMN if there are several."
    )


@pytest.mark.slow
@pytest.mark.skipif(DEVELOPMENT_DATA is None, reason="LAYERWISE_DATA is not set")
def test_all_of_cifar10_is_aligned_with_what_people_said_of_it():
    folder = Path(str(DEVELOPMENT_DATA)) / "data" / "cifar10"
    data = load_parquet(folder)
    assert (len(data.train), len(data.test), data.image_shape) == (50_000, 10_000, (3, 32, 32))
    assert data.class_names == (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    for split in (data.train, data.test):
        name = split.split_names[0]
        people = pq.read_table(folder / f"{name}_humans.parquet").to_pandas()
        assert split.ids.tolist() == [f"{name}/{path}" for path in people["path"]]
        assert split.labels.tolist() == people["label"].tolist()
        assert [data.class_names[label] for label in split.labels] == [path.split("/")[0] for path in people["path"]]
        assert np.bincount(split.labels).tolist() == [len(split) // 10] * 10
    encoded = pq.read_table(folder / "test.parquet")["image"][9_999].as_py()["bytes"]
    expected = np.asarray(Image.open(io.BytesIO(encoded))).transpose(2, 0, 1)
    assert data.test.images[9_999].tolist() == expected.tolist()
