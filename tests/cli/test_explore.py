"""`layerwise explore`: the address, the folder, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerwise.web import server


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were opened in a browser; each page is looked at, and then Ctrl-C is pressed."""
    addresses: list[str] = []
    monkeypatch.setattr(server.webbrowser, "open", addresses.append)
    return addresses


def press_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When a page is served, after it answered."""
    statuses: list[int] = []
    wait = server.Explorer.wait

    def look_and_leave(explorer: server.Explorer) -> None:
        with urllib.request.urlopen(explorer.address, timeout=20) as answer:
            statuses.append(answer.status)
        threading.Thread(target=lambda: (time.sleep(0.3), os.kill(os.getpid(), signal.SIGINT))).start()
        wait(explorer)

    monkeypatch.setattr(server.Explorer, "wait", look_and_leave)
    return statuses


def test_the_address_is_printed_and_opened_and_ctrl_c_ends_it_quietly(
    cli: Any, tmp_path: Path, make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    run, statuses = make_run(tmp_path / "run"), press_ctrl_c(monkeypatch)
    outcome = cli("explore", run)
    assert (outcome.code, outcome.err) == (0, "Open this address in a browser, if none has opened. Ctrl-C ends it.\n")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/\n", outcome.out)
    assert (opened, statuses) == ([outcome.out.strip()], [200])


def test_no_browser_is_opened_if_none_is_wanted_and_json_has_the_address(
    cli: Any, tmp_path: Path, make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    run, _ = make_run(tmp_path / "run"), press_ctrl_c(monkeypatch)
    outcome = cli("explore", run, "--no-browser", "--json")
    told = json.loads(outcome.out)
    assert (outcome.code, told["run"], opened) == (0, str(run), [])
    assert told["address"].startswith("http://127.0.0.1:")


def test_the_page_is_written_into_a_folder(
    cli: Any, tmp_path: Path, make_run: Callable[..., Path], opened: list[str]
) -> None:
    run, page = make_run(tmp_path / "run"), tmp_path / "page"
    outcome = cli("explore", run, "--export", page)
    assert (outcome.code, outcome.out) == (0, "")
    assert re.fullmatch(rf"Written: \d+ files, 0\.\d MB\. Open this in a browser: {page}/index\.html\n", outcome.err)
    assert cli("explore", run, "--export", page).err == (
        f"InputError: {page} holds a page already.\n    Add --again to replace it, or give another folder.\n"
    )
    told = json.loads(cli("explore", run, "--export", page, "--again", "--json").out)
    assert told["size_bytes"] == sum(path.stat().st_size for path in page.rglob("*") if path.is_file())


def test_a_folder_that_is_no_run_is_refused(cli: Any, toys: Path) -> None:
    assert cli.refusal("explore", "nowhere") == (
        "RunError: no run folder nowhere.\n    Make one: layerwise train MODEL DATA -o nowhere\n"
    )
    assert cli.refusal("explore", "trained", "--export", "page") == (
        "RunError: nothing measured in trained: no examples.parquet, no taps.parquet, no votes.npy.\n"
        "    Measure it first: layerwise difficulty trained\n"
    )


def test_nothing_is_exported_over_other_files(cli: Any, toys: Path, opened: list[str]) -> None:
    assert cli.refusal("explore", "measured", "--export", "trained", "--again") == (
        "InputError: trained holds model.json, which is no part of an exported page, and is left as it is.\n"
        "    Give the name of a new folder.\n"
    )


def test_a_port_that_is_taken_is_told(cli: Any, toys: Path, opened: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.refusal("explore", "measured", "--port", port) == (
            f"InputError: port {port} of 127.0.0.1 cannot be used: Address already in use.\n"
            "    Take another, or leave --port out: then a free one is found.\n"
        )


def test_without_the_extra_it_says_how_to_install_it(cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert cli.refusal("explore", "measured") == (
        "MissingExtraError: the explorer needs starlette, which is not installed.\n"
        "    Install it: pip install 'layerwise[explore]'\n"
    )
