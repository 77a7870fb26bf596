"""idx files, plain and gzipped."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from layerwise.data.idx import load_idx, read_idx
from layerwise.errors import FileError

IMAGES = np.arange(4 * 3 * 5, dtype=np.uint8).reshape(4, 3, 5)
LABELS = np.array([0, 1, 1, 2], np.uint8)


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(folder, word, images=IMAGES, labels=LABELS, *, packed=False, dotted=False):
    folder.mkdir(parents=True, exist_ok=True)
    for content, array in (("images", images), ("labels", labels)):
        name = f"{word}-{content}{'.' if dotted else '-'}idx{array.ndim}-ubyte"
        data = idx(array)
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("options", [{}, {"packed": True}, {"dotted": True}, {"packed": True, "dotted": True}])
def test_train_and_test_files_are_read_plain_and_gzipped(tmp_path, options):
    write(tmp_path, "train", **options)
    write(tmp_path, "t10k", IMAGES[:2] + 100, LABELS[:2], **options)
    data = load_idx(tmp_path)
    assert data.image_shape == (1, 3, 5)
    assert data.train.images[:, 0].tolist() == IMAGES.tolist()
    assert data.test.images[:, 0].tolist() == (IMAGES[:2] + 100).tolist()
    assert data.labels.tolist() == [0, 1, 1, 2, 0, 1]
    assert data.ids[[0, 4]].tolist() == ["train-00000", "test-00000"]
    assert (data.class_names, data.name) == (("0", "1", "2"), tmp_path.name)


def test_one_split_alone_will_do(tmp_path):
    write(tmp_path, "t10k")
    assert load_idx(tmp_path).split_names == ("test",)


def test_a_folder_without_idx_files_is_named(tmp_path):
    with pytest.raises(FileError) as error:
        load_idx(tmp_path)
    assert str(error.value) == (
        f"no idx files in {tmp_path}; expected train-images-idx3-ubyte and train-labels-idx1-ubyte,"
        " t10k-… likewise, plain or .gz."
    )


def test_images_without_their_labels_are_named(tmp_path):
    write(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileError) as error:
        load_idx(tmp_path)
    assert str(error.value) == (
        f"no file {tmp_path}/train-labels-idx1-ubyte, plain or .gz; it goes with the split's images."
    )


@pytest.mark.parametrize("length", [5, 10, 16, 40, 75])
def test_a_truncated_file_is_named(tmp_path, length):
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(idx(IMAGES)[:length])
    with pytest.raises(FileError, match=rf"^{file} has {length} bytes, its header says \d+; it is truncated"):
        read_idx(file, axes=3)


@pytest.mark.parametrize("length", [0, 5, 25, -4])
def test_a_truncated_gzip_is_named(tmp_path, length):
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(gzip.compress(idx(IMAGES))[:length])
    with pytest.raises(FileError, match=rf"^{file} (cannot be read, or is truncated|is not an idx file)"):
        read_idx(file, axes=3)


@pytest.mark.parametrize("data", [b"<htm", b"\0\0\x0d\x03", b"\0\0\x08\x01", b"", b"\0\0"])
def test_a_file_of_another_kind_is_named_with_its_first_bytes(tmp_path, data):
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(data)
    with pytest.raises(FileError) as error:
        read_idx(file, axes=3)
    assert str(error.value) == (
        f"{file} is not an idx file of bytes with 3 axes: it begins with {data.hex() or 'nothing'}; expected 00000803."
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError) as error:
        read_idx(tmp_path / "none", axes=1)
    assert str(error.value) == f"no file {tmp_path}/none."
