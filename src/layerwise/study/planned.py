"""Claims: the [[compare]] and [[reference]] tables of a study, read against its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, get_args

from layerwise.errors import did_you_mean
from layerwise.study.cells import Value
from layerwise.study.comparisons import Comparison, Kind, flatten
from layerwise.study.design import TUNED
from layerwise.study.toml_lines import Path as Place
from layerwise.study.tuning import Contender, Tuned

Where = dict[str, Value]

ROLES: Mapping[Kind, tuple[str, ...]] = {
    "difference": ("higher", "lower"),
    "same": ("one", "other"),
    "at-least": ("cell",),
    "interaction": ("higher", "lower", "more", "less"),
    "needed": ("fewer", "more"),
}
"""The tables that a comparison of each kind has: each names settings of the cells that play this part."""

BOUND: Mapping[Kind, str] = {
    "difference": "by", "same": "within", "at-least": "least", "interaction": "by", "needed": "level",
}  # fmt: skip
"""What the bound of each kind is called; those of "same", "at-least" and "needed" must be given."""

SHARED = ("kind", "claim", "measure", "primary", "for")


class Claims:
    """Reads comparisons and references of a study.

    Args:
        contenders: of the study.
        measure: the study's own.
        measures: all that there are.
        blame: is told each fault, with the place of the key.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        measure: str,
        measures: Sequence[str],
        blame: Callable[[Place, str], None],
    ) -> None:
        self._cells, self._measure, self._measures, self._blame = contenders, measure, measures, blame

    def read(self, table: Mapping[str, Any], place: int) -> Iterator[Comparison]:
        """The comparisons of one table: one for each combination under `for`."""
        where: Place = ("compare", place)
        kind = table.get("kind", "difference")
        if kind not in ROLES:
            self._blame((*where, "kind"), f'no comparison is called "{kind}".{did_you_mean(str(kind), get_args(Kind))}')
            return
        if not self._has_keys(kind, table, where):
            return
        for conditions in _grid(table.get("for", {})):
            cells, amounts = self._parts(kind, table, conditions, where)
            measure = table.get("measure", self._measure)
            if not all(cells) or self._chosen_by(cells, measure, where):
                continue
            yield Comparison(
                kind,
                _claim(kind, table, conditions),
                measure,
                tuple(cell for cell in cells if cell),
                float(table.get(BOUND[kind], 0.0)),
                amounts,
                bool(table.get("primary", True)),
            )

    def read_reference(self, table: Mapping[str, Any], place: int) -> Iterator[tuple[str, str, str, float]]:
        """Source, cell, measure and value of each value of one table; lists run side by side with their settings."""
        where: Place = ("reference", place)
        missing = {"source", "cell", "value"} - set(table)
        if missing:
            self._blame(where, f"a reference needs {', '.join(sorted(missing))}.")
            return
        settings = flatten(table["cell"])
        lists = {key: value for key, value in settings.items() if isinstance(value, list)}
        values = table["value"] if isinstance(table["value"], list) else [table["value"]]
        if any(len(value) != len(values) for value in lists.values()):
            self._blame((*where, "value"), f"{len(values)} values are given for as many as {lists} settings.")
            return
        for row, value in enumerate(values):
            chosen = {key: level[row] if key in lists else level for key, level in settings.items()}  # type: ignore[index]
            cell = self._select(chosen, (*where, "cell"))  # type: ignore[arg-type]
            measure = str(table.get("measure", self._measure))
            if cell and not self._chosen_by([cell], measure, where):
                yield str(table["source"]), cell, measure, float(value)

    def _chosen_by(self, addresses: Sequence[str | None], measure: str, where: Place) -> bool:
        """Whether a number is of the images that chose among candidates; no claim can rest on it."""
        tuned = any(isinstance(one, Tuned) and one.address in addresses for one in self._cells)
        refused = tuned and measure.startswith("validation_")
        if refused:
            words = f'"{measure}" cannot be reported of cells that are tuned: these images chose. Take "test_accuracy".'
            self._blame((*where, "measure"), words)
        return refused

    def _has_keys(self, kind: Kind, table: Mapping[str, Any], where: Place) -> bool:
        along = ("along",) if kind == "needed" else ()
        known = (*SHARED, *ROLES[kind], BOUND[kind], *along)
        fine = True
        for key in table:
            if key not in known:
                self._blame((*where, key), f'a comparison of kind "{kind}" has no "{key}".{did_you_mean(key, known)}')
                fine = False
        must = (*ROLES[kind], *along, *([BOUND[kind]] if kind in ("same", "at-least", "needed") else []))
        for key in must:
            if key not in table:
                self._blame(where, f'a comparison of kind "{kind}" needs "{key}".')
                fine = False
        measure = table.get("measure", self._measure)
        if measure not in self._measures:
            hint = did_you_mean(str(measure), self._measures)
            self._blame((*where, "measure"), f'no measure is called "{measure}".{hint}')
            fine = False
        return fine

    def _parts(
        self, kind: Kind, table: Mapping[str, Any], conditions: Where, where: Place
    ) -> tuple[list[str | None], tuple[float, ...]]:
        """The addresses of a comparison's cells, None for one that is not to be found; and the amounts of "needed"."""
        roles = {role: _flat(table[role]) | conditions for role in ROLES[kind]}
        if kind == "interaction":
            sides = [roles[side] | roles[under] for under in ("more", "less") for side in ("higher", "lower")]
            return [self._select(side, where) for side in sides], ()
        if kind != "needed":
            return [self._select(settings, (*where, role)) for role, settings in roles.items()], ()
        along = str(table["along"])
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


def _flat(table: Any) -> Where:
    return flatten(table) if isinstance(table, Mapping) else {}  # type: ignore[return-value]


def _grid(conditions: Mapping[str, Any]) -> Iterator[Where]:
    """Every combination of the levels under `for`."""
    flat = flatten(conditions)
    levels = [value if isinstance(value, list) else [value] for value in flat.values()]
    for choice in product(*levels):
        yield dict(zip(flat, choice, strict=True))


def _claim(kind: Kind, table: Mapping[str, Any], conditions: Where) -> str:
    given = table.get("claim")
    words = str(given) if given else _words(kind, table)
    return f"{words} ({_told(conditions)})" if conditions else words


def _words(kind: Kind, table: Mapping[str, Any]) -> str:
    sides = [_told(_flat(table[role])) for role in ROLES[kind]]
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
