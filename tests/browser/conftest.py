"""A browser for the tests of the explorer's page; without one they are skipped, and in CI they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator

import chromium
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright


@pytest.fixture(scope="module")
def switches() -> tuple[str, ...]:
    """What Chromium is started with."""
    return chromium.SWITCHES


@pytest.fixture(scope="module")
def browser(switches: tuple[str, ...]) -> Iterator[Browser]:
    """One for each file: while it is open an asyncio loop runs, beside which other tests could start none."""
    path = chromium.find()
    if path is None:
        words = f"no Chromium was found, so nothing of the explorer's page was tested. {chromium.HOW}"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(switches))
        yield opened
        opened.close()


def is_fault(message: ConsoleMessage) -> bool:
    """Whether a page's message tells of a fault in it; that a request was refused is for the page to say."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of desktop size, which fails the test if the page meets an error or asks another origin."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    yield page
    context.close()
    assert faults == []
