"""Units killed on purpose are found, exactly those; sums over batches are what the whole array gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import NonFiniteError, NotEnoughExamplesError
from layerwise.inside.units import UnitReport, measure_units
from layerwise.recording import record
from layerwise.seeds import stream
from layerwise.taps import find_taps


def images(count: int = 23, *, classes: int = 3, side: int = 8) -> ImageData:
    random = stream(0, "images")
    pixels = random.random((count, 1, side, side)).astype(np.float32)
    return ImageData.create(pixels, np.arange(count) % classes, class_names=[f"class {n}" for n in range(classes)])


def drawn(seed: int, *layers: nn.Module) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers:
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return nn.Sequential(*layers).eval()


def small() -> nn.Module:
    return drawn(0, nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 4), nn.Sigmoid(), nn.Linear(4, 3))


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batches_give_what_the_whole_array_gives(batch_size: int) -> None:
    model, data = small(), images()
    report = measure_units(model, data, batch_size=batch_size, top=4)
    values = record(model, data, find_taps(model, data, "children"))
    maps = values["1"].reshape(23, 5, -1)
    units = report.units[report.units["tap"] == "1"]
    np.testing.assert_allclose(units["fires"], (maps > 0).mean(axis=(0, 2)))
    np.testing.assert_allclose(units["images"], (maps > 0).any(axis=2).mean(axis=0))
    np.testing.assert_allclose(units["low"], maps.min(axis=(0, 2)), atol=1e-6)
    np.testing.assert_allclose(units["high"], maps.max(axis=(0, 2)), atol=1e-6)
    np.testing.assert_allclose(units["mean"], maps.mean(axis=(0, 2), dtype=np.float64), atol=1e-6)
    rows = units.index.to_numpy()
    strongest = np.argsort(-maps.max(axis=2), axis=0, kind="stable")[:4].T
    np.testing.assert_array_equal(report.top[rows], strongest)
    np.testing.assert_allclose(report.top_values[rows], np.sort(maps.max(axis=2).T)[:, ::-1][:, :4], atol=1e-6)
    by_class = np.stack([maps[data.labels == label].mean(axis=(0, 2)) for label in range(3)], axis=1)
    np.testing.assert_allclose(report.class_means[rows], by_class, atol=1e-6)


def test_units_killed_on_purpose_are_found_and_no_others() -> None:
    data = images(side=12)
    first, second = nn.BatchNorm2d(6, momentum=None), nn.BatchNorm2d(8, momentum=None)
    layers = (nn.Conv2d(1, 6, 3), first, nn.ReLU(), nn.Conv2d(6, 8, 3), second, nn.ReLU(), nn.Flatten())
    model = drawn(0, *layers, nn.Linear(512, 3)).train()
    model(torch.from_numpy(data.batch(slice(0, 23))))  # every channel is centred now: none is dead by chance
    with torch.no_grad():
        for norm, unit in ((first, 3), (second, 1), (second, 7)):
            norm.weight[unit], norm.bias[unit] = 0.0, -0.5
        second.bias[5] = -100.0  # alive before the activation, where it never fires, and dead behind it
    report = measure_units(model.eval(), data)
    maps = report.units[report.units["tap"] != "6"]
    assert {(row.tap, row.unit) for row in maps[maps["dead"]].itertuples()} == {
        *{("1", 3), ("2", 3)},
        *{("4", 1), ("4", 7), ("5", 1), ("5", 5), ("5", 7)},
    }
    layers_table = report.layers().set_index("tap")
    assert layers_table.loc[["1", "2", "4", "5"], "dead"].tolist() == [1, 1, 2, 3]
    assert layers_table.loc["4", "never_fires"] == 3
    assert layers_table.loc["5", "units"] == 8


def test_sigmoids_that_are_stuck_at_their_ends_are_saturated() -> None:
    model = small()
    with torch.no_grad():
        model[3].bias[:] = torch.tensor([30.0, -30.0, 0.0, 0.0])
    units = measure_units(model, images()).units
    assert units.loc[units["tap"] == "4", "saturated"].tolist() == [True, True, False, False]
    assert units.loc[units["tap"] == "1", "saturated_share"].isna().all()
    assert not units.loc[units["tap"] == "1", "saturated"].any()


def test_rest_is_no_saturation_of_a_relu6() -> None:
    model = drawn(0, nn.Conv2d(1, 3, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(108, 3))
    with torch.no_grad():
        model[0].bias[:] = torch.tensor([30.0, -30.0, 0.0])
    units = measure_units(model, images()).units
    assert units.loc[units["tap"] == "1", "saturated"].tolist() == [True, False, False]
    assert units.loc[units["tap"] == "1", "dead"].tolist() == [True, True, False]


def test_the_table_names_classes_and_images() -> None:
    report = measure_units(small(), images(), top=40)
    table = report.table()
    assert set(table["excited_by"]) <= {"class 0", "class 1", "class 2"}
    assert all(len(ids.split(", ")) == 23 for ids in table["top_ids"])  # there are no more images than 23


def test_the_network_is_left_as_it_was() -> None:
    model = small().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measure_units(model, images())
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(NotEnoughExamplesError, match="no tap with units"):
        measure_units(small(), images(), ["softmax"])
    model = small()
    with torch.no_grad():
        model[0].weight[0] = torch.nan
    with pytest.raises(NonFiniteError, match='tap "0" holds NaN or infinity'):
        measure_units(model, images())


def test_a_report_is_the_same_for_any_batch_size() -> None:
    one, other = (measure_units(small(), images(), batch_size=size) for size in (5, 23))
    assert isinstance(one, UnitReport)
    np.testing.assert_array_equal(one.top, other.top)


def test_one_image_does_not_make_the_units_of_a_vector_dead() -> None:
    units = measure_units(small(), images().select(slice(0, 1))).units
    assert not units.loc[units["tap"] == "3", "dead"].any()


def test_the_second_call_of_an_activation_is_known_by_its_module() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.act, self.second = nn.Linear(64, 4), nn.Sigmoid(), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.second(self.act(self.first(x.flatten(1)))))[:, :3]

    model = Twice()
    with torch.no_grad():
        model.second.bias[:] = 50.0
    units = measure_units(model, images(), ["act", "act_1"]).units
    assert not units.loc[units["tap"] == "act", "saturated_share"].isna().any()
    assert units.loc[units["tap"] == "act_1", "saturated"].all()
