"""Packs are made when asked for, and kept while there is room."""

from __future__ import annotations

import threading
import time

from layerwise.web.packs import Packs


def test_what_was_not_asked_for_longest_makes_room() -> None:
    made: list[str] = []

    def maker(name: str) -> bytes:
        made.append(name)
        return name.encode() * 40

    packs = Packs({name: (lambda name=name: maker(name)) for name in "abc"}, limit_bytes=100)
    assert packs.get("a") == b"a" * 40
    for name in ("b", "a", "c", "a", "b"):
        packs.get(name)
    assert made == ["a", "b", "c", "b"]


def test_a_pack_larger_than_the_room_is_given_all_the_same() -> None:
    assert Packs({"a": lambda: bytes(1000)}, limit_bytes=1).get("a") == bytes(1000)


def test_who_asks_for_another_pack_does_not_wait() -> None:
    slow = threading.Event()
    packs = Packs({"slow": lambda: b"" if slow.wait(5) else b"never", "fast": lambda: b"fast"})
    waiting = threading.Thread(target=lambda: packs.get("slow"))
    waiting.start()
    started = time.perf_counter()
    assert packs.get("fast") == b"fast"
    assert time.perf_counter() - started < 4
    slow.set()
    waiting.join()


def test_a_name_that_there_is_not_is_not_in_it() -> None:
    assert ("a" in Packs({"a": bytes}), "b" in Packs({"a": bytes})) == (True, False)
