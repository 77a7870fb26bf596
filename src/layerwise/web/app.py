"""explorer_app: the page, its data and its questions, as an ASGI application.

No request names a path: files, packs and sheets are looked up by name among those that there are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from layerwise.errors import BusyError, FileError, LayerwiseError
from layerwise.runs import json_values
from layerwise.views.explorer.payload import Payload
from layerwise.web.answers import Answers
from layerwise.web.guard import Guard, fault, told
from layerwise.web.packs import Packs
from layerwise.web.page import INDEX, kind_of, page_files
from layerwise.web.uploads import MOST_BYTES

FOREVER = "private, max-age=31536000, immutable"
"""Of what does not change while the server runs; the next one has another address."""

UPLOAD_S = 60.0
RETRY_S = 5


def explorer_app(payload: Payload, answers: Answers, token: str, *, port: int) -> ASGIApp:
    """The explorer of one run.

    Args:
        payload: what the page shows.
        answers: what the run's network answers.
        token: the first part of every path.
        port: on which the server listens; requests to others are refused.

    Raises:
        FileError: the page was not built.
    """
    explorer = _Explorer(payload, answers)
    routes = [
        Route("/", explorer.page),
        Route("/data/manifest.json", explorer.manifest),
        Route("/data/packs/{name}.bin", explorer.pack),
        Route("/data/sheets/{name}", explorer.sheet),
        Route("/api/features", explorer.features),
        Route("/api/place", explorer.place, methods=["POST"]),
        Route("/{name:path}", explorer.page),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _as_words, Exception: _as_fault})
    return Guard(app, token, port)


class _Explorer:
    """Answers requests."""

    def __init__(self, payload: Payload, answers: Answers) -> None:
        self._answers = answers
        self._files = page_files()
        # Class names may be anything: this is JSON, and never becomes markup.
        told_manifest = json.dumps(json_values(payload.manifest), ensure_ascii=False, allow_nan=False)
        self._manifest = told_manifest.encode("utf-8", errors="replace")
        self._packs, self._sheets = Packs(payload.packs), Packs(payload.sheets)

    async def page(self, request: Request) -> Response:
        """A file of the page."""
        name = request.path_params.get("name") or INDEX
        if name not in self._files:
            raise HTTPException(404)
        return Response(self._files[name], media_type=kind_of(name))

    async def manifest(self, request: Request) -> Response:  # noqa: ARG002
        """What there is."""
        return Response(self._manifest, media_type="application/json")

    async def pack(self, request: Request) -> Response:
        """Numbers."""
        return await _made(self._packs, request.path_params["name"], "application/octet-stream")

    async def sheet(self, request: Request) -> Response:
        """Pictures."""
        name = request.path_params["name"]
        return await _made(self._sheets, name, kind_of(name))

    async def features(self, request: Request) -> Response:
        """The feature maps of one example at one tap."""
        row, tap = (_whole_number(request, name) for name in ("row", "tap"))
        return await _answered(lambda: self._answers.features(row, tap))

    async def place(self, request: Request) -> Response:
        """What the network says of an image."""
        try:
            encoded = await asyncio.wait_for(_read_body(request), UPLOAD_S)
        except TimeoutError:
            return told("The image came too slowly.", "Send it again.", 408)
        return await _answered(lambda: self._answers.place(encoded))


async def _made(packs: Packs, name: str, kind: str) -> Response:
    if name not in packs:
        raise HTTPException(404)
    content = await run_in_threadpool(packs.get, name)
    return Response(content, media_type=kind, headers={"cache-control": FOREVER})


async def _answered(ask: Callable[[], dict[str, Any]]) -> Response:
    """What is answered, or why not, in words."""
    try:
        return JSONResponse(json_values(await run_in_threadpool(ask)))
    except LayerwiseError as error:
        fact, _, advice = str(error).partition("\n")
        status = 503 if isinstance(error, BusyError) else 415 if isinstance(error, FileError) else 422
        headers = {"retry-after": str(RETRY_S)} if status == 503 else None
        return told(_sentence(fact), _sentence(" ".join(advice.split())), status, headers)


async def _read_body(request: Request) -> bytes:
    """The body, up to as many bytes as an image may have; no more is read.

    Raises:
        HTTPException: it is larger.
    """
    size = request.headers.get("content-length", "0")
    if size.isdecimal() and int(size) > MOST_BYTES:
        raise HTTPException(413)
    parts, read = [], 0
    try:
        async for part in request.stream():
            read += len(part)
            if read > MOST_BYTES:
                raise HTTPException(413)
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return b"".join(parts)


def _whole_number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise HTTPException(400)
    return int(text)


STATUS_TO_WORDS = {
    400: ("This request cannot be understood.", "Reload the page."),
    404: ("There is nothing here.", "Reload the page."),
    405: ("This is not how the server is asked.", "Reload the page."),
    413: (
        f"The image has more than {MOST_BYTES // 1_000_000} MB.",
        "Scale it down: the network sees a small one.",
    ),
}


async def _as_words(request: Request, error: Exception) -> Response:  # noqa: ARG001
    status = error.status_code if isinstance(error, HTTPException) else 500
    fact, advice = STATUS_TO_WORDS.get(status, ("The server cannot answer this.", "Reload the page."))
    # What is left of a body that was too large is not read: the connection ends with the answer.
    headers = {"connection": "close"} if status == 413 else None
    return told(fact, advice, status, headers)


async def _as_fault(request: Request, error: Exception) -> Response:  # noqa: ARG001
    # Raised again after this answer: the guard tells it on the terminal.
    return fault()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
