"""Claims: the [[compare]] and [[reference]] tables of a study, read against its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from layerwise.errors import did_you_mean
from layerwise.study.cells import Value
from layerwise.study.comparisons import Comparison, Kind, flatten
from layerwise.study.design import TUNED
from layerwise.study.keys import CLAIMS
from layerwise.study.toml_lines import Path as Place
from layerwise.study.trials import SHARES
from layerwise.study.tuning import Contender, Tuned

Where = dict[str, Value]

ROLES: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(key for key, of in keys.items() if of is dict) for kind, keys in CLAIMS.items()
}
"""The tables that a comparison of each kind has: each names settings of the cells that play this part."""

BOUND: Mapping[Kind, str] = {
    kind: next(key for key, of in keys.items() if of is float) for kind, keys in CLAIMS.items()
}
"""What the bound of each kind is called."""


DIFFERENCES = ("by", "within")
"""The bounds that are differences of a measure; others are values of it."""


class Claims:
    """Reads comparisons and references of a study whose keys are checked.

    Args:
        contenders: of the study.
        measure: the study's own.
        blame: is told each fault, with the place of the key.
    """

    def __init__(self, contenders: Sequence[Contender], measure: str, blame: Callable[[Place, str], None]) -> None:
        self._cells, self._measure, self._blame = contenders, measure, blame

    def read(self, table: Mapping[str, Any], place: int) -> Iterator[Comparison]:
        """The comparisons of one table: one for each combination under `for`."""
        where: Place = ("compare", place)
        kind: Kind = table.get("kind", "difference")
        measure = table.get("measure", self._measure)
        self._check_bound(BOUND[kind], table.get(BOUND[kind], 0.0), measure, where)
        for conditions in _grid(table.get("for", {})):
            cells, amounts = self._parts(kind, table, conditions, where)
            if not all(cells) or self._chosen_by(cells, measure, where):
                continue
            if len(set(cells)) < len(cells):
                self._blame(where, f"a cell is compared with itself{_under(conditions)}; its sides must differ.")
            yield Comparison(
                kind,
                _claim(kind, table, conditions),
                measure,
                tuple(cell for cell in cells if cell),
                float(table.get(BOUND[kind], 0.0)),
                amounts,
                table.get("primary", True),
            )

    def read_reference(self, table: Mapping[str, Any], place: int) -> Iterator[tuple[str, str, str, float]]:
        """Source, cell, measure and value of each value of one table; lists run side by side with their settings."""
        where: Place = ("reference", place)
        settings = flatten(table["cell"])
        lists = {key: value for key, value in settings.items() if isinstance(value, list)}
        values = table["value"] if isinstance(table["value"], list) else [table["value"]]
        if any(len(value) != len(values) for value in lists.values()):
            self._blame((*where, "value"), f"{len(values)} values are given for as many as {lists} settings.")
            return
        measure = table.get("measure", self._measure)
        for row, value in enumerate(values):
            self._check_bound("value", value, measure, where)
            chosen = {key: level[row] if key in lists else level for key, level in settings.items()}
            cell = self._select(chosen, (*where, "cell"))
            if cell and not self._chosen_by([cell], measure, where):
                yield table["source"], cell, measure, float(value)

    def _check_bound(self, key: str, value: float, measure: str, where: Place) -> None:
        """A share that is written in percent would be a claim that nothing can support, or contradict."""
        least, words = (-1, "shares differ by -1 to 1") if key in DIFFERENCES else (0, "a share is 0 to 1")
        if measure in SHARES and not least <= value <= 1:
            self._blame((*where, key), f"{key} = {value} of {measure}: {words}, not percent.")

    def _chosen_by(self, addresses: Sequence[str | None], measure: str, where: Place) -> bool:
        """Whether a number is of the images that chose among candidates; no claim can rest on it."""
        tuned = any(isinstance(one, Tuned) and one.address in addresses for one in self._cells)
        refused = tuned and measure.startswith("validation_")
        if refused:
            words = f'"{measure}" cannot be reported of cells that are tuned: these images chose. Take "test_accuracy".'
            self._blame((*where, "measure"), words)
        return refused

    def _parts(
        self, kind: Kind, table: Mapping[str, Any], conditions: Where, where: Place
    ) -> tuple[list[str | None], tuple[float, ...]]:
        """The addresses of a comparison's cells, None for one that is not to be found; and the amounts of "needed"."""
        roles = {role: flatten(table[role]) | conditions for role in ROLES[kind]}
        if kind == "interaction":
            sides = [roles[side] | roles[under] for under in ("more", "less") for side in ("higher", "lower")]
            return [self._select(side, where) for side in sides], ()
        if kind != "needed":
            return [self._select(settings, (*where, role)) for role, settings in roles.items()], ()
        along: str = table["along"]
        found = [self._along(settings, along, (*where, role)) for role, settings in roles.items()]
        amounts = sorted(set(found[0]) & set(found[1]))
        if len(amounts) < 2:
            self._blame((*where, "along"), f'fewer than two levels of "{along}" are there on both sides.')
            return [None], ()
        return [side[amount] for side in found for amount in amounts], tuple(map(float, amounts))

    def _along(self, settings: Where, along: str, where: Place) -> dict[float, str]:
        """The cells with these settings, by their amount."""
        chosen = [cell for cell in self._cells if cell.matches(settings) and along in cell.settings]
        found: dict[float, str] = {}
        for cell in chosen:
            amount = cell.settings[along]
            if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
                self._blame(where, f'"{along}" is {amount!r}; what is needed is counted in numbers above 0.')
            elif float(amount) in found:
                self._blame(where, f"several cells have {_told(settings)} and {along} = {amount}; say more of them.")
            else:
                found[float(amount)] = cell.address
        return found

    def _select(self, settings: Where, where: Place) -> str | None:
        chosen = [cell for cell in self._cells if cell.matches(settings)]
        if len(chosen) == 1:
            return chosen[0].address
        if chosen:
            differing = sorted(
                {
                    key
                    for cell in chosen
                    for key, value in cell.settings.items()
                    if any(other.settings.get(key) != value for other in chosen)
                }
            )
            self._blame(where, f"{len(chosen)} cells have {_told(settings)}; say also {', '.join(differing)}.")
        else:
            self._blame(where, f"no cell has {_told(settings)}.{self._nearest(settings)}")
        return None

    def _nearest(self, settings: Where) -> str:
        """Which of the settings no cell has, with the levels that there are."""
        for key, value in settings.items():
            levels = sorted({str(cell.settings[key]) for cell in self._cells if key in cell.settings})
            if not levels:
                known = {key for cell in self._cells for key in cell.settings}
                return f' No cell has a "{key}".{did_you_mean(key, known)}'
            if str(value) not in levels:
                return f" {key} is one of {', '.join(levels)}."
        return " These are not combined."


