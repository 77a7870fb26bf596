"""The application behind its guard: what is answered, what is refused, and that it stays up."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import ASGIApp

from explorer_files import MARKUP, PORT, TOKEN, Answered, ask, make_payload
from layerwise.errors import BusyError, DataError, FileError
from layerwise.views.explorer.payload import Payload
from layerwise.web.answers import NoAnswers
from layerwise.web.app import explorer_app
from layerwise.web.uploads import MOST_BYTES

NOTHING = {"error": "There is nothing here.", "do": "Reload the page."}


class Recalled:
    """Answers that remember what was asked."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked: list[Any] = []

    def features(self, row: int, tap: int) -> dict[str, Any]:
        return self._answer((row, tap))

    def place(self, encoded: bytes) -> dict[str, Any]:
        return self._answer(encoded)

    def _answer(self, asked: object) -> dict[str, Any]:
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault
        return {"depth": 2, "confidence": float("nan")}


@pytest.fixture
def app() -> ASGIApp:
    return made()


def made(answers: Any = None, payload: Payload | None = None) -> ASGIApp:
    return explorer_app(payload or make_payload(), answers or NoAnswers(), TOKEN, port=PORT)


def test_the_page_its_numbers_and_its_pictures_are_served(app: ASGIApp) -> None:
    page, script = ask(app, "/token/"), ask(app, "/token/app.js")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'data-source="server"' in page.body
    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    votes, sheet = ask(app, "/token/data/packs/votes.bin"), ask(app, "/token/data/sheets/examples-0.png")
    assert (votes.body, votes.headers["content-type"]) == (bytes(range(6)), "application/octet-stream")
    assert (sheet.body[:4], sheet.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert votes.headers["cache-control"] == sheet.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_names_of_classes_that_look_like_markup_stay_json(app: ASGIApp) -> None:
    manifest = ask(app, "/token/data/manifest.json")
    assert manifest.headers["content-type"] == "application/json"
    assert manifest.headers["x-content-type-options"] == "nosniff"
    assert manifest.json["classes"] == [MARKUP, "b"]


def test_every_answer_tells_the_browser_what_it_may_do(app: ASGIApp) -> None:
    for path in ("/token/", "/token/data/manifest.json", "/token/nothing", "/other/"):
        headers = ask(app, path).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://localhost:* "
            "http://127.0.0.1:* https://localhost:* https://127.0.0.1:*"
        )
        assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/token/../../etc/passwd",
        "/token/data/packs/../../../etc/passwd.bin",
        "/token/data/packs/..%2f..%2fetc%2fpasswd.bin",
        "/token/data/sheets/../page.py",
        "/token/data/sheets/..\\page.py",
        "/token/data/sheets//etc/passwd",
        "/token//etc/passwd",
        "/token/../server.py",
        "/token/./index.html",
        "/token/data/packs/votes",
        "/token/data/packs/votes\x00.bin",
        "/token/data/packs/__class__.bin",
    ],
)
def test_no_path_leads_outside(app: ASGIApp, path: str) -> None:
    answered = ask(app, path)
    assert (answered.status, answered.json) == (404, NOTHING)


@pytest.mark.parametrize(
    "path", ["/", "", "/wrong/", "/toke/", "/tokens/", "/TOKEN/", "//token/", "/tokén/data/manifest.json"]
)
def test_without_the_token_there_is_nothing(app: ASGIApp, path: str) -> None:
    answered = ask(app, path)
    assert (answered.status, answered.json) == (
        404,
        {"error": "There is nothing here.", "do": "Open the whole address that the command printed."},
    )


def test_the_token_alone_leads_to_the_page(app: ASGIApp) -> None:
    answered = ask(app, "/token")
    assert (answered.status, answered.headers["location"]) == (307, "/token/")


@pytest.mark.parametrize(
    "host", [None, "evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1:{PORT}."]
)
def test_a_name_that_someone_else_made_point_here_is_refused(app: ASGIApp, host: str | None) -> None:
    answered = ask(app, "/token/data/manifest.json", host=host)
    assert (answered.status, answered.json["error"]) == (403, "This address is not the server's.")


def test_two_hosts_are_none(app: ASGIApp) -> None:
    answered = ask(app, "/token/", headers=[("host", f"127.0.0.1:{PORT}")])
    assert answered.status == 403


def test_localhost_is_this_machine_too(app: ASGIApp) -> None:
    assert ask(app, "/token/", host=f"LocalHost:{PORT}").status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", f"https://127.0.0.1:{PORT}", ""]
)
def test_a_page_of_another_origin_may_not_ask(origin: str) -> None:
    answers = Recalled()
    answered = ask(made(answers), "/token/api/place", method="POST", headers=[("origin", origin)], body=[b"image"])
    assert (answered.status, answered.json["error"], answers.asked) == (
        403,
        "Another page may not ask this server.",
        [],
    )


