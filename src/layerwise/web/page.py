"""page_files: the page as it was built; the same files for the server and for the folder."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

from layerwise.errors import FileError

INDEX = "index.html"
SOURCE = 'data-source="server"'
"""How the page knows where its data are."""

NAME_TO_KIND = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


def page_files() -> dict[str, bytes]:
    """The files of the page by name.

    Raises:
        FileError: the page was not built.
    """
    root = resources.files("layerwise.web") / "static"
    found = dict(_files_in(root, "")) if root.is_dir() else {}
    if SOURCE.encode() not in found.get(INDEX, b""):
        raise FileError("the explorer's page is not there.\n    Build it: make page")
    return found


def folder_index(files: dict[str, bytes]) -> bytes:
    """The page's first file, as it is in a folder."""
    return files[INDEX].replace(SOURCE.encode(), b'data-source="folder"', 1)


def kind_of(name: str) -> str:
    """The media type of a file, by its ending."""
    return NAME_TO_KIND.get(f".{name.rpartition('.')[2].lower()}", "application/octet-stream")


def _files_in(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        name = f"{prefix}{one.name}"
        found += _files_in(one, f"{name}/") if one.is_dir() else [(name, one.read_bytes())]
    return found
