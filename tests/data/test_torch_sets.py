"""Data sets of torch and data modules of Lightning."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from layerwise.data.catalog import load_data
from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError, UnknownNameError


class Items(Dataset):
    """A map-style data set over a list, with class names."""

    classes = ("cat", "dog")

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        return self.items[row]


class Stream(IterableDataset):
    """The same, without length or indices."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def tensors(count=20):
    images = torch.arange(count * 12, dtype=torch.float32).reshape(count, 3, 2, 2)
    return TensorDataset(images, torch.arange(count) % 2)


def test_a_data_set_of_tensors_is_divided_by_the_seed():
    data = load_data(tensors(), seed=1)
    assert (len(data.train), len(data.test), data.name) == (16, 4, "TensorDataset")
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    assert data.images.dtype == np.float32
    assert data.images.tolist() == tensors().tensors[0].tolist()
    assert data.test.ids.tolist() == load_data(tensors(), seed=1).test.ids.tolist()
    assert data.test.ids.tolist() != load_data(tensors(), seed=2).test.ids.tolist()


def test_images_may_be_pil_arrays_or_tensors_and_labels_any_whole_number():
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)  # (H, W, C)
    items = [
        (Image.fromarray(pixels), 0),
        (pixels, np.int64(1)),
        (torch.from_numpy(pixels).permute(2, 0, 1), torch.tensor(0)),
        (pixels.transpose(2, 0, 1), torch.tensor([1])),
    ]
    data = load_data({"train": Items(items)})
    assert data.images.dtype == np.uint8
    assert data.images.tolist() == [pixels.transpose(2, 0, 1).tolist()] * 4
    assert (data.labels.tolist(), data.class_names) == ([0, 1, 0, 1], ("cat", "dog"))


def test_grey_images_have_one_channel_and_three_among_colours():
    grey = Items([(torch.zeros(2, 3), 0), (Image.new("L", (3, 2), 0), 1)])
    assert load_data({"train": grey}).image_shape == (1, 2, 3)
    mixed = Items([(Image.new("L", (3, 2), 7), 0), (Image.new("RGB", (3, 2), (1, 2, 3)), 1)])
    assert load_data({"train": mixed}).images[:, :, 0, 0].tolist() == [[7, 7, 7], [1, 2, 3]]


def test_several_data_sets_become_the_splits_that_they_are_given_for():
    data = load_data({"train": tensors(6), "test": Subset(tensors(6), [5, 2])})
    assert data.ids[[0, 6, 7]].tolist() == ["train-00000", "test-00000", "test-00001"]
    assert data.test.images.tolist() == tensors(6).tensors[0][[5, 2]].tolist()


def test_class_names_are_found_under_a_subset():
    items = Items([(torch.zeros(1, 2, 2), row % 2) for row in range(4)])
    assert load_data({"train": Subset(items, [0, 1])}).class_names == ("cat", "dog")


def test_a_stream_is_read_to_its_end():
    items = [(torch.full((1, 2, 2), row), row % 2) for row in range(20)]
    assert load_data(Stream(items)).images[:, 0, 0, 0].tolist() == list(range(20))


def test_a_set_that_is_longer_than_its_items_never_ends_in_silence():
    class Endless(Items):
        def __getitem__(self, row):
            return self.items[row % 4]

    items = [(torch.full((1, 2, 2), row), row % 2) for row in range(4)]
    assert len(load_data({"train": Endless(items)})) == 4


@pytest.mark.parametrize(
    ("items", "kind", "message"),
    [
        ([], NotEnoughExamplesError, 'the split "train" is empty; expected at least one (image, label) pair.'),
        ([torch.zeros(1, 2, 2)], DataError, 'item 0 of the split "train" is a Tensor; expected a pair (image, label).'),
        (
            [(torch.zeros(1, 2, 2), torch.tensor([0.0, 1.0]))],
            DataError,
            'the label of item 0 of the split "train" has shape (2,); expected one whole number.',
        ),
        (
            [(torch.zeros(4), 0)],
            ShapeError,
            'the image of item 0 of the split "train" has shape (4,); expected (C, H, W).',
        ),
        (
            [(torch.zeros(1, 2, 2), 0), (torch.zeros(1, 2, 3), 1), (torch.zeros(1, 2, 3), 1)],
            DataError,
            'images in the split "train" have 2 sizes: 3×2 (2), 2×2 (1); expected one.\n'
            "    Resize them to 2×2 in its transform.",
        ),
        (
            [(torch.zeros(1, 2, 2), 0.5), (torch.zeros(1, 2, 2), 1.0)],
            DataError,
            "labels are of type float64, the first is np.float64(0.5); expected whole numbers from 0.\n"
            "    Give class numbers, and the names as class_names.",
        ),
    ],
)
def test_items_that_cannot_be_used_are_refused(items, kind, message):
    with pytest.raises(kind) as error:
        load_data({"train": Items(items)})
    assert str(error.value) == message


def test_unknown_splits_and_no_data_set_are_refused():
    with pytest.raises(UnknownNameError, match=r'no split is named "tset"\. Did you mean "test"'):
        load_data({"tset": tensors()})
    with pytest.raises(NotEnoughExamplesError, match="no data set was given"):
        load_data({})


def test_splits_of_other_shapes_are_refused():
    grey = TensorDataset(torch.zeros(4, 1, 2, 2), torch.arange(4) % 2)
    with pytest.raises(ShapeError) as error:
        load_data({"train": tensors(), "test": grey})
    assert str(error.value) == "images of the splits have shapes [(1, 2, 2), (3, 2, 2)]; expected one (C, H, W)."


def test_something_else_is_refused():
    with pytest.raises(DataError) as error:
        load_data([1, 2])
    assert str(error.value) == (
        "a list was given; expected a spec, a torch Dataset, a dict of them by split, or a LightningDataModule."
    )


def test_a_lightning_data_module_is_prepared_and_read_unshuffled_and_whole():
    lightning = pytest.importorskip("lightning.pytorch")

    class Toys(lightning.LightningDataModule):
        def __init__(self):
            super().__init__()
            self.calls = []

        def prepare_data(self):
            self.calls.append("prepare")

        def setup(self, stage):
            self.calls.append(stage)
            self.sets = {"train": tensors(7), "test": tensors(3)}

        def train_dataloader(self):
            return DataLoader(self.sets["train"], batch_size=4, shuffle=True, drop_last=True)

        def test_dataloader(self):
            return DataLoader(self.sets["test"])

    module = Toys()
    data = load_data(module)
    assert module.calls == ["prepare", "fit", "test"]
    assert (data.split_names, len(data.train), len(data.test), data.name) == (("train", "test"), 7, 3, "Toys")
    assert data.train.images.tolist() == tensors(7).tensors[0].tolist()


def test_a_data_module_of_several_loaders_is_refused():
    lightning = pytest.importorskip("lightning.pytorch")

    class Toys(lightning.LightningDataModule):
        def train_dataloader(self):
            return [DataLoader(tensors()), DataLoader(tensors())]

    with pytest.raises(DataError) as error:
        load_data(Toys())
    assert str(error.value) == "Toys.train_dataloader() gives a list; expected one DataLoader."


@pytest.mark.slow
def test_lightning_is_not_imported_for_data_that_is_not_a_data_module():
    program = (
        "import sys, torch; from layerwise.data.catalog import load_data;"
        "load_data(torch.utils.data.TensorDataset(torch.zeros(10, 1, 2, 2), torch.arange(10) % 2));"
        "assert not {'lightning', 'pytorch_lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