def _grid(conditions: Mapping[str, Any]) -> Iterator[Where]:
    """Every combination of the levels under `for`."""
    flat = flatten(conditions)
    levels = [value if isinstance(value, list) else [value] for value in flat.values()]
    for choice in product(*levels):
        yield dict(zip(flat, choice, strict=True))


def _claim(kind: Kind, table: Mapping[str, Any], conditions: Where) -> str:
    words = table.get("claim") or _words(kind, table)
    return f"{words}{_under(conditions)}"


def _under(conditions: Where) -> str:
    return f" ({_told(conditions)})" if conditions else ""


def _words(kind: Kind, table: Mapping[str, Any]) -> str:
    sides = [_told(flatten(table[role])) for role in ROLES[kind]]
    bound = table.get(BOUND[kind], 0)
    return {
        "difference": lambda: f"{sides[0]} above {sides[1]}" + (f" by {bound}" if bound else ""),
        "same": lambda: f"{sides[0]} and {sides[1]} within {bound}",
        "at-least": lambda: f"{sides[0]} at least {bound}",
        "interaction": lambda: f"{sides[0]} over {sides[1]}: more under {sides[2]} than under {sides[3]}",
        "needed": lambda: f"{sides[0]} reaches {bound} with fewer {table['along'].rpartition('.')[2]} than {sides[1]}",
    }[kind]()


def _told(settings: Mapping[str, object]) -> str:
    """Settings in words; a name stands for itself."""
    named = ("model.name", "data.kind")
    parts = [
        TUNED
        if key == TUNED and value is True
        else f"{value}"
        if key in named
        else f"{key.partition('.')[2] or key} = {value}"
        for key, value in settings.items()
    ]
    return ", ".join(parts) or "no settings"