def test_the_page_itself_may_ask() -> None:
    answers = Recalled()
    headers = [("origin", f"http://127.0.0.1:{PORT}"), ("sec-fetch-site", "same-origin")]
    answered = ask(made(answers), "/token/api/place", method="POST", headers=headers, body=[b"im", b"age"])
    assert (answered.status, answered.json, answers.asked) == (200, {"depth": 2, "confidence": None}, [b"image"])


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_from_another_site_only_the_page_may_be_opened(app: ASGIApp, site: str) -> None:
    loaded = [("sec-fetch-site", site), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]
    for path in ("/token/", "/token/data/sheets/examples-0.png", "/token/api/features"):
        assert ask(app, path, headers=loaded).status == 403
    for opened in ("document", "iframe"):
        headers = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", opened)]
        assert ask(app, "/token/", headers=headers).status == 200
        assert ask(app, "/token/data/manifest.json", headers=headers).status == 403
        assert ask(app, "/token/", method="POST", headers=headers).status == 403


@pytest.mark.parametrize(
    "query", ["", "row=1", "row=-1&tap=0", "row=1.5&tap=0", "row=٣&tap=0", f"row={'9' * 40}&tap=0"]
)
def test_a_row_that_is_no_whole_number_is_refused(query: str) -> None:
    answers = Recalled()
    assert ask(made(answers), "/token/api/features", query=query).status == 400
    assert answers.asked == []


def test_feature_maps_are_asked_by_row_and_tap() -> None:
    answers = Recalled()
    assert ask(made(answers), "/token/api/features", query="row=17&tap=2").status == 200
    assert answers.asked == [(17, 2)]


def test_an_image_that_says_it_is_too_large_is_not_read() -> None:
    answers = Recalled()
    headers = [("content-length", str(MOST_BYTES + 1))]
    answered = ask(made(answers), "/token/api/place", method="POST", headers=headers)
    assert (answered.status, answered.json["error"], answers.asked) == (413, "The image has more than 20 MB.", [])
    assert answered.headers["connection"] == "close"


def test_of_an_image_that_does_not_end_no_more_is_read_than_it_may_have() -> None:
    answers, part = Recalled(), bytes(1_000_000)
    parts = [part] * 50
    answered = ask(made(answers), "/token/api/place", method="POST", body=parts)
    assert (answered.status, answers.asked) == (413, [])


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (
            FileError("this is no picture.\n    Give another\n    one."),
            415,
            ("This is no picture.", "Give another one."),
        ),
        (DataError("too many pixels.\n    Scale it."), 422, ("Too many pixels.", "Scale it.")),
        (BusyError("4 images wait.\n    Try again."), 503, ("4 images wait.", "Try again.")),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(fault: Exception, status: int, words: tuple[str, str]) -> None:
    answered = ask(made(Recalled(fault)), "/token/api/place", method="POST", body=[b"x"])
    assert (answered.status, answered.json) == (status, dict(zip(("error", "do"), words, strict=True)))
    assert answered.headers.get("retry-after") == ("5" if status == 503 else None)


def test_a_fault_is_told_on_the_terminal_and_the_server_stays_up(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Recalled(ZeroDivisionError("of ours"))
    app = made(answers)
    answered = ask(app, "/token/api/features", query="row=0&tap=0")
    assert (answered.status, answered.json) == (
        500,
        {"error": "This is a fault of layerwise.", "do": "Report what the terminal says."},
    )
    assert "ZeroDivisionError: of ours" in capsys.readouterr().err
    answers.fault = None
    assert ask(app, "/token/api/features", query="row=0&tap=0").status == 200


def test_a_pack_that_fails_once_is_made_when_it_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    tries: list[int] = []

    def make() -> bytes:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the disk")
        return b"numbers"

    app = made(payload=replace(make_payload(), packs={"votes": make}))
    found = [ask(app, "/token/data/packs/votes.bin") for _ in range(3)]
    assert [one.status for one in found] == [500, 200, 200]
    assert len(tries) == 2
    assert "the disk" in capsys.readouterr().err


@pytest.mark.parametrize(("path", "method"), [("/token/data/manifest.json", "DELETE"), ("/token/api/place", "GET")])
def test_other_methods_are_refused(app: ASGIApp, path: str, method: str) -> None:
    assert ask(app, path, method=method).status in (404, 405)


def test_without_a_network_nothing_can_be_asked_of_it(app: ASGIApp) -> None:
    answered = ask(app, "/token/api/features", query="row=0&tap=0")
    assert (answered.status, answered.json) == (
        422,
        {"error": "This run's network cannot be asked.", "do": "The page says why, under what is missing."},
    )


def test_many_at_once_get_the_same_bytes_made_once() -> None:
    made_by: list[str] = []

    def make() -> bytes:
        made_by.append(threading.current_thread().name)
        return bytes(1000)

    app = made(payload=replace(make_payload(), packs={"votes": make}))
    found: list[Answered] = []
    asking = [threading.Thread(target=lambda: found.append(ask(app, "/token/data/packs/votes.bin"))) for _ in range(30)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert {(one.status, one.body) for one in found} == {(200, bytes(1000))}
    assert (len(found), len(made_by)) == (30, 1)
