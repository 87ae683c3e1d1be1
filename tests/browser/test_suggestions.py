"""Suggestions while one types, saved searches, reasons on the photo, photos on the search bar."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.dropping import drop
from tests.browser.windows import DESKTOP, WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT

PASTE = """(field, data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  const pasted = { clipboardData, bubbles: true, cancelable: true };
  field.dispatchEvent(new ClipboardEvent("paste", pasted));
}"""


def search_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search by what is in the photos")


def option(page: Page, words: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("option", name=words)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_keyboard_goes_through_suggestions_and_enter_alone_submits_what_was_typed(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, "/photos/", **WINDOWS[window])
    field = search_field(page)
    field.click()
    expect(option(page, re.compile("^person"))).to_contain_text("photo")
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()

    field.press_sequentially("kitt")
    expect(option(page, re.compile("kitten"))).to_contain_text("→ cat")
    field.fill("")
    field.press_sequentially("cu")
    cup = option(page, re.compile("^cup"))
    expect(cup).to_contain_text("photo")
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("suggestion-"))
    active = field.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    field.press("Tab")
    expect(field).to_have_value(re.compile("^cup $"))
    expect(field).to_be_focused()
    # An arrow that is quicker than the answer goes to what was typed, not to what was there before.
    field.press_sequentially("ne")
    field.press("ArrowDown")
    expect(option(page, re.compile("^near how"))).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    expect(field).to_have_value("cup near ")
    field.press_sequentially("din")
    expect(option(page, re.compile("^dining table"))).to_be_visible()
    field.press("Enter")
    page.wait_for_url("**/search?q=cup+near+din")


@pytest.mark.parametrize("window", WINDOWS)
def test_a_press_on_a_suggestion_searches_or_goes_on_and_recent_searches_can_be_forgotten(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, "/photos/", **WINDOWS[window])
    field = search_field(page)
    field.click()
    field.press_sequentially("ca")
    cat = option(page, re.compile("^cat"))
    cat.locator("[data-go-on]").click()
    expect(field).to_have_value("cat ")
    field.fill("ca")
    cat.click()
    page.wait_for_url("**/search?q=cat")
    expect(page.get_by_role("listbox")).to_be_hidden()

    page.goto("/photos/")
    field.click()
    recent = page.get_by_role("group", name="Searched for before")
    expect(recent.get_by_role("option")).to_have_text(["cat"])
    page.get_by_role("button", name="Forget what was searched for").click()
    expect(recent).to_have_count(0)
    expect(option(page, re.compile("^person"))).to_be_visible()
    page.get_by_role("main").click(position={"x": 2, "y": 2})
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_slow_and_failing_suggestions_keep_nobody_from_searching(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    asked: list[Route] = []
    page.route("**/suggest?*", lambda route: asked.append(route))
    field = search_field(page)
    field.click()
    field.press_sequentially("kitten", delay=150)
    assert len(asked) > 1
    expect(page.get_by_role("listbox")).to_be_hidden()
    asked[-1].fulfill(status=200, json={"suggestions": [], "saved": []})
    field.press("Enter")
    page.wait_for_url("**/search?q=kitten")
    plain = open_page(gallery, java_script_enabled=False)
    expect(plain.get_by_role("searchbox")).to_be_visible()


@pytest.mark.parametrize("window", WINDOWS)
def test_a_search_is_saved_and_shared_and_deleted(
    changing_gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(changing_gallery, "/search?q=kitten", **WINDOWS[window])
    page.locator("summary", has_text="Save this search").click()
    page.get_by_label("Its name").fill("Cats at home")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as “Cats at home”")).to_be_visible()
    address = page.get_by_role("link", name="Address to share").get_attribute("href")
    assert address is not None
    shared = open_page(changing_gallery, address)
    expect(shared).to_have_url(re.compile(r"/search\?q=kitten$"))

    page.goto("/photos/")
    search_field(page).click()
    expect(option(page, "Cats at home")).to_be_visible()
    page.get_by_role("link", name="All saved searches").click()
    page.locator("summary", has_text="Rename").click()
    page.get_by_label("Its name").fill("Our cats")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("heading", name="Our cats")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_text("“Our cats” is deleted")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Our cats")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_a_reason_lights_up_what_it_is_about_on_the_photo(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=cup+and+dining+table", **DESKTOP)
    first = page.locator(".hit").first
    overlay = first.locator(".hit-overlay")
    expect(overlay).to_have_css("opacity", "0")
    first.locator(".reasons li", has_text="cup").hover()
    expect(overlay).to_have_css("opacity", "1")
    expect(overlay.locator(".box-label.is-told").first).to_contain_text(re.compile(r"cup \d+%"))
    table = overlay.locator(".box-label", has_text="dining table")
    expect(table).to_have_css("opacity", "0.15")

    layout = '[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]'
    page = open_page(gallery, f"/search?layout={layout}", **DESKTOP)
    page.locator(".hit-picture").first.focus()
    expect(page.locator(".hit .asked rect").first).to_be_visible()

    page = open_page(gallery, "/search?q=kitten", **WINDOWS["phone"])
    first = page.locator(".hit").first
    first.locator("summary").tap()
    expect(first.locator(".hit-overlay")).to_have_css("opacity", "1")
    first.locator("summary").tap()
    page.locator("h1").tap()
    expect(first.locator(".hit-overlay")).to_have_css("opacity", "0")


def test_a_photo_on_the_search_bar_says_what_becomes_of_it(
    gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(gallery, "/photos/")
    refusals = [503]

    def refuse(route: Route) -> None:
        if refusals and route.request.method == "POST":
            sentence = "The detector does not answer just now."
            route.fulfill(status=refusals.pop(), json={"detail": sentence})
        else:
            route.continue_()

    page.route("**/search/photo", refuse)
    drop(page.get_by_role("search"), false_photo)
    news = page.locator("[data-photo-news]")
    expect(news).to_have_text("The detector does not answer just now.")
    page.get_by_role("button", name="Try again").click()
    expect(news).to_contain_text("This is not a photo")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("[data-photo-state]")).to_be_hidden()
    search_field(page).evaluate(PASTE, base64.b64encode(CAT.read_bytes()).decode())
    page.wait_for_url(re.compile(r"/search/photo/[\w-]+/$"))
    expect(page.locator(".hit").first.get_by_role("img").first).to_have_attribute("alt", "A cat")
