"""Duplicates and groups in a browser: decided by pointer and by keyboard, and taken back."""

from __future__ import annotations

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE, OpenPage
from tests.gallery.served_gallery import ServedGallery
from tests.photos import ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET, encoded

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
# Of the appearance model, and then of what compares.
COMPARED = 4 * PATIENCE


@pytest.fixture(scope="module")
def with_copies(changing_gallery: ServedGallery) -> ServedGallery:
    """Six photos, two of which are there in a smaller size as well, compared and grouped."""
    files = [
        (path.name, path.read_bytes())
        for path in (ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET)
    ]
    for path in (CAT, COFFEE):
        with Pillow.open(path) as photo:
            small = photo.convert("RGB").resize((photo.width // 2, photo.height // 2))
            files.append((f"small-{path.stem}.jpg", encoded(small, "JPEG", quality=70)))
    _, results = changing_gallery.upload(*files)
    for result in results:
        changing_gallery.wait_until_ready(result["id"])
    return changing_gallery


def await_sets(page: Page, count: int) -> None:
    for _ in range(COMPARED // 500):
        if page.locator("[data-alike-set]").count() == count:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"there are not {count} sets in time")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_copies_go_to_the_trash_and_come_back(
    with_copies: ServedGallery, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(with_copies, "/duplicates/", viewport=viewport)
    await_sets(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert violations(page) == []
    cat = page.locator("[data-alike-set]", has_text="chelsea.png")
    boxes = cat.get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    expect(cat.get_by_label("Keep: chelsea.png")).to_be_checked()
    expect(cat.get_by_text("Best", exact=True)).to_have_count(1)
    tidy = cat.locator("[data-tidy]")
    expect(tidy).to_have_text("Keep the best, move 1 other to the trash")
    boxes.first.uncheck()
    expect(tidy).to_have_text("Choose at least one to keep")
    boxes.first.check()
    tidy.click()
    expect(page.get_by_text("1 photo moved to the trash.")).to_be_visible()
    expect(cat).to_be_hidden()
    # The next set's button is in focus, so that Enter would go on.
    coffee = page.locator("[data-alike-set]", has_text="coffee.png")
    expect(coffee.locator("[data-tidy]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No photo is here twice")).to_be_visible()
    for _ in range(2):
        page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("[data-alike-set]:visible")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-alike-set]")).to_have_count(2)


def test_groups_are_browsed_named_and_searched(
    with_copies: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(with_copies, "/groups/", viewport=PHONE)
    await_sets_of_groups(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []
    page.locator(".group a").first.click()
    expect(page.locator(".thumbnail").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("summary", has_text="Rename").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Its name").fill("Favourites")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Favourites")
    page.get_by_role("link", name="All groups").click()
    expect(page.get_by_role("link", name="Favourites")).to_be_visible()


def await_sets_of_groups(page: Page) -> None:
    for _ in range(COMPARED // 500):
        if page.locator(".group").count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("there are no groups in time")
