"""Study: read from a TOML file, or all that is wrong with the file at once, with line numbers; `Study.run` runs it.

title, hypothesis       what is asked, and what is expected, in words
question                what the question is called elsewhere, such as Q2
seeds, alpha, measure   how many blocks, the error allowed, which number decides
[all]                   settings of all cells
[[cells]]               levels: every list is a factor, factors are crossed
[[compare]]             what is claimed of which cells
[[reference]]           numbers of others to set beside ours
"""

from __future__ import annotations

import hashlib
import numbers
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import FileError, StudyError
from layerwise.progress import Progress, silent
from layerwise.study.cells import Cell, find_faults
from layerwise.study.claims import Claims
from layerwise.study.comparisons import Comparison, flatten
from layerwise.study.design import SKIP, TOGETHER, TUNE, expand_design, find_idle_skips
from layerwise.study.keys import MOST_SEEDS, Faults, check_keys
from layerwise.study.toml_lines import Path as Place
from layerwise.study.toml_lines import find_lines
from layerwise.study.trials import MEASURES
from layerwise.study.tuning import Contender, all_cells

if TYPE_CHECKING:
    from layerwise.study.summary import StudySummary


@dataclass(frozen=True)
class Reference:
    """A number of others, to be set beside ours.

    Attributes:
        source: whose.
        cell: address of the cell that it belongs to.
        measure: which number of it.
        value: theirs.
    """

    source: str
    cell: str
    measure: str
    value: float


@dataclass(frozen=True)
class Study:
    """A hypothesis, and the plan that decides it.

    Attributes:
        name: of its file, without the ending.
        title, hypothesis: in words.
        seeds: how many blocks.
        alpha: the error that the verdict may have.
        measure: the number that decides, unless a comparison names another.
        looks: after how many blocks one may look; the last is all of them.
        contenders: what is compared: cells, and sets of them of which each block chooses one.
        comparisons: what is claimed.
        references: numbers of others.
        question: what it is called elsewhere; empty where it has no such name.
        text: of the file.
        file_looks: the looks that the file names, however many blocks are asked for.
    """

    name: str
    title: str
    hypothesis: str
    seeds: int
    contenders: tuple[Contender, ...]
    comparisons: tuple[Comparison, ...] = ()
    references: tuple[Reference, ...] = ()
    alpha: float = 0.05
    measure: str = "test_accuracy"
    looks: tuple[int, ...] = ()
    text: str = field(default="", repr=False)
    question: str = ""
    file_looks: tuple[int, ...] = ()

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """What is trained in every block."""
        return all_cells(self.contenders)

    @property
    def plan(self) -> str:
        """A hash of the hypothesis and of all claims: what was meant before the first run."""
        told = [self.hypothesis, str(self.alpha), *(one.identity for one in self.comparisons)]
        return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]

    @property
    def planned_looks(self) -> tuple[int, ...]:
        """What a first run plans: the looks of the file, or those asked for where they are more blocks."""
        return self.file_looks if self.file_looks and self.file_looks[-1] > self.seeds else self.looks

    @classmethod
    def from_file(cls, name: Path | str) -> Study:
        """One study: a built-in one by its name, or one from a file.

        Args:
            name: "GROUP/NAME" (`list_studies` names them), or FILE.toml.

        Raises:
            UnknownNameError: no study has this name.
            StudyError: all that is wrong with the file, with line numbers; or the name is that of several studies.
            FileError: there is no such file, or it is no TOML.

        >>> Study.from_file("inductive-bias/q4-domain-shift").name
        'q4-domain-shift'
        """
        from layerwise.study.named import find_studies

        found = find_studies(name)
        if len(found) > 1:
            told = ", ".join(one.name for one in found)
            raise StudyError(f'"{name}" is {len(found)} studies: {told}. Name one of them, or take find_studies.')
        return found[0]

    def with_seeds(self, seeds: int) -> Study:
        """The same study with another number of blocks; looks beyond it are left out.

        Raises:
            StudyError: no whole number, fewer than one, or more than a million.
        """
        if isinstance(seeds, bool) or not isinstance(seeds, numbers.Integral) or seeds < 1:
            raise StudyError(f"seeds must be a whole number of at least 1; got {seeds!r}.")
        if seeds > MOST_SEEDS:
            raise StudyError(f"seeds must be at most {MOST_SEEDS:,}; got {seeds}.")
        seeds = int(seeds)  # one of NumPy's could not be noted as JSON
        return replace(self, seeds=seeds, looks=(*(look for look in self.looks if look < seeds), seeds))

    def run(
        self,
        folder: Path | str,
        *,
        engine: str = "stacked",
        seeds: int | None = None,
        retry: bool = False,
        check: bool = True,
        progress: Progress = silent,
    ) -> StudySummary:
        """Train every cell in every block, and say whether the claims came true; what is there is not run again.

        Args:
            folder: of the results; made where there is none.
            engine: "stacked", "loop", "processes" or "ray".
            seeds: how many blocks, if not as many as the study says.
            retry: run those that failed once more.
            check: first look at images, networks and plan, as `check_study` does; kept for the report.
            progress: is shown the runs.

        Raises:
            UnknownNameError: there is no such engine.
            StudyError: the folder cannot be used; or `seeds` is no whole number of at least 1.
            Interrupted: Ctrl-C. What was run is kept: the same call goes on.
        """
        from layerwise.study.checks.noted import note_checks
        from layerwise.study.engines import find_engine
        from layerwise.study.running import run_study
        from layerwise.study.store import Store
        from layerwise.study.summary import summarize

        study, runner, store = self if seeds is None else self.with_seeds(seeds), find_engine(engine), Store(folder)
        store.begin(study)
        if check:
            note_checks(study, store)
        run_study(study, folder, runner, retry=retry, progress=progress)
        return summarize(study, store)


