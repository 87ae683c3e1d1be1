"""Looking at photos: the grid, and a photo with its boxes."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, MOTORCYCLE, ROCKET


def open_photo(page: Page, path: Path) -> None:
    """Go from the grid to the photo of a name."""
    page.locator(".thumbnail", has_text=path.name).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(path.name)


def test_the_grid_shows_all_photos_newest_first_and_nothing_shifts(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    names = page.locator(".thumbnail-name").all_inner_texts()
    assert names[0] == ROCKET.name
    assert len(names) == 5
    for picture in page.locator(".thumbnail img").all():
        assert int(picture.get_attribute("width") or 0) > 0
        assert int(picture.get_attribute("height") or 0) > 0


def test_a_photo_shows_its_boxes_by_name_and_in_place(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    open_photo(page, CAT)
    picture = page.locator("#picture img")
    assert picture.get_attribute("alt") == "A cat"
    label = page.locator("#picture .box-label text")
    expect(label).to_have_text(re.compile(r"^cat \d+%$"))

    box = page.locator("#picture .box-line").bounding_box()
    photo = picture.bounding_box()
    assert box is not None
    assert photo is not None
    assert 0.3 * photo["width"] < box["width"] <= photo["width"] + 1
    assert photo["x"] - 1 <= box["x"]
    assert photo["y"] - 1 <= box["y"]


def test_labels_have_one_size_whatever_the_size_of_the_photo(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    heights = []
    for width in (360, 1440):
        page = open_page(gallery, "/photos/", viewport={"width": width, "height": 800})
        open_photo(page, MOTORCYCLE)
        label = page.locator("#picture .box-label rect").first.bounding_box()
        assert label is not None
        heights.append(label["height"])
    assert abs(heights[0] - 20) < 1
    assert abs(heights[1] - 20) < 1


def test_an_object_lights_up_its_box_and_leads_to_its_search(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    open_photo(page, COFFEE)
    cup = page.locator(".objects a", has_text="cup")
    cup.focus()
    expect(page.locator("#picture .is-lit.box-label text")).to_contain_text("cup")
    page.locator("h1").hover()
    expect(page.locator("#picture .is-lit")).to_have_count(0)
    # The other way round, the smallest box under the pointer counts: the table is all around.
    middle = page.locator("#picture .box-line").first.bounding_box()
    assert middle is not None
    page.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    expect(page.locator(".objects .is-lit")).to_contain_text("cup")
    cup.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("“cup”")


def test_the_original_is_downloaded_byte_for_byte(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    open_photo(page, CAT)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original").click()
    assert download.value.suggested_filename == CAT.name
    assert Path(download.value.path()).read_bytes() == CAT.read_bytes()
