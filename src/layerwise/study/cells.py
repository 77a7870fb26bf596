"""Cell: what is trained once for every seed. Its address is made of its content, so that no result is made twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from layerwise.data.catalog import check_data_spec
from layerwise.errors import InputError, did_you_mean
from layerwise.models.catalog import check_model_spec
from layerwise.training.settings import TrainSettings

Value = str | int | float | bool | list[Any]

RECIPE = 1
"""Part of every address: raised when the same settings would give other numbers."""

DECIDED_BY_BLOCKS = ("seed", "device", "precision", "preprocessing")
TRAINING = {one.name for one in fields(TrainSettings)} - set(DECIDED_BY_BLOCKS)
SUCH_AS = {"data": "kind", "model": "name", "training": "epochs"}
"""The sections of settings, and a setting of each."""

KERNELS = ("drawn", "edges")


@dataclass(frozen=True)
class Cell:
    """The settings of one cell, by dotted key.

    Attributes:
        settings: "data.kind" ("data.path") and the options of the data; "model.name" and its options, and
            "model.kernels" ("drawn", or "edges": set to edge detectors and kept); "training." and the fields of
            `TrainSettings`.

    >>> cell = Cell({"data.kind": "edges", "model.name": "simple-cnn", "model.kernel": 3})
    >>> cell.data_spec, cell.model_spec
    ('edges', 'simple-cnn?kernel=3')
    """

    settings: Mapping[str, Value] = field(hash=False)

    @cached_property
    def address(self) -> str:
        """Sixteen hexadecimal digits: equal for equal settings, in whatever order they are written."""
        told = json.dumps([RECIPE, self.settings], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def data_spec(self) -> str:
        """As `load_data` takes it; the seed is the block's."""
        path = f":{self.settings['data.path']}" if "data.path" in self.settings else ""
        return f"{self.settings['data.kind']}{path}" + _options(self._of("data", without=("kind", "path")))

    @property
    def model_spec(self) -> str:
        """As `load_model` takes it."""
        return f"{self.settings['model.name']}" + _options(self._of("model", without=("name", "kernels")))

    @property
    def kernels(self) -> str:
        """Whether the convolutions are "drawn", or set to "edges" and kept."""
        return str(self.settings.get("model.kernels", "drawn"))

    def training(self, seed: int) -> TrainSettings:
        """How to train, with the block's seed; on the CPU, where every engine gives the same numbers."""
        return TrainSettings(seed=seed, device="cpu", **self._of("training"))

    def matches(self, where: Mapping[str, Value]) -> bool:
        """Whether it has all these settings."""
        return matches(self.settings, where)

    def _of(self, section: str, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
        start = f"{section}."
        names = (name.removeprefix(start) for name in self.settings if name.startswith(start))
        return {name: self.settings[f"{start}{name}"] for name in names if name not in without}


def matches(settings: Mapping[str, Value], where: Mapping[str, Value]) -> bool:
    """Whether the settings are among others as they are asked for."""
    return all(key in settings and settings[key] == value for key, value in where.items())


def find_faults(cell: Cell) -> Iterator[tuple[str, str]]:
    """What of a cell cannot be used: dotted keys ("" where no single one is to blame) and what is wrong there."""
    sections = tuple(SUCH_AS)
    for key in cell.settings:
        section, dot, name = key.partition(".")
        if key in sections:
            yield key, f'"{key}" must be settings, such as {key}.{SUCH_AS[key]} = …; got {cell.settings[key]!r}.'
        elif section not in sections or not dot:
            yield key, f'"{key}" is not of data, model or training.{did_you_mean(section, sections)}'
        elif section == "training" and name not in TRAINING:
            why = " It is decided by the block." if name in DECIDED_BY_BLOCKS else did_you_mean(name, TRAINING)
            yield key, f'training has no setting "{name}".{why}'
    yield from _spec_faults(cell)
    if cell.kernels not in KERNELS:
        yield "model.kernels", f'kernels "{cell.kernels}" is not one of {", ".join(KERNELS)}.'
    if "data.seed" in cell.settings:
        yield "data.seed", "the seed of the data is the block's; leave it out."
    known = {name: value for name, value in cell._of("training").items() if name in TRAINING}
    yield from _one_by_one("training", known, lambda some: TrainSettings(**some))


def _spec_faults(cell: Cell) -> Iterator[tuple[str, str]]:
    checks = {"data": ("kind", "path", check_data_spec), "model": ("name", "kernels", check_model_spec)}
    for section, (main, other, check) in checks.items():
        values = cell._of(section)
        if main not in values:
            yield section, f'"{section}.{main}" is missing.'
            continue
        kept = {name: values.pop(name) for name in (main, other) if name in values}
        try:
            check(_spec(section, kept))
        except InputError as error:
            yield f"{section}.{main}", str(error)
            continue
        yield from _one_by_one(section, values, lambda some: check(_spec(section, kept | some)))  # noqa: B023


def _spec(section: str, values: Mapping[str, Any]) -> str:
    cell = Cell({f"{section}.{name}": value for name, value in values.items()})
    return cell.data_spec if section == "data" else cell.model_spec


def _one_by_one(
    section: str, values: Mapping[str, Any], check: Callable[[dict[str, Any]], object]
) -> Iterator[tuple[str, str]]:
    """The values that are at fault by themselves; if none is, what is wrong with all of them together."""
    found = False
    for name, value in values.items():
        try:
            check({name: value})
        except (InputError, TypeError) as error:
            found = True
            yield f"{section}.{name}", _brief(error)
    if not found:
        try:
            check(dict(values))
        except (InputError, TypeError) as error:
            yield section, _brief(error)


def _brief(error: Exception) -> str:
    """Its words without the heading of several."""
    return str(error).removeprefix("training settings that cannot be used:\n    ")


def _options(values: Mapping[str, Any]) -> str:
    return "?" + "&".join(f"{name}={_as_text(values[name])}" for name in sorted(values)) if values else ""


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(_as_text, value)) if isinstance(value, list) else f"{value}"
