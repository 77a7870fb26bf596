"""A page that is served on this machine: to whom, for how long, and to many at once."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from explorer_files import make_payload
from layerwise.errors import InputError, MissingExtraError, RunError
from layerwise.runs import read_json, write_json
from layerwise.web import server
from layerwise.web.answers import NoAnswers
from layerwise.web.server import Explorer, check_explorer, explore, serve_run, usual_limit_gb


@pytest.fixture
def page() -> Iterator[Explorer]:
    with Explorer(make_payload(), NoAnswers()) as opened:
        yield opened


def get(address: str, path: str = "", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        connection.request("GET", parts.path + path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_address_is_of_this_machine_and_holds_a_token_that_is_new_each_time(page: Explorer) -> None:
    assert re.fullmatch(rf"http://127\.0\.0\.1:{page.port}/[\w-]{{43}}/", page.address)
    assert get(page.address)[0] == 200
    with Explorer(make_payload(), NoAnswers()) as other:
        assert other.address.split("/")[3] != page.address.split("/")[3]


def test_nobody_else_can_reach_it(page: Explorer) -> None:
    assert page._socket.getsockname()[0] == "127.0.0.1"
    elsewhere = socket.socket()
    elsewhere.settimeout(2)
    with elsewhere, pytest.raises(OSError, match=r".*"):
        elsewhere.connect(("127.0.0.2", page.port))


def test_two_hundred_at_once_are_answered(page: Explorer) -> None:
    with ThreadPoolExecutor(200) as pool:
        paths = ["data/packs/votes.bin", "data/manifest.json", "data/sheets/examples-0.png", "app.js"] * 50
        statuses = list(pool.map(lambda path: get(page.address, path)[0], paths))
    assert statuses == [200] * 200


def test_packs_that_take_long_to_make_do_not_stop_the_others() -> None:
    slow = threading.Event()
    payload = replace(make_payload(), packs={"votes": lambda: b"" if slow.wait(20) else b"never"})
    with Explorer(payload, NoAnswers()) as page, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(get, page.address, "data/packs/votes.bin")
        assert get(page.address, "data/manifest.json")[0] == 200
        slow.set()
        assert waiting.result() == (200, b"")


END = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /%s/../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" + END,
        b"GET /%s/data/sheets/%%2e%%2e%%2f%%2e%%2e%%2fpage.py HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" + END,
        b"GET http://evil.example/%s/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" + END,
        b"GET /%s/ HTTP/1.1\r\nHost: evil.example:%d\r\n" + END,
        b"GET /%s/ HTTP/1.0\r\nX-Port: %d\r\n\r\n",
        b"nonsense /%s/ %d\r\n\r\n",
    ],
)
def test_whatever_comes_over_the_wire_gets_no_more_than_an_error_and_the_server_stays_up(
    page: Explorer, raw: bytes
) -> None:
    token = page.address.split("/")[3].encode()
    with socket.create_connection(("127.0.0.1", page.port), timeout=20) as wire:
        wire.sendall(raw % (token, page.port))
        answered = b"".join(iter(lambda: wire.recv(65536), b""))
    assert b" 200 " not in answered.partition(b"\r\n")[0]
    assert b"root:" not in answered
    assert get(page.address)[0] == 200


def test_an_upload_that_is_broken_off_does_no_harm(page: Explorer) -> None:
    path = urlsplit(page.address).path
    with socket.create_connection(("127.0.0.1", page.port), timeout=20) as wire:
        head = f"POST {path}api/place HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nContent-Length: 1000\r\n\r\nabc"
        wire.sendall(head.encode())
    assert get(page.address)[0] == 200


def test_a_closed_page_is_gone_and_closing_twice_does_nothing(page: Explorer) -> None:
    page.close()
    page.close()
    with pytest.raises(OSError, match=r".*"):
        get(page.address)


def test_a_taken_port_is_told(page: Explorer) -> None:
    with pytest.raises(InputError) as error:
        Explorer(make_payload(), NoAnswers(), port=page.port)
    assert str(error.value) == (
        f"port {page.port} of 127.0.0.1 cannot be used: Address already in use.\n"
        "    Take another, or leave --port out: then a free one is found."
    )
    with pytest.raises(InputError, match="a port is a number from 0"):
        Explorer(make_payload(), NoAnswers(), port=65536)


def test_a_notebook_shows_it_in_a_frame(page: Explorer) -> None:
    assert f'<iframe src="{page.address}" title="layerwise"' in page._repr_html_()
    assert repr(page) == f"Explorer({page.address})"


def test_it_stays_until_ctrl_c_and_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    page = Explorer(make_payload(), NoAnswers())
    monkeypatch.setattr(page._server, "wait", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    serve_run(page)
    assert opened == [page.address]
    with pytest.raises(OSError, match=r".*"):
        get(page.address)


def test_what_it_is_made_of_has_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtraError) as error:
        check_explorer()
    assert str(error.value) == (
        "the explorer needs uvicorn, which is not installed.\n    Install it: pip install 'layerwise[explore]'"
    )


def test_a_run_without_a_network_is_served_and_says_what_is_missing(
    tmp_path: Path, make_run: Callable[..., Path]
) -> None:
    run = make_run(tmp_path / "run")
    with explore(run) as page:
        manifest = json.loads(get(page.address, "data/manifest.json")[1])
        assert manifest["can"] == {"place": False, "feature_maps": False}
        missing = {one["part"]: one["words"] for one in manifest["missing"]}
        assert {"maps", "feature maps", "new images"} <= set(missing)
        assert missing["feature maps"] == "The run holds no network."
        assert get(page.address, "api/features?row=0&tap=0")[0] == 422


def test_half_a_run_is_refused_before_anything_is_served(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    run = make_run(tmp_path / "run")
    votes = np.load(run / "votes.npy")
    np.save(run / "votes.npy", votes[:5])
    with pytest.raises(RunError, match="holds parts of different measurements"):
        explore(run)
    (run / "votes.npy").unlink()
    with pytest.raises(RunError, match="nothing measured in"):
        explore(run)


def test_a_run_of_a_newer_layerwise_with_what_is_not_known_yet_is_served(
    tmp_path: Path, make_run: Callable[..., Path]
) -> None:
    run = make_run(tmp_path / "run")
    write_json(run / "run.json", {**read_json(run / "run.json"), "later": [1, 2]})
    with explore(run) as page:
        assert get(page.address)[0] == 200


def test_a_limit_of_no_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="limit_gb must be a number above 0; got -1"):
        explore(tmp_path, limit_gb=-1)


def test_the_usual_limit_is_half_of_the_memory_and_four_gigabytes_where_that_is_less_or_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name_to_value = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 6_000_000}
    monkeypatch.setattr(os, "sysconf", name_to_value.__getitem__)
    assert usual_limit_gb() == 12.288
    name_to_value["SC_PHYS_PAGES"] = 1_000_000
    assert usual_limit_gb() == 4
    monkeypatch.delattr(os, "sysconf")
    assert usual_limit_gb() == 4
