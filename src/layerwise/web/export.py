"""export_explorer: the page as a folder that opens by a double click, with no server and no network.

A page that is opened from a file may load neither modules nor data, but it may load classic scripts and show images.
So each pack is a script that hands the page its bytes, and sheets are image files.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from layerwise.errors import FileError, InputError
from layerwise.progress import Progress, silent
from layerwise.runs import LEFT_AFTER_S, json_values
from layerwise.views.explorer.payload import Payload, explorer_payload
from layerwise.views.run import read_run
from layerwise.web.page import INDEX, folder_index, page_files

MANIFEST = "data/manifest.js"
PACK_NAME = re.compile(r"[a-z0-9-]+")
SHEET_NAME = re.compile(r"[a-z0-9-]+\.(webp|png|jpg)")
GZIP_LEVEL = 6
NEIGHBORS = 5


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        page: the file to open.
        files: how many there are.
        size_bytes: of all.
    """

    page: Path
    files: int
    size_bytes: int


def export_explorer(
    run: Path | str,
    folder: Path | str,
    *,
    neighbors: int = NEIGHBORS,
    again: bool = False,
    progress: Progress = silent,
) -> Exported:
    """Write a run's page into a folder, which appears when it is whole.

    What needs the network, feature maps and new images, is not in it.

    Args:
        run: a folder in which difficulty was measured.
        folder: where to write.
        neighbors: how many of the nearest training images are shown at each tap; they are most of the bytes.
        again: whether an earlier page there may be replaced.
        progress: is shown the files.

    Raises:
        RunError, FileError: nothing was measured in `run`, or a file is damaged.
        InputError: `folder` holds something else, or a page and `again` is not given.
    """
    target = Path(folder)
    check_target(target, again=again)
    payload = explorer_payload(read_run(run, leave_out_damaged=True), neighbors=neighbors, small=True)
    return write_folder(payload, target, progress=progress)


def check_target(target: Path, *, again: bool) -> None:
    """Refuse to write over what is no page, or over a page that is to stay.

    Raises:
        InputError: says what is there, and what to do.
    """
    if target.name in ("", "..") or target.is_mount():
        raise InputError(
            f"{target} cannot be replaced by a page as a whole.\n    Give the name of a new folder: {target / 'page'}"
        )
    if not (target.exists() or target.is_symlink()):
        _check_above(target)
        return
    if not target.is_dir() or target.is_symlink():
        raise InputError(f"{target} is no folder, and is left as it is.\n    Give the name of a new one.")
    if not any(target.iterdir()):
        return
    strange = _strange_names(target)
    if strange:
        raise InputError(
            f"{target} holds {strange[0]}, which is no part of an exported page, and is left as it is.\n"
            "    Give the name of a new folder."
        )
    if not again:
        raise InputError(f"{target} holds a page already.\n    Add --again to replace it, or give another folder.")


def write_folder(payload: Payload, target: Path, *, progress: Progress = silent) -> Exported:
    """Write the page and its data; `target` is empty, not there, or an earlier page, which is replaced at the end."""
    files = page_files()
    with _whole_folder(target) as folder:
        for name, content in files.items():
            _write(folder / name, folder_index(files) if name == INDEX else content)
        (folder / "data" / "sheets").mkdir(parents=True)
        (folder / "data" / "packs").mkdir()
        _write(folder / MANIFEST, script("manifest", _manifest(payload)))
        for name, make in progress(payload.packs.items(), total=len(payload.packs), what="Writing numbers"):
            _write(folder / "data" / "packs" / f"{_checked(name, PACK_NAME)}.js", script(name, make()))
        _write_sheets(folder / "data" / "sheets", payload, progress)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Exported(target / INDEX, len(sizes), sum(sizes))


def _write_sheets(folder: Path, payload: Payload, progress: Progress) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        contents = pool.map(lambda make: make(), payload.sheets.values())
        made = zip(payload.sheets, contents, strict=True)
        try:
            for name, content in progress(made, total=len(payload.sheets), what="Writing pictures"):
                _write(folder / _checked(name, SHEET_NAME), content)
        finally:
            pool.shutdown(cancel_futures=True)


def script(name: str, content: bytes) -> bytes:
    """A classic script that hands the page a pack; the same content gives the same bytes.

    >>> script("votes", b"")[:23]
    b'layerwiseData("votes","'
    """
    packed = base64.b64encode(gzip.compress(content, GZIP_LEVEL, mtime=0)).decode("ascii")
    return f'layerwiseData("{name}","{packed}");\n'.encode("ascii")


def _manifest(payload: Payload) -> bytes:
    manifest = {**payload.manifest, "can": {"place": False, "feature_maps": False}}
    return json.dumps(json_values(manifest), ensure_ascii=False, allow_nan=False).encode("utf-8", errors="replace")


def _checked(name: str, known: re.Pattern[str]) -> str:
    if not known.fullmatch(name):
        raise FileError(f'"{name}" is no name for a file of an exported page.')
    return name


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _strange_names(target: Path) -> list[str]:
    """What lies in a folder that no export writes there; all of it if it is no export."""
    names = sorted(one.name for one in target.iterdir())
    index = target / INDEX
    is_page = (target / MANIFEST).is_file() and index.is_file() and b'data-source="folder"' in index.read_bytes()
    own = {name.partition("/")[0] for name in page_files()} | {"data"}
    if not is_page:
        return names
    return [name for name in names if name not in own] + _strange_data(target / "data")


def _strange_data(data: Path) -> list[str]:
    """What lies beside packs and sheets."""
    kinds = (r"manifest\.js", "packs", "sheets", rf"packs/{PACK_NAME.pattern}\.js", f"sheets/{SHEET_NAME.pattern}")
    names = sorted(one.relative_to(data).as_posix() for one in data.rglob("*"))
    return [f"data/{name}" for name in names if not re.fullmatch("|".join(kinds), name)]


def _check_above(target: Path) -> None:
    above = next(one for one in target.absolute().parents if one.exists() or one.is_symlink())
    if not above.is_dir():
        raise InputError(f"{above} is no folder, so {target} cannot be made in it.\n    Give the name of a new folder.")


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A temporary sibling to write to, which takes the target's name at the end, or is removed if anything fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    mark = secrets.token_hex(4)
    new, old = (target.with_name(f".{target.name}.{mark}.{word}.tmp") for word in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(target: Path) -> None:
    """What a writer left when it was killed; a younger one may belong to a process that still writes."""
    for left in target.parent.glob(f".{target.name}.*.tmp"):
        if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
            shutil.rmtree(left, ignore_errors=True)
