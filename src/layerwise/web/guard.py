"""Guard: who may ask the server, and what every answer says to the browser.

The server is for the one who started it and who was told its address. Any page in the same browser, and any program of
another user on the same machine, can reach a port on 127.0.0.1, so a request is looked at before it is answered:

- the first part of its path is the token, compared in constant time;
- its Host is 127.0.0.1:PORT or localhost:PORT: a name of someone else's that was made to point here is refused;
- its Origin, if there is one, is the page's own;
- a browser says in Sec-Fetch-Site where a request comes from. From another site only the page itself may be opened: a
  link, or a notebook's frame. What the page loads comes from the page.
"""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_SITES = ("same-origin", "none")
OPENED = ("document", "iframe")

# A notebook shows the page in a frame. It runs on a port of its own, at localhost or 127.0.0.1, and nobody else may: a
# stranger's page in front of a frame could lure clicks onto it. "style-src 'unsafe-inline'" is for the styles that
# the page sets on elements; no text of a run becomes markup.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*",
    ]
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
FRESH = "no-store"


def told(error: str, do: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An error, as the page shows it."""
    return JSONResponse({"error": error, "do": do}, status, headers=headers)


def fault() -> Response:
    """What is said where the error is ours."""
    return told("This is a fault of layerwise.", "Report what the terminal says.", 500)


@dataclass(frozen=True)
class Guard:
    """An application behind a token; see the module.

    Attributes:
        app: gets the requests that may be answered, with a path after the token.
        token: the first part of every path.
        port: on which the server listens.
    """

    app: ASGIApp
    token: str
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        try:
            await self._admit(scope, receive, answer)
        except Exception:
            # One faulty answer is no reason to end: it is told on the terminal, and the next one may be fine.
            traceback.print_exc(file=sys.stderr)
            if not answer.begun:
                await fault()(scope, receive, answer)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        _, _, rest = scope["path"][1:].partition("/")
        # Mounted: addresses that the application makes begin with the token.
        await self.app({**scope, "path": f"/{rest}", "raw_path": None, "root_path": ""}, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _hosts(headers) not in [[host] for host in self._hosts]:
            return told("This address is not the server's.", "Open the address that the command printed.", 403)
        token, slash, _ = scope["path"][1:].partition("/")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return told("There is nothing here.", "Open the whole address that the command printed.", 404)
        if not self._is_own(scope, headers):
            return told("Another page may not ask this server.", "Open the address that the command printed.", 403)
        return None if slash else Response(status_code=307, headers={"location": f"/{self.token}/"})

    def _is_own(self, scope: Scope, headers: Headers) -> bool:
        """Whether a request comes from the page, from a program, or opens the page."""
        origins = headers.getlist("origin")
        if any(origin.lower() not in [f"http://{host}" for host in self._hosts] for origin in origins):
            return False
        if headers.get("sec-fetch-site", "none") in OWN_SITES:
            return True
        is_page = scope["path"].strip("/") == self.token and scope["method"] == "GET"
        return is_page and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in OPENED

    @property
    def _hosts(self) -> Sequence[str]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"


@dataclass
class _Answer:
    """Sends, adds the headers that every answer has, and remembers whether one has begun."""

    send: Send
    begun: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", FRESH)
        await self.send(message)


def _hosts(headers: Headers) -> list[str]:
    return [host.lower() for host in headers.getlist("host")]
