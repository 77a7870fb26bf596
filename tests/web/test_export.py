"""The page as a folder: whole or not at all, the same bytes each time, and nothing else is overwritten."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import files_of
from explorer_files import MARKUP, make_payload
from layerwise.errors import FileError, InputError
from layerwise.web.export import check_target, export_explorer, write_folder
from small_disks import small_disk


def unpacked(script: bytes, name: str) -> bytes:
    found = re.fullmatch(rf'layerwiseData\("{name}","([A-Za-z0-9+/=]+)"\);\n', script.decode("ascii"))
    assert found
    return gzip.decompress(base64.b64decode(found.group(1)))


def test_the_folder_holds_the_page_and_its_data_as_classic_scripts(tmp_path: Path) -> None:
    payload = make_payload(can={"place": True, "feature_maps": True}, mean=float("nan"))
    written = write_folder(payload, tmp_path / "page")
    files = files_of(tmp_path / "page")
    assert set(files) >= {"index.html", "app.js", "app.css", "data/manifest.js", "data/sheets/examples-0.png"}
    assert b'<html lang="en" data-source="folder">' in files["index.html"]
    manifest = json.loads(unpacked(files["data/manifest.js"], "manifest"))
    assert (manifest["can"], manifest["mean"]) == ({"place": False, "feature_maps": False}, None)
    assert manifest["classes"] == [MARKUP, "b"]
    assert unpacked(files["data/packs/votes.js"], "votes") == bytes(range(6))
    assert (written.page, written.files) == (tmp_path / "page" / "index.html", len(files))
    assert written.size_bytes == sum(map(len, files.values()))


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_folder(make_payload(), tmp_path / name)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_nothing_that_is_no_page_is_overwritten(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "index.html").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(own)
    for again in (False, True):
        with pytest.raises(InputError, match=r"own holds index.html, which is no part of an exported page"):
            check_target(own, again=again)
        for name in ("file", "link"):
            with pytest.raises(InputError, match=f"{name} is no folder, and is left as it is"):
                check_target(tmp_path / name, again=again)


def test_an_earlier_page_is_replaced_only_if_asked_and_only_if_nothing_was_added(tmp_path: Path) -> None:
    page = tmp_path / "page"
    write_folder(make_payload(), page)
    with pytest.raises(InputError, match=r"page holds a page already\.\n    Add --again to replace it"):
        check_target(page, again=False)
    check_target(page, again=True)
    write_folder(make_payload(name="anew"), page)
    assert json.loads(unpacked((page / "data" / "manifest.js").read_bytes(), "manifest"))["name"] == "anew"
    (page / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"page holds notes\.txt, which is no part of an exported page"):
        check_target(page, again=True)


@pytest.mark.parametrize("name", ["data/notes.txt", "data/packs/notes.txt", "data/sheets/more/a.png"])
def test_a_page_among_whose_data_something_was_put_is_not_replaced(tmp_path: Path, name: str) -> None:
    page = tmp_path / "page"
    write_folder(make_payload(), page)
    (page / name).parent.mkdir(exist_ok=True)
    (page / name).write_text("mine")
    first = "data/sheets/more" if "more" in name else name
    with pytest.raises(InputError, match=f"page holds {re.escape(first)}, which is no part of an exported page"):
        check_target(page, again=True)


@pytest.mark.parametrize("name", [".", "..", "", "/"])
def test_a_folder_that_has_no_name_of_its_own_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    with pytest.raises(
        InputError, match=r"cannot be replaced by a page as a whole\.\n    Give the name of a new folder"
    ):
        check_target(Path(name), again=True)


def test_a_disk_of_its_own_is_refused_as_a_page_and_may_hold_one(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "8m"):
        with pytest.raises(InputError, match=f"^{disk} cannot be replaced by a page as a whole"):
            check_target(disk, again=False)
        check_target(disk / "page", again=False)


def test_no_folder_is_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(InputError, match=f"{name} is no folder, so .*page cannot be made in it"):
            check_target(tmp_path / name / "a" / "page", again=False)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    check_target(tmp_path / "page", again=False)
    assert write_folder(make_payload(), tmp_path / "page").page.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


@pytest.mark.parametrize("fault", [OSError("disk"), KeyboardInterrupt()])
def test_a_page_that_fails_leaves_what_was_there(tmp_path: Path, fault: BaseException) -> None:
    def fail() -> bytes:
        raise fault

    page = tmp_path / "page"
    write_folder(make_payload(), page)
    before = files_of(tmp_path)
    with pytest.raises(type(fault)):
        write_folder(replace(make_payload(name="anew"), packs={"votes": fail}), page)
    with pytest.raises(type(fault)):
        write_folder(replace(make_payload(name="anew"), packs={"votes": fail}), tmp_path / "new")
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", ["../votes", "a/b", "", 'x");alert("1', "Votes"])
def test_a_name_that_is_no_name_of_a_pack_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="is no name for a file of an exported page"):
        write_folder(replace(make_payload(), packs={name: bytes}), tmp_path / "page")
    with pytest.raises(FileError, match="is no name for a file of an exported page"):
        write_folder(replace(make_payload(), sheets={f"{name}.png": bytes, "../x.png": bytes}), tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_export_leaves_no_page_and_the_next_one_clears_away(tmp_path: Path) -> None:
    script = """
        import sys, time
        from dataclasses import replace
        from pathlib import Path
        from explorer_files import make_payload
        from layerwise.web.export import write_folder
        def wait():
            print("writing", flush=True)
            time.sleep(60)
        write_folder(replace(make_payload(), packs={"votes": wait}), Path(sys.argv[1]))
    """
    page = tmp_path / "page"
    paths = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), page],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert not page.exists()
    (left,) = tmp_path.iterdir()
    long_ago = time.time() - 4000
    os.utime(left, (long_ago, long_ago))
    write_folder(make_payload(), page)
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_run_is_exported(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    run = make_run(tmp_path / "run")
    written = export_explorer(run, tmp_path / "page")
    assert json.loads(unpacked((tmp_path / "page/data/manifest.js").read_bytes(), "manifest"))["name"] == str(run)
    assert written.page.is_file()
