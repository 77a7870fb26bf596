"""Answers: what a server answers with the run's network; RunAnswers loads it in the background.

The page is served at once. Meanwhile a thread loads torch, the network and the images, then records the training
images, until a new image finds all that it is compared with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotReady
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from layerwise.errors import BusyError, RunError
from layerwise.progress import Item, What
from layerwise.web.abilities import Abilities
from layerwise.web.measured import Measured
from layerwise.web.pngs import feature_maps
from layerwise.web.turns import Turns
from layerwise.web.uploads import check_picture

if TYPE_CHECKING:
    from layerwise.web.network import RunNetwork
    from layerwise.web.placing import Placer

Part = TypeVar("Part")

PLACED_AT_ONCE = 4
MAPS_AT_ONCE = 24
PATIENCE_S = 60.0
CLOSING_S = 5.0
NO_NETWORK = "this run's network cannot be asked.\n    The page says why, under what is missing."


class Answers(Protocol):
    """What the page may ask."""

    def features(self, row: int, tap: int) -> dict[str, Any]:
        """The feature maps of an example at a tap."""

    def place(self, encoded: bytes) -> dict[str, Any]:
        """What the network says of an uploaded picture."""


class NoAnswers:
    """Of a run whose network cannot be asked."""

    def features(self, row: int, tap: int) -> dict[str, Any]:  # noqa: ARG002
        """Refused.

        Raises:
            RunError: always.
        """
        raise RunError(NO_NETWORK)

    def place(self, encoded: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Refused.

        Raises:
            RunError: always.
        """
        raise RunError(NO_NETWORK)


class RunAnswers:
    """Answers by the network of a run; one question at a time, a few wait.

    Args:
        run: the folder.
        measured: what was measured in it.
        abilities: what may be asked.
        limit_bytes: the most memory for the training images' activations.
        model, data, trust_code: as `RunNetwork.load` takes them.
    """

    def __init__(
        self,
        run: Path,
        measured: Measured,
        abilities: Abilities,
        *,
        limit_bytes: float,
        model: str | None = None,
        data: str | None = None,
        trust_code: bool = False,
    ) -> None:
        self._run, self._measured, self._abilities = run, measured, abilities
        self._limit_bytes = limit_bytes
        self._load = {"model": model, "data": data, "trust_code": trust_code}
        self._network: Future[RunNetwork] = Future()
        self._placer: Future[Placer] = Future()
        self._stop, self._doing = threading.Event(), "Loading the network"
        lock = threading.Lock()
        self._maps = Turns(lock, seats=MAPS_AT_ONCE, what="feature maps", patience_s=PATIENCE_S)
        self._places = Turns(lock, seats=PLACED_AT_ONCE, what="images", patience_s=PATIENCE_S)
        self._thread = threading.Thread(target=self._prepare, name="explorer", daemon=True)

    def begin(self) -> None:
        """Load the network, and all that new images are compared with, in the background."""
        self._thread.start()

    def close(self) -> None:
        """Stop what goes on in the background."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSING_S)

    def features(self, row: int, tap: int) -> dict[str, Any]:
        """The feature maps of an example at a tap: see `pngs.feature_maps`.

        Args:
            row: of the examples.
            tap: its place.

        Raises:
            BusyError: too many ask, or the network is not loaded yet.
            RunError: there is no such example or tap.
            The errors of `RunNetwork.load`.
        """
        name = self._measured.tap(tap)
        self._measured.id_of(row)  # refuses a row that there is not, before any wait
        with self._maps.seat():
            network = self._awaited(self._network)
            with self._maps.turn():
                values = network.values(row, name)
        return feature_maps(name, values)

    def place(self, encoded: bytes) -> dict[str, Any]:
        """What the network says of an uploaded picture: see `Placer.place`.

        Raises:
            BusyError: too many ask, or the training images are not recorded yet.
            The errors of `Placer.place` and of `RunNetwork.load`.
        """
        if not self._abilities.place:
            raise RunError("this run cannot place new images.\n    The page says why, under what is missing.")
        with self._places.seat():
            if not self._placer.done():
                check_picture(encoded)
            placer = self._awaited(self._placer)
            with self._places.turn():
                return placer.place(encoded)

    def _awaited(self, part: Future[Part]) -> Part:
        try:
            return part.result(PATIENCE_S)
        except NotReady:
            raise BusyError(f"not ready yet. {self._doing} …\n    Try again in a minute.") from None

    def _prepare(self) -> None:
        try:
            self._network.set_result(self._load_network())
            if self._abilities.place:
                self._placer.set_result(self._make_placer())
        except BaseException as error:  # told to everyone who asks for the part
            for part in (self._network, self._placer):
                if not part.done():
                    part.set_exception(error)

    def _load_network(self) -> RunNetwork:
        from layerwise.web.network import RunNetwork

        return RunNetwork.load(self._run, self._measured, **self._load)  # type: ignore[arg-type]

    def _make_placer(self) -> Placer:
        from layerwise.web.base import prepare_base
        from layerwise.web.placing import Placer

        network = self._network.result()
        bases = prepare_base(network, self._run, limit_bytes=self._limit_bytes, progress=self._watched)
        self._doing = "Reading maps and exits"
        placer = Placer.create(network, bases, self._run)
        with self._places.turn():
            placer.warm()
        return placer

    def _watched(self, items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:
        """A `Progress` that can be stopped, and tells those who wait."""
        words = what if isinstance(what, str) else what()
        for done, item in enumerate(items):
            if self._stop.is_set():
                raise BusyError("the explorer is being closed.")
            self._doing = f"{words}: {done} of {total}"
            yield item
