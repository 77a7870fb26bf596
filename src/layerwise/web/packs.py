"""Packs: bytes that are made when they are first asked for, and kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

LIMIT_BYTES = 512_000_000


class Packs:
    """Bytes by name.

    Two that ask for one pack at the same time wait for the same bytes; those who ask for others do not wait for them.

    Args:
        makers: a name to what makes its bytes.
        limit_bytes: the most memory; what was not asked for longest goes first. The latest always stays.
    """

    def __init__(self, makers: Mapping[str, Callable[[], bytes]], *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._makers, self._limit_bytes = makers, limit_bytes
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._locks = {name: threading.Lock() for name in makers}

    def __contains__(self, name: str) -> bool:
        return name in self._makers

    def get(self, name: str) -> bytes:
        """The bytes of a pack that there is."""
        with self._locks[name]:
            made = self._kept(name)
            return made if made is not None else self._keep(name, self._makers[name]())

    def _kept(self, name: str) -> bytes | None:
        with self._lock:
            if name in self._made:
                self._made.move_to_end(name)
            return self._made.get(name)

    def _keep(self, name: str, made: bytes) -> bytes:
        with self._lock:
            self._made[name] = made
            while len(self._made) > 1 and sum(map(len, self._made.values())) > self._limit_bytes:
                self._made.popitem(last=False)
        return made
