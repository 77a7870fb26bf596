"""Explorer: a run's page on 127.0.0.1, served by a thread; `explore` opens one, `serve_run` stays until Ctrl-C."""

from __future__ import annotations

import html
import os
import secrets
import socket
import threading
import webbrowser
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from layerwise.errors import InputError, MissingExtraError
from layerwise.views.explorer.payload import Payload, explorer_payload
from layerwise.views.run import read_run
from layerwise.web.abilities import find_abilities
from layerwise.web.answers import Answers, NoAnswers, RunAnswers
from layerwise.web.measured import Measured

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
LEAST_GB = 4.0
FRAME_HEIGHT = 900
GRACE_S = 3
"""How long requests under way may take when the page is closed."""

ENDED_S = 10.0
"""How long closing waits for the server's thread."""


class Explorer:
    """A page that is served until it is closed; a context manager, and a frame in a notebook.

    Args:
        payload: what the page shows.
        answers: what the run's network answers.
        port: 0 for any that is free.

    Attributes:
        address: of the page. It holds the token: whoever knows it sees the run, on this machine.

    Raises:
        MissingExtraError: starlette or uvicorn is not installed.
        InputError: the port is taken, or may not be used.
        FileError: the page was not built.
    """

    def __init__(self, payload: Payload, answers: Answers, *, port: int = 0) -> None:
        check_explorer()
        from layerwise.web.app import explorer_app

        self._answers, token = answers, secrets.token_urlsafe(32)
        self._socket = _listen(port)
        self.port = int(self._socket.getsockname()[1])
        self.address = f"http://{HOST}:{self.port}/{token}/"
        try:
            self._server = _Serving(explorer_app(payload, answers, token, port=self.port), self._socket)
        except BaseException:
            self._socket.close()
            raise
        if isinstance(answers, RunAnswers):
            answers.begin()

    def wait(self) -> None:
        """Stay until the page is closed, or Ctrl-C."""
        self._server.wait()

    def close(self) -> None:
        """End the server; a second call does nothing."""
        self._server.close()
        self._socket.close()
        if isinstance(self._answers, RunAnswers):
            self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Explorer({self.address})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        address = html.escape(self.address, quote=True)
        return (
            f'<iframe src="{address}" title="layerwise" width="100%" height="{FRAME_HEIGHT}" frameborder="0"></iframe>'
            f'<p><a href="{address}" target="_blank" rel="noopener">Open it in a window of its own</a></p>'
        )


class _Serving:
    """uvicorn in a thread of its own: it leaves the signals of the process alone."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        import uvicorn

        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server, self._listening = uvicorn.Server(config), listening
        # Not Thread.join: interrupted by Ctrl-C, it takes the thread for ended (until Python 3.13).
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="explorer server", daemon=True).start()

    def wait(self) -> None:
        while not self._ended.wait(0.5):  # in parts, so that Ctrl-C is heard everywhere
            pass

    def close(self) -> None:
        self._server.should_exit = True
        self._ended.wait(ENDED_S)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        finally:
            self._ended.set()


def usual_limit_gb() -> float:
    """Half of the machine's memory, and at least 4 GB: what new images may be compared with, unless it is said."""
    try:
        whole_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return LEAST_GB
    return max(LEAST_GB, whole_bytes / 2e9)


def explore(
    run: Path | str,
    *,
    port: int = 0,
    limit_gb: float | None = None,
    model: str | None = None,
    data: str | None = None,
    trust_code: bool = False,
) -> Explorer:
    """Serve a run's page on this machine, in the background.

    Args:
        run: a folder in which difficulty was measured.
        port: 0 for any that is free.
        limit_gb: the most memory for the training images' activations, with which new images are compared; by default
            half of the machine's, and at least 4.
        model: the network, `FILE.py:NAME`, if it lies elsewhere now or was made in Python.
        data: the run's images, if they lie elsewhere now.
        trust_code: whether a `FILE.py` that the run names may be run.

    Returns:
        An Explorer: its `address`; `close()`; a context manager; in a notebook a frame with the page.

    Raises:
        RunError, FileError: nothing was measured in the folder, or a file is damaged.
        MissingExtraError: starlette or uvicorn is not installed.
        InputError: the port is taken, or `limit_gb` is not above 0.
    """
    check_explorer()
    if limit_gb is not None and not limit_gb > 0:
        raise InputError(f"limit_gb must be a number above 0; got {limit_gb:g}.")
    run, limit_bytes = Path(run), 1e9 * (limit_gb or usual_limit_gb())
    view = read_run(run, leave_out_damaged=True)
    abilities = find_abilities(view, run, model=model, data=data, trust_code=trust_code, limit_bytes=limit_bytes)
    made = explorer_payload(view)
    payload = Payload(abilities.told(made.manifest), made.packs, made.sheets)
    answers: Answers = NoAnswers()
    if abilities.feature_maps:
        answers = RunAnswers(
            run,
            Measured.of(view),
            abilities,
            limit_bytes=limit_bytes,
            model=model,
            data=data,
            trust_code=trust_code,
        )
    return Explorer(payload, answers, port=port)


def serve_run(explorer: Explorer, *, open_browser: bool = True) -> None:
    """Open the page in a browser if there is one, and stay until Ctrl-C, which is how it ends."""
    with explorer:
        if open_browser:
            _open_browser(explorer.address)
        try:
            explorer.wait()
        except KeyboardInterrupt:
            return


def check_explorer() -> None:
    """Refuse to go on without what the server is made of.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "starlette", "explore", "the explorer") from error


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise InputError(f"a port is a number from 0 (any that is free) to 65535; got {port}.")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise InputError(
            f"port {port} of {HOST} cannot be used: {error.strerror}.\n"
            "    Take another, or leave --port out: then a free one is found."
        ) from error
    return listening


def _open_browser(address: str) -> None:
    try:
        webbrowser.open(address)
    except webbrowser.Error:
        return
