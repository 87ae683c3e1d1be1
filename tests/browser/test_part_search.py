"""Searching with a part of a photo: a rectangle chosen by mouse, finger and keys."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.pointing import drag, drag_by_finger
from tests.browser.windows import DESKTOP, WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.photos import MOTORCYCLE_AGAIN

WITH_PART = re.compile(r"[?&]part=")


@pytest.fixture(scope="module")
def coffee(gallery: ServedGallery) -> int:
    """The id of a photo with a cup on a table."""
    photos = gallery.json("/api/v1/images")["photos"]
    found: int = next(photo["id"] for photo in photos if photo["name"] == "coffee.png")
    return found


def begin(page: Page) -> Locator:
    """Begin to choose a part; the selection."""
    page.get_by_role("button", name="Search with a part").click()
    selection = page.get_by_role("application", name=re.compile("^Part of the picture"))
    expect(selection).to_be_focused()
    return selection


def part_of(page: Page) -> list[float]:
    [text] = parse_qs(urlsplit(page.url).query)["part"]
    return [float(side) for side in text.split(",")]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_rectangle_on_a_photos_page_is_searched_with(
    gallery: ServedGallery, open_page: OpenPage, coffee: int, window: str
) -> None:
    page = open_page(gallery, f"/photos/{coffee}/", **WINDOWS[window])
    selection = begin(page)
    expect(page.get_by_text("In it: cup", exact=False).first).to_be_visible()
    # Away from the corners, where a press would be on a handle, and out of what is chosen.
    for _ in range(99):
        page.keyboard.press("Shift+ArrowUp")
    draw = drag_by_finger if window == "phone" else drag
    draw(selection, (0.01, 0.99), (0.5, 0.5), (0.97, 0.02))
    page.get_by_role("button", name="Search with this part").click()
    page.wait_for_url(WITH_PART)
    assert part_of(page) == pytest.approx([0.01, 0.02, 0.97, 0.99], abs=0.02)
    expect(page.get_by_role("heading", level=1)).to_contain_text("like this part")
    expect(page.locator(".query-picture .part-frame")).to_be_visible()
    page.get_by_role("link", name="Search with the whole photo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("like this one")
    assert "part=" not in page.url


def test_the_keyboard_moves_resizes_searches_and_leaves(
    gallery: ServedGallery, open_page: OpenPage, coffee: int
) -> None:
    page = open_page(gallery, f"/photos/{coffee}/", **DESKTOP)
    selection = begin(page)
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "ArrowRight", "ArrowDown"):
        for _ in range(30):
            page.keyboard.press(key)
    expect(selection).to_have_accessible_name(
        re.compile(r"^Part of the picture: left \d+%, top \d+%, \d+% wide, \d+% high$")
    )
    expect(page.locator(".part-tools").get_by_role("status")).to_contain_text("left")
    page.keyboard.press("Escape")
    expect(selection).to_have_count(0)
    expect(page.get_by_role("button", name="Search with a part")).to_be_focused()
    assert page.url.endswith(f"/photos/{coffee}/")

    begin(page)
    page.keyboard.press("Enter")
    page.wait_for_url(WITH_PART)
    expect(page.locator(".query-picture .box-label text").first).to_have_text("cup")


def test_a_part_of_an_uploaded_photo_is_searched_with(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, **DESKTOP)
    page.locator("summary", has_text="Search by photo").click()
    page.get_by_label("Find photos like this one").set_input_files(MOTORCYCLE_AGAIN)
    page.wait_for_url("**/search/photo/*/")
    begin(page)
    expect(page.locator(".part-tools")).to_contain_text("In it: motorcycle")
    page.keyboard.press("Enter")
    page.wait_for_url(WITH_PART)
    expect(page.locator(".hit").first.locator(".reasons")).to_contain_text("motorcycle")
    expect(page.get_by_role("button", name="Choose another part")).to_be_visible()


def test_without_javascript_there_is_no_button_that_does_nothing(
    gallery: ServedGallery, open_page: OpenPage, coffee: int
) -> None:
    page = open_page(gallery, f"/photos/{coffee}/", java_script_enabled=False)
    expect(page.get_by_role("link", name="Find similar")).to_be_visible()
    expect(page.get_by_role("button", name="Search with a part")).to_have_count(0)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("0.1,0.2", "A part of a photo is four numbers"),
        ("0.5,0.5,0.2,0.9", "A part of a photo lies within it"),
    ],
)
def test_a_part_that_makes_no_sense_is_refused_with_a_sentence(
    gallery: ServedGallery, open_page: OpenPage, coffee: int, part: str, sentence: str
) -> None:
    page = open_page(gallery, f"/photos/{coffee}/similar?part={part}")
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.locator(".query-picture")).to_be_visible()
