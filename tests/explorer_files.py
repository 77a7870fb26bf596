"""Payloads made by hand, a run with all that the explorer can be asked, and requests as the server meets them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.types import ASGIApp, Message

from layerwise.views.explorer.payload import Payload

PORT = 8123
TOKEN = "token"
MARKUP = '<script>alert("1")</script>'


def make_payload(**manifest: object) -> Payload:
    """A payload of two packs and a sheet."""
    told = {
        "format": 1,
        "name": "runs/toy",
        "count": 3,
        "classes": [MARKUP, "b"],
        "taps": [{"name": "input"}, {"name": "softmax"}],
        "maps": [],
        "missing": [],
        "can": {"place": False, "feature_maps": False},
    }
    votes, columns = np.arange(6, dtype="<u1").tobytes(), np.array([0.5, np.nan], "<f4").tobytes()
    packs = {"votes": lambda: votes, "columns": lambda: columns}
    return Payload({**told, **manifest}, packs, {"examples-0.png": lambda: as_file(np.zeros((4, 4), np.uint8))})


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """Pixels (H, W) or (H, W, 3) as an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: ASGIApp,
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: Iterable[bytes] = (),
    host: str | None = f"127.0.0.1:{PORT}",
) -> Answered:
    """One request, with a path as it is: no client puts it right."""
    parts = list(body)
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": parts.pop(0), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    named = [*headers, *([("host", host)] if host is not None else [])]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in named],
        "server": ("127.0.0.1", PORT),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    start = sent[0]
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answered(start["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))


@pytest.fixture(scope="session")
def full(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toys whose measured run has maps and exits; nobody changes them."""
    folder = tmp_path_factory.mktemp("explored") / "toys"
    shutil.copytree(toy_folder, folder)
    make_full_run(folder)
    return folder


def make_full_run(toys: Path) -> Path:
    """The measured toy with maps, exits and a budget."""
    from layerwise.cli.exits.budget import budget
    from layerwise.cli.exits.evaluate import evaluate
    from layerwise.cli.exits.train import train
    from layerwise.cli.inside import inside

    with contextlib.chdir(toys):
        run = Path("measured")
        inside(run, embed="pca,tsne", perplexity=5, taps="0,2", trust_code=True, as_json=True)
        train(run, at="2", epochs=1, trust_code=True)
        evaluate(run, smaller="none", trust_code=True)
        budget(run, loss=0.5, of_test=0.5)
        shutil.rmtree("__pycache__", ignore_errors=True)
    return toys / "measured"
