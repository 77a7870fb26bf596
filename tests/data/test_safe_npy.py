"""Pickles read without being executed: what is allowed, what is refused, and that nothing runs."""

from __future__ import annotations

import collections
import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data.safe_npy import read_npy_dict, read_pickled_dict
from layerwise.errors import FileError, UnsafeFileError

ARRAYS = {
    "x": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "y": np.array([1, 0]),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">i4"),
    "truth": np.array([True, False]),
    "half": np.float16([0.5]),
}


class Runs:
    """Creates a file if it is ever unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


def save_npy(path, value):
    np.save(path, value, allow_pickle=True)
    return path


def same(left, right):
    return left.dtype == right.dtype.newbyteorder("=") and left.shape == right.shape and bool((left == right).all())


def test_the_dict_of_a_npy_comes_back(tmp_path):
    read = read_npy_dict(save_npy(tmp_path / "data.npy", {**ARRAYS, "list": [1, 2], "name": "toy", "none": None}))
    assert all(same(read[name], array) for name, array in ARRAYS.items())
    assert (read["list"], read["name"], read["none"]) == ([1, 2], "toy", None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle_is_read(tmp_path, protocol):
    file = tmp_path / "batch"
    file.write_bytes(pickle.dumps({**ARRAYS, "scalar": np.int64(7)}, protocol=protocol))
    read = read_pickled_dict(file)
    assert all(same(read[name], array) for name, array in ARRAYS.items())
    assert read["scalar"] == 7


def test_the_module_names_of_numpy_1_are_read(tmp_path):
    data = pickle.dumps(ARRAYS, protocol=2)
    assert b"numpy._core" in data
    (tmp_path / "old").write_bytes(data.replace(b"cnumpy._core.", b"cnumpy.core."))
    assert same(read_pickled_dict(tmp_path / "old")["x"], ARRAYS["x"])


def test_arrays_are_writable_copies(tmp_path):
    read = read_npy_dict(save_npy(tmp_path / "data.npy", ARRAYS))
    read["x"][0] = 0
    assert read["x"].flags.owndata


def test_a_payload_is_not_executed(tmp_path):
    marker = tmp_path / "executed"
    file = save_npy(tmp_path / "evil.npy", {"x": Runs(marker), "y": [0]})
    with pytest.raises(UnsafeFileError) as error:
        read_npy_dict(file)
    assert not marker.exists()
    assert str(error.value) == (
        f"{file} would run builtins.exec when it is read; nothing was run.\n"
        "    Expected a dict of NumPy arrays of numbers. Do not open this file with numpy.load or pickle."
    )
    np.load(file, allow_pickle=True)
    assert marker.exists()  # the payload works: reading it as NumPy does would have run it


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (collections.OrderedDict(x=1), "collections.OrderedDict"),
        (np.random.default_rng, r"numpy\.random\..*default_rng"),
        (np.load, "numpy.load"),
        (eval, "builtins.eval"),
    ],
)
def test_whatever_is_not_an_array_of_numbers_is_refused_by_name(tmp_path, value, named):
    (tmp_path / "batch").write_bytes(pickle.dumps({"x": value}))
    with pytest.raises(UnsafeFileError, match=named):
        read_pickled_dict(tmp_path / "batch")


def test_modules_that_a_pickle_names_are_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "layerwise_bait.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "batch").write_bytes(b"clayerwise_bait\nrun\n.")
    with pytest.raises(UnsafeFileError, match=r"would run layerwise_bait\.run"):
        read_pickled_dict(tmp_path / "batch")
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, 1], dtype=object),
        np.zeros(2, dtype=[("a", "O"), ("b", "i4")]),
        np.zeros(2, dtype=[("a", "i4")]),
        np.array(["text"]),
        np.zeros(2, "V8"),
    ],
)
def test_arrays_of_objects_records_and_text_are_refused(tmp_path, array):
    (tmp_path / "batch").write_bytes(pickle.dumps({"x": array}))
    with pytest.raises(FileError, match=rf"{tmp_path / 'batch'}"):
        read_pickled_dict(tmp_path / "batch")


def test_bytes_are_never_taken_for_pointers(tmp_path):
    # A forged state: an array of objects whose items are raw addresses.
    honest = pickle.dumps({"x": np.full(1, 0x4141414141414141, dtype="<u8")}, protocol=2)
    forged = honest.replace(b"X\x02\x00\x00\x00u8", b"X\x02\x00\x00\x00O8")
    assert forged != honest
    (tmp_path / "forged").write_bytes(forged)
    with pytest.raises(FileError, match="its type is object, expected numbers"):
        read_pickled_dict(tmp_path / "forged")


def test_an_array_with_fewer_bytes_than_its_shape_says_is_refused(tmp_path):
    honest = pickle.dumps({"x": np.zeros(7, np.uint8)}, protocol=2)
    (tmp_path / "forged").write_bytes(honest.replace(b"K\x07", b"K\x09"))
    with pytest.raises(FileError, match=r"7 bytes for shape \(9,\) of uint8"):
        read_pickled_dict(tmp_path / "forged")


def test_the_stand_ins_cannot_be_changed_by_a_pickle(tmp_path):
    # BUILD with a (state, attributes) pair would set attributes on whatever lies below it.
    program = b"cnumpy\nndarray\n" + b"(N}S'marker'\nI1\nstb."
    assert any(opcode.name == "BUILD" for opcode, _, _ in pickletools.genops(program))
    (tmp_path / "batch").write_bytes(program)
    with pytest.raises(FileError, match="a function cannot be changed"):
        read_pickled_dict(tmp_path / "batch")


@pytest.mark.parametrize("share", [0, 0.02, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_named(tmp_path, share):
    file = save_npy(tmp_path / "data.npy", ARRAYS)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FileError, match=rf"^{file} is truncated, or "):
        read_npy_dict(file)


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_damaged_pickles_end_in_an_error_of_ours_or_are_read(tmp_path_factory, place, value, length):
    data = bytearray(pickle.dumps(ARRAYS))
    start = place % len(data)
    data[start : start + length] = bytes([value]) * len(data[start : start + length])
    file = tmp_path_factory.getbasetemp() / "damaged"
    file.write_bytes(data)
    try:
        read_pickled_dict(file)
    except FileError as error:
        assert str(file) in str(error)  # noqa: PT017 - either outcome is right, any other exception fails


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((2, 3)), "holds an array of float64, shape (2, 3); expected a pickled dict {'x', 'y'}."),
        (np.array([1, "a"], dtype=object), "holds an array of object, shape (2,); expected a pickled dict {'x', 'y'}."),
        ([1, 2], "holds an array of int64, shape (2,); expected a pickled dict {'x', 'y'}."),
        (np.array(None), "holds a NoneType; expected a dict."),
    ],
)
def test_a_npy_of_something_else_is_named(tmp_path, value, message):
    file = save_npy(tmp_path / "data.npy", value)
    with pytest.raises(FileError) as error:
        read_npy_dict(file)
    assert str(error.value) == f"{file} {message}"


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileError, match=rf"^no file {tmp_path}/none.npy.$"):
        read_npy_dict(tmp_path / "none.npy")
    with pytest.raises(FileError, match=rf"^{tmp_path} cannot be read"):
        read_npy_dict(tmp_path)


def test_a_later_numpy_header_is_refused_not_guessed(tmp_path):
    (tmp_path / "new.npy").write_bytes(b"\x93NUMPY\x03\x00" + b"\x01\x00\x00\x00{")
    with pytest.raises(FileError, match=r"new.npy is truncated, or is not a .npy file"):
        read_npy_dict(tmp_path / "new.npy")
