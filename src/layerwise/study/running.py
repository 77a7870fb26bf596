"""run_study: train what of a study is not trained yet, and keep each part as it finishes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from layerwise.errors import Interrupted
from layerwise.progress import Progress, silent
from layerwise.study.described import describe_own
from layerwise.study.engines import Engine
from layerwise.study.file import Study
from layerwise.study.store import Store
from layerwise.study.trials import Record, Trial

KEEP_EVERY_S = 5.0


def planned_trials(study: Study) -> list[Trial]:
    """Every cell in every block, block by block: whenever one stops, whole blocks can be compared."""
    return [Trial(cell, block) for block in range(study.seeds) for cell in study.cells]


def run_study(
    study: Study, folder: Path | str, engine: Engine, *, retry: bool = False, progress: Progress = silent
) -> Store:
    """Run the trials that have no record yet.

    Args:
        study: what to run.
        folder: where records are kept; one that holds some goes on.
        engine: runs trials.
        retry: run those that failed once more.
        progress: is shown the trials, with how many were there and how many failed.

    Returns:
        The store, with a record for each trial; some may say that it failed.

    Raises:
        StudyError: the folder cannot be used.
        Interrupted: Ctrl-C or SIGTERM; says how many are kept.
    """
    store = Store(folder)
    store.begin(study)
    planned = planned_trials(study)
    if retry:
        store.forget(_failed(store, planned))
    finished = store.finished()
    missing = [trial for trial in planned if trial.address not in finished]
    keeper = _Keeper(store)
    failures = 0

    def told() -> str:
        there = len(planned) - len(missing)
        words = f"{study.name}, {there} there already" if there else study.name
        return f"{words}, {failures} failed" if failures else words

    try:
        with _stopped_by_sigterm(), closing(_each(engine(missing) if missing else iter(()))) as records:
            for record in progress(records, total=len(missing), what=told) if missing else ():
                failures += record.status != "done"
                keeper.add(record)
    except KeyboardInterrupt:
        keeper.flush()
        done = len(store.finished() & {trial.address for trial in planned})
        raise Interrupted(
            f"stopped; {done} of {len(planned)} runs are kept in {store.folder}.\n"
            "    Go on: run the same command again."
        ) from None
    except BaseException:  # a worker was killed, a cluster is gone: what came back before is kept
        keeper.flush()
        raise
    keeper.flush()
    describe_own(study, store)
    store.compact()
    return store


def _each(records: Iterator[Record]) -> Generator[Record]:
    """Them, so that who closes this closes an engine that is a generator, and with it its processes."""
    yield from records


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM, which clusters send when time is up, is answered as Ctrl-C is, unless the caller answers it."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _failed(store: Store, planned: Sequence[Trial]) -> Iterator[Trial]:
    table = store.table()
    failed = set((table["cell"] + "-" + table["block"].astype(str))[table["status"] == "failed"])
    return (trial for trial in planned if trial.address in failed)


class _Keeper:
    """Writes records every few seconds, so that short ones do not each become a file."""

    def __init__(self, store: Store) -> None:
        self._store, self._waiting, self._since = store, list[Record](), time.monotonic()

    def add(self, record: Record) -> None:
        self._waiting.append(record)
        if time.monotonic() - self._since >= KEEP_EVERY_S:
            self.flush()

    def flush(self) -> None:
        self._store.keep(self._waiting)
        self._waiting, self._since = [], time.monotonic()