def read_study(path: Path | str) -> Study:
    """Read a study from a file.

    Raises:
        FileError: there is no such file, it cannot be read, or it is no TOML.
        StudyError: all that is wrong with it, with line numbers.
    """
    path = Path(path)
    try:
        path.stem.encode()
        if path.is_fifo():
            raise FileError(f"{path} is a pipe; a file is expected.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeEncodeError:
        raise FileError(f"{str(path)!r} is no name in UTF-8. Give the file another.") from None
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no text in UTF-8 ({error}).") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}).") from None
    return parse_study(text, name=path.stem, source=str(path))


def parse_study(text: str, *, name: str, source: str = "the study") -> Study:
    """A study from the text of its file; see `read_study`."""
    try:
        given = tomllib.loads(text)
    except RecursionError:
        raise FileError(f"{source} is no TOML of a study: its brackets are nested too deeply.") from None
    except ValueError as error:  # a number of 5,000 digits is one, too
        raise FileError(f"{source} is no TOML: {error}") from None
    faults = Faults(source, find_lines(text))
    check_keys(given, faults)
    faults.stop()
    contenders = _contenders(given, faults)
    faults.stop()
    measure = given.get("measure", MEASURES[0])
    claims = Claims(contenders, measure, faults.add)
    comparisons = [one for place, table in enumerate(given.get("compare", ())) for one in claims.read(table, place)]
    references = [one for place, table in enumerate(given.get("reference", ())) for one in _read(claims, table, place)]
    faults.stop()
    looks = tuple(given.get("looks", ())) or (given["seeds"],)
    return Study(
        name,
        given["title"],
        given["hypothesis"].strip(),
        given["seeds"],
        contenders,
        tuple(comparisons),
        tuple(references),
        float(given.get("alpha", 0.05)),
        measure,
        looks,
        text,
        given.get("question", ""),
        looks,
    )


def _contenders(given: Mapping[str, Any], faults: Faults) -> tuple[Contender, ...]:
    shared: dict[str, Any] = flatten(given["all"])
    contenders: dict[str, Contender] = {}
    for place, table in enumerate(given["cells"]):
        design = _flat_design(table)
        try:
            found = expand_design(shared, [design])
        except StudyError as error:
            faults.add(("cells", place), str(error))
            continue
        for idle in find_idle_skips(shared, design):
            words = "this leaves nothing out: no combination of these cells has its settings."
            faults.add(("cells", place, SKIP, idle), words)
        for cell in all_cells(found):
            for key, words in find_faults(cell):
                _blame(key, words, place, table, faults)
        contenders |= {one.address: one for one in found}
    return tuple(contenders.values())


def _flat_design(table: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[str, Any] = {name: [flatten(one) for one in table[name]] for name in (TOGETHER, SKIP) if name in table}
    if TUNE in table:
        groups[TUNE] = _flat_design(table[TUNE])
    return flatten({key: value for key, value in table.items() if key not in groups}) | groups


def _blame(key: str, words: str, place: int, table: Mapping[str, Any], faults: Faults) -> None:
    """Note a cell's fault where its key is written: in its design, in what is under it, or else in [all]."""
    parts = tuple(key.split(".")) if key else ()
    here: Place = ("cells", place)
    groups: list[tuple[Place, Mapping[str, Any]]] = [((*here, TUNE), table.get(TUNE, {}))]
    groups += [((*here, TOGETHER, at), group) for at, group in enumerate(table.get(TOGETHER, ()))]
    for start, some in (*groups, (here, table)):
        if any(name == key or name.startswith(f"{key}.") for name in flatten(some)):
            faults.add(start + parts, words)
            return
    faults.add(("all", *parts), words)


def _read(claims: Claims, table: Mapping[str, Any], place: int) -> Sequence[Reference]:
    found = claims.read_reference(table, place)
    return [Reference(*one) for one in found]
