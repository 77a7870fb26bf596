"""Settings: what cannot be used is refused, all of it at once."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from layerwise.errors import InputError
from layerwise.models.preprocessing import Preprocessing
from layerwise.training.settings import SettingsFields, TrainSettings, make_settings


def test_the_easy_door_is_typed_for_every_setting() -> None:
    assert list(SettingsFields.__annotations__) == [field.name for field in fields(TrainSettings)]


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        TrainSettings().epochs = 3  # type: ignore[misc]


def test_overrides_go_on_top_of_given_settings() -> None:
    base = TrainSettings(epochs=3, optimizer="sgd")
    assert make_settings(base, {"epochs": 5}) == TrainSettings(epochs=5, optimizer="sgd")
    assert make_settings(None, {"epochs": 5}) == TrainSettings(epochs=5)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        TrainSettings(epochs=0, optimizer="adamm", learning_rate=float("nan"), label_smoothing=1.0)  # type: ignore[arg-type]
    assert str(error.value) == (
        "training settings that cannot be used:\n"
        '    optimizer "adamm" is not one of adam, adamw, sgd. Did you mean "adam" or "adamw"?\n'
        "    epochs must be a whole number of at least 1; got 0.\n"
        "    learning_rate must be a number above 0; got nan.\n"
        "    label_smoothing must be a number from 0 to below 1; got 1.0."
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("batch_size", 2.0),
        ("epochs", True),
        ("early_stop", 0),
        ("seed", "0"),
        ("weight_decay", -1e-4),
        ("momentum", 1.0),
        ("learning_rate", 0.0),
        ("precision", "64"),
        ("device", "tpu"),
        ("schedule", "step"),
        ("augment", "crop"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"\n    {field} "):
        TrainSettings(**{field: value})


def test_an_unknown_setting_is_told_with_its_neighbour() -> None:
    with pytest.raises(
        InputError, match=r'^"epoch" is not a training setting\. Did you mean "epochs"\?\n    The settings'
    ):
        make_settings(None, {"epoch": 3})  # type: ignore[typeddict-unknown-key]


def test_settings_as_plain_values_hold_the_preprocessing_too() -> None:
    values = TrainSettings(preprocessing=Preprocessing((0.5,), (0.25,))).to_dict()
    assert values["preprocessing"] == {"mean": [0.5], "std": [0.25]}
    assert TrainSettings().to_dict()["preprocessing"] is None
