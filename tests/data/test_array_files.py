"""`.npz` files of arrays, and `.npy` files of a pickled dict."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from layerwise.data.array_files import load_npy, load_npz
from layerwise.errors import DataError, FileError, ShapeError, UnsafeFileError

GREY = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
COLOUR = np.arange(6 * 4 * 5 * 3, dtype=np.uint16).reshape(6, 4, 5, 3).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def npy(path, value):
    np.save(path, value, allow_pickle=True)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test", "x_val", "y_val"),
        ("X_train", "Y_train", "X_test", "Y_test", "X_valid", "Y_valid"),
        ("train_images", "train_labels", "test_images", "test_labels", "val_images", "val_labels"),
    ],
)
def test_splits_are_found_by_the_names_of_arrays(tmp_path, names):
    values = (GREY[:3], LABELS[:3], GREY[3:5], LABELS[3:5], GREY[5:], LABELS[5:])
    data = load_npz(npz(tmp_path / "toy.npz", **dict(zip(names, values, strict=True))))
    assert data.train.images[:, 0].tolist() == GREY[:3].tolist()
    assert data.test.labels.tolist() == LABELS[3:5].tolist()
    assert data.validation.ids.tolist() == ["validation-00000"]
    assert (data.name, data.image_shape) == ("toy", (1, 4, 5))


@pytest.mark.parametrize("names", [("x", "y"), ("images", "labels"), ("X", "y"), ("data", "target")])
def test_without_splits_the_seed_divides_each_class_and_ids_stay(tmp_path, names):
    file = npz(tmp_path / "toy.npz", **{names[0]: np.tile(GREY, (10, 1, 1)), names[1]: np.tile(LABELS, 10)})
    first, again, other = (load_npz(file, test=0.5, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(first.test.labels).tolist() == [10, 10, 10]
    assert first.test.ids.tolist() == again.test.ids.tolist() != other.test.ids.tolist()
    assert first.ids.tolist() == other.ids.tolist() == [f"toy-{row:05d}" for row in range(60)]


def test_channels_first_and_channels_last_give_the_same_images(tmp_path):
    last = load_npz(npz(tmp_path / "last.npz", x_train=COLOUR, y_train=LABELS))
    first = load_npz(npz(tmp_path / "first.npz", x_train=COLOUR.transpose(0, 3, 1, 2), y_train=LABELS))
    assert last.image_shape == (3, 4, 5)
    assert last.fingerprint == first.fingerprint


def test_labels_in_a_column_are_taken_and_class_names_too(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS[:, None], class_names=np.array(["a", "b", "c"]))
    data = load_npz(file)
    assert (data.labels.tolist(), data.class_names) == (LABELS.tolist(), ("a", "b", "c"))


def test_floats_are_taken_as_the_network_takes_them(tmp_path):
    data = load_npz(npz(tmp_path / "toy.npz", x_train=GREY / 7 - 3, y_train=LABELS))
    assert data.batch(slice(0, 6))[:, 0].tolist() == (GREY / 7 - 3).astype(np.float32).tolist()


def test_flat_images_are_refused(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY.reshape(6, 20), y_train=LABELS)
    with pytest.raises(ShapeError) as error:
        load_npz(file)
    assert str(error.value) == (
        f"x_train in {file} has shape (6, 20); expected (N, H, W), (N, H, W, C) or (N, C, H, W)."
    )


def test_other_names_are_listed(tmp_path):
    file = npz(tmp_path / "toy.npz", pictures=GREY, kinds=LABELS)
    with pytest.raises(DataError) as error:
        load_npz(file)
    assert str(error.value) == (f"{file} holds pictures, kinds; expected x_train, y_train, x_test, y_test, or x, y.")


def test_lengths_that_differ_are_told_by_split(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS, x_test=GREY, y_test=LABELS[:4])
    with pytest.raises(DataError) as error:
        load_npz(file)
    assert str(error.value) == "toy (test) has 6 images, but 4 labels."


def test_splits_of_other_shapes_are_refused(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS, x_test=GREY[:, 1:], y_test=LABELS)
    with pytest.raises(ShapeError) as error:
        load_npz(file)
    assert str(error.value) == (
        "the splits of toy have images of shapes (6, 1, 4, 5), (6, 1, 3, 5); expected one (C, H, W)."
    )


def test_pickled_arrays_in_a_npz_are_refused(tmp_path):
    file = tmp_path / "toy.npz"
    np.savez(file, x_train=np.array([GREY, None], dtype=object), y_train=LABELS)
    with pytest.raises(UnsafeFileError, match=rf"^x_train.npy in {file} is pickled, and would have to be executed"):
        load_npz(file)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_npz_is_named(tmp_path, share):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FileError, match=rf"^{file} is"):
        load_npz(file)


def test_a_npz_with_overwritten_bytes_is_named(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS)
    data = bytearray(file.read_bytes())
    data[250:260] = b"overwrites"
    file.write_bytes(data)
    with pytest.raises(FileError, match=rf"^{file} is truncated, or is not a .npz file \(.*CRC"):
        load_npz(file)


def test_files_of_another_kind_are_named(tmp_path):
    with pytest.raises(FileError) as error:
        load_npz(tmp_path / "none.npz")
    assert str(error.value) == f"no file {tmp_path}/none.npz; expected a .npz file."
    file = npy(tmp_path / "one.npy", GREY)
    with pytest.raises(FileError) as error:
        load_npz(file)
    assert str(error.value) == f"{file} is truncated, or is not a .npz file (File is not a zip file)."


def test_the_notebooks_npy_is_read_and_divided_by_the_seed(tmp_path):
    file = npy(tmp_path / "shapes.npy", {"x": np.tile(COLOUR, (5, 1, 1, 1)), "y": np.tile(LABELS, 5)})
    data = load_npy(file, test=0.2)
    assert (len(data.train), len(data.test), data.image_shape) == (24, 6, (3, 4, 5))
    assert data.images[7].tolist() == COLOUR[1].transpose(2, 0, 1).tolist()
    assert data.test.ids.tolist() != load_npy(file, test=0.2, seed=1).test.ids.tolist()


def test_a_folder_of_npy_files_has_the_splits_that_their_names_say(tmp_path):
    npy(tmp_path / "test.npy", {"x": GREY[4:], "y": LABELS[4:]})
    npy(tmp_path / "train.npy", {"x": GREY[:4], "y": LABELS[:4]})
    data = load_npy(tmp_path)
    assert data.ids.tolist() == [*(f"train-0000{row}" for row in range(4)), "test-00000", "test-00001"]
    assert data.images[:, 0].tolist() == GREY.tolist()


def test_a_npy_of_several_splits_is_divided_as_it_says(tmp_path):
    arrays = {"x_train": GREY[:4], "y_train": LABELS[:4], "x_test": GREY[4:], "y_test": LABELS[4:]}
    data = load_npy(npy(tmp_path / "toy.npy", arrays))
    assert data.splits.tolist() == ["train"] * 4 + ["test"] * 2


def test_a_npz_that_is_locked_is_named(tmp_path):
    file = npz(tmp_path / "toy.npz", x_train=GREY, y_train=LABELS)
    data = bytearray(file.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + flags] |= 1  # "encrypted"
    file.write_bytes(data)
    with pytest.raises(FileError, match=rf"^{file} is truncated, or is not a .npz file \(.*password"):
        load_npz(file)


def test_a_npz_whose_array_claims_more_than_there_is_is_named(tmp_path):
    file = tmp_path / "toy.npz"
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4000000000000000, 2), }\n"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(FileError, match=rf"^x.npy in {file} is truncated"):
        load_npz(file)


def test_a_npy_with_a_payload_is_refused_and_nothing_runs(tmp_path):
    class Runs:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'executed')!r}, 'w').close()",)

    with pytest.raises(UnsafeFileError, match=r"would run builtins\.exec when it is read; nothing was run"):
        load_npy(npy(tmp_path / "evil.npy", {"x": GREY, "y": Runs()}))
    assert not (tmp_path / "executed").exists()


def test_missing_npy_files_are_named(tmp_path):
    with pytest.raises(FileError, match=rf"^no .npy file in {tmp_path}.$"):
        load_npy(tmp_path)
    with pytest.raises(FileError, match=rf"^no file {tmp_path}/none.npy.$"):
        load_npy(tmp_path / "none.npy")
