"""Fixtures for tests in a real browser, against a gallery that runs as people run it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.gallery.served_gallery import ServedGallery
from tests.photos import ASTRONAUT, CAT, COFFEE, MOTORCYCLE, ROCKET

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A browser reports every answer that is a refusal, also one that the page shows as a sentence, and
# every request of a page whose connection a test has cut.
REFUSAL = re.compile(r"status of (?:4\d\d|503)|ERR_INTERNET_DISCONNECTED")
PATIENCE = 15_000
"""Milliseconds."""

OpenPage = Callable[..., Page]


# Of the package, not of the session: Django's tests must not run inside Playwright's event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or whichever there is."""
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        reason = "there is no Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def gallery(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGallery]:
    """A gallery of five photos, all ready, for the tests that change nothing in it."""
    served = ServedGallery(tmp_path_factory.mktemp("browser") / "data")
    served.start()
    paths = (ASTRONAUT, CAT, COFFEE, MOTORCYCLE, ROCKET)
    _, results = served.upload(*[(path.name, path.read_bytes()) for path in paths])
    for result in results:
        served.wait_until_ready(result["id"])
    yield served
    served.stop()


@pytest.fixture(scope="module")
def changing_gallery(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGallery]:
    """A gallery, empty at first, that the tests of a module may change."""
    served = ServedGallery(tmp_path_factory.mktemp("changing") / "data")
    served.start()
    yield served
    served.stop()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a window of its own; afterwards no page may have complained."""
    complaints: list[str] = []
    windows = []

    def open_(served: ServedGallery, path: str = "/", **options: object) -> Page:
        base_url = f"http://127.0.0.1:{served.port}"
        window = browser.new_context(base_url=base_url, **options)  # type: ignore[arg-type]  # Playwright's own keywords.
        window.set_default_timeout(PATIENCE)
        windows.append(window)
        page = window.new_page()

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not REFUSAL.search(message.text):
                complaints.append(f"{page.url}: {message.text}")

        def request(sent: Request) -> None:
            if not sent.url.startswith((base_url, "data:", "blob:")):
                complaints.append(f"{page.url} asks {sent.url}")

        page.on("console", console)
        page.on("request", request)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.goto(path)
        return page

    yield open_
    for window in windows:
        window.close()
    assert complaints == []


@pytest.fixture
def false_photo(tmp_path: Path) -> Path:
    """A text that calls itself a photo."""
    path = tmp_path / "notes.jpg"
    path.write_text("These are only words.")
    return path
