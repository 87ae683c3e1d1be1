"""The dashboard by keyboard: its charts say what they show, and lead to the photos."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.windows import WINDOWS
from tests.gallery.served_gallery import ServedGallery

FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def tab_to(page: Page, start: str) -> None:
    """Press Tab until a thing in some place of the page has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(start) => document.activeElement.closest(start) !== null", start):
            return
    pytest.fail(f"The Tab key does not lead to {start}")


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_charts_are_read_and_followed_by_keyboard(
    gallery: ServedGallery, open_page: OpenPage, window: dict[str, object]
) -> None:
    page = open_page(gallery, **window)
    search_field = page.get_by_role("combobox", name="Search by what is in the photos")
    bars = page.get_by_role("table", name="Most common objects")
    expect(bars.get_by_role("row", name="cat 1")).to_be_visible()

    tab_to(page, ".matrix")
    readout = page.locator(".chart-together [data-readout]")
    words = page.evaluate(FOCUSED)
    expect(readout).to_have_text(words)
    page.keyboard.press("Tab")
    expect(readout).to_contain_text("The darker")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    pair = words.partition(":")[0]
    expect(search_field).to_have_value(pair)
    expect(page.locator(".hit").first).to_be_visible()

    page.goto("/")
    tab_to(page, ".columns")
    expect(page.locator(".chart-timeline [data-readout]")).to_contain_text("5 photos")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(5)

    page.goto("/")
    together = page.get_by_role("region", name="Seen together")
    together.get_by_text("As a table").focus()
    page.keyboard.press("Enter")
    together.get_by_role("table").get_by_role("link", name=pair.replace(" and ", ", ")).click()
    expect(search_field).to_have_value(pair)


def test_it_stands_mirrored_enlarged_and_without_scripts(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, viewport={"width": 640, "height": 450})
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    logo, nav = page.locator(".brand").bounding_box(), page.locator(".site-nav").bounding_box()
    assert logo is not None
    assert nav is not None
    assert logo["x"] > nav["x"]

    plain = open_page(gallery, java_script_enabled=False)
    plain.locator(".matrix a").first.focus()
    plain.keyboard.press("Enter")
    expect(plain.locator(".hit").first).to_be_visible()
