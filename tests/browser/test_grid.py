"""The grid of all photos: endless, by month, selected by mouse, finger and key, with a trash."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, ROCKET, drawn_photo, encoded

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
PHOTOS = 300
NEWEST = datetime(2026, 3, 20, 12, tzinfo=UTC)
# Where a photo's top is in the window.
TOP = "(photo) => photo.getBoundingClientRect().top"


@pytest.fixture(scope="module")
def long_gallery(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGallery]:
    """Many photos of many months; all but three have a row and a small picture only."""
    served = ServedGallery(tmp_path_factory.mktemp("long") / "data")
    served.start()
    _, results = served.upload(*[(path.name, path.read_bytes()) for path in (CAT, COFFEE, ROCKET)])
    for result in results:
        served.wait_until_ready(result["id"])
    _add_rows(served)
    yield served
    served.stop()


def _add_rows(served: ServedGallery) -> None:
    rows = []
    for at in range(PHOTOS):
        size = (480, (320, 640, 160)[at % 3])
        sha256 = hashlib.sha256(f"{at}".encode()).hexdigest()
        path = served.data / "thumbnails" / sha256[:2] / f"{sha256}-480.jpg"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(encoded(drawn_photo(at, size), "JPEG"))
        preview = encoded(drawn_photo(at, (16, 12)), "WEBP", quality=20)
        moment = NEWEST - timedelta(days=3 * (at // 9), seconds=at)
        rows.append((sha256, f"{at}.jpg", *size, f"{moment:%Y-%m-%d %H:%M:%S}", preview))
    with sqlite3.connect(served.data / "gallery.sqlite3", timeout=30) as catalogue:
        catalogue.executemany(
            "INSERT INTO gallery_image (sha256, name, media_type, size, width, height, uploaded_at,"
            " state, spool_name, tries, due_at, failure, priority, tagged_by, preview) VALUES"
            " (?, ?, 'image/jpeg', 1, ?, ?, ?, 'ready', '', 0, '2026-01-01 00:00:00', '', 0, '',"
            " ?)",
            rows,
        )
    catalogue.close()


def photos(page: Page) -> list[str]:
    found: list[str] = page.locator("#photos .thumbnail-name").all_text_contents()
    return found


def scroll_to_end(page: Page) -> None:
    end = page.locator("[data-grid-end]")
    for _ in range(200):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(60)
        if end.is_visible():
            return


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_grid_is_endless_justified_and_still(
    long_gallery: ServedGallery, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=viewport)
    page.evaluate(
        "new PerformanceObserver((list) => { window.shift = (window.shift ?? 0) + list.getEntries()"
        ".reduce((sum, entry) => sum + (entry.hadRecentInput ? 0 : entry.value), 0) })"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    page.mouse.move(200, 400)
    scroll_to_end(page)
    names = photos(page)
    assert len(names) == len(set(names)) == PHOTOS + 3
    assert [name for name in names if name[0].isdigit()] == [f"{at}.jpg" for at in range(PHOTOS)]
    assert page.evaluate("window.shift ?? 0") < 0.1
    # Each row is as wide as the page, but for the last of a day.
    uneven = page.evaluate(
        """() => [...document.querySelectorAll(".photo-grid")].flatMap((list) => {
          const right = list.getBoundingClientRect().right;
          const rows = Map.groupBy([...list.children], (one) => Math.round(one.offsetTop));
          const full = [...rows.values()].slice(0, -1);
          return full.filter((row) => right - row.at(-1).getBoundingClientRect().right > 2);
        }).length"""
    )
    assert uneven == 0
    assert page.locator(".is-coming").count() < PHOTOS


def test_going_back_leads_to_the_same_place(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP)
    page.mouse.move(400, 400)
    for _ in range(60):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(80)
        if page.locator(".thumbnail", has_text="130.jpg").count():
            break
    photo = page.locator(".thumbnail", has_text="120.jpg")
    photo.scroll_into_view_if_needed()
    page.wait_for_timeout(400)
    before = photo.evaluate(TOP)
    photo.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("120.jpg")
    page.go_back()
    expect(photo).to_be_in_viewport()
    assert abs(photo.evaluate(TOP) - before) < 4
    # So does reading the page anew, from the address alone; newer photos come above it.
    page.reload()
    expect(photo).to_be_in_viewport()
    assert abs(photo.evaluate(TOP) - before) < 4
    assert "?from=" in page.url
    for _ in range(60):
        page.mouse.wheel(0, -1500)
        page.wait_for_timeout(60)
    expect(page.locator(".thumbnail", has_text=ROCKET.name)).to_be_attached()
    assert photos(page)[:4] == [ROCKET.name, COFFEE.name, CAT.name, "0.jpg"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_months_along_the_edge_lead_there_by_key_and_by_pointer(
    long_gallery: ServedGallery, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=viewport)
    months = page.locator(".scrubber a")
    assert months.first.text_content() is not None
    months.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".scrubber a:focus")).to_contain_text("January 2026")
    page.keyboard.press("Enter")
    expect(page.locator(".month-title").first).to_have_text("January 2026")
    page.goto("/photos/")
    page.mouse.move(100, 400)
    page.mouse.wheel(0, 300)
    expect(page.locator(".scrubber")).to_have_class("scrubber is-awake")
    first, last = months.first.bounding_box(), months.last.bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 2)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + 2, steps=5)
    expect(page.locator(".is-pointed .scrubber-label")).to_contain_text("December 2025")
    page.mouse.up()
    expect(page.locator(".month-title").first).to_have_text("December 2025")


def test_the_size_of_the_pictures_is_chosen_and_kept(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP)
    picture = page.locator(".thumbnail", has_text="5.jpg").first
    heights = []
    for size in ("Small pictures", "Medium pictures", "Large pictures"):
        page.get_by_role("link", name=size).click()
        heights.append(picture.evaluate("(one) => one.offsetHeight"))
    assert heights[0] < heights[1] < heights[2]
    page.reload()
    assert picture.evaluate("(one) => one.offsetHeight") == heights[2]


def test_photos_are_selected_by_key_trashed_and_brought_back(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP)
    count = page.locator("[data-selection-count]")
    names = photos(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    expect(count).to_have_text("2 selected")
    page.keyboard.press("Escape")
    expect(count).not_to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("x")
    left = page.locator(".thumbnail input:checked").count()
    page.keyboard.press("Delete")
    expect(page.locator(".toast")).to_contain_text(f"{left} photo")
    assert len(photos(page)) == len(names) - left
    total = long_gallery.json("/api/v1/images")["total"]
    assert total == PHOTOS + 3 - left
    page.keyboard.press("Control+z")
    expect(page.locator(".toast")).to_have_count(0)
    assert photos(page) == names
    assert long_gallery.json("/api/v1/images")["total"] == PHOTOS + 3


def test_a_range_is_selected_by_mouse_and_downloaded(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP)
    tiles = page.locator(".thumbnail")
    tiles.nth(0).hover()
    tiles.nth(0).locator(".select").click()
    tiles.nth(2).locator(".select").click(modifiers=["Shift"])
    expect(page.locator("[data-selection-count]")).to_have_text("3 selected")
    # What is pressed now is selected, not opened.
    tiles.nth(4).locator("a").click(position={"x": 80, "y": 80})
    expect(page.locator("[data-selection-count]")).to_have_text("4 selected")
    tiles.nth(4).locator("a").click(position={"x": 80, "y": 80})
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    data = download.value.path().read_bytes()
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.read(ROCKET.name) == ROCKET.read_bytes()
        assert sorted(archive.namelist()) == sorted([ROCKET.name, COFFEE.name, CAT.name])


def test_selected_photos_are_tagged_by_key_with_suggestions_and_untagged_again(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP)
    first, second = (
        page.locator(".thumbnail").nth(place).get_attribute("data-photo") for place in (0, 1)
    )

    def tags(photo: str | None) -> list[str]:
        found = long_gallery.json(f"/api/v1/images/{photo}/tags")["tags"]
        return [tag["name"] for tag in found if tag["source"] == "person"]

    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.get_by_role("toolbar").locator("summary").focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Tags for these photos")
    expect(field).to_be_focused()
    page.keyboard.type("seaside")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("1 photo is tagged: seaside.")
    assert tags(first) == ["seaside"]
    page.locator(".thumbnail").nth(1).locator(".select input").check(force=True)
    asked: list[Route] = []
    page.route("**/api/v1/tags?*", lambda route: asked.append(route))
    page.get_by_role("toolbar").locator("summary").click()
    field.fill("sale, sea")
    # An arrow waits for what is suggested for this.
    page.keyboard.press("ArrowDown")
    while len(asked) < 2:
        page.wait_for_timeout(20)
    asked[-1].continue_()
    page.unroute_all()
    expect(field).to_have_attribute("aria-activedescendant", "tag-option-0")
    page.keyboard.press("Enter")
    expect(field).to_have_value("sale, seaside")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 photos are tagged: sale, seaside.")).to_be_visible()
    assert tags(second) == ["sale", "seaside"]
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-grid-news]")).to_have_text("The tags are as they were.")
    assert (tags(first), tags(second)) == (["seaside"], [])
    page.get_by_role("toolbar").locator("summary").click()
    page.keyboard.press("Escape")
    expect(field).not_to_be_visible()
    expect(page.locator("[data-selection-count]")).to_have_text("2 selected")


def test_on_a_phone_a_long_press_selects_and_the_trash_gives_back(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=PHONE, has_touch=True, is_mobile=True)
    box = page.locator(".thumbnail").nth(1).bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    page.wait_for_timeout(700)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("[data-selection-count]")).to_have_text("1 selected")
    assert page.url.endswith("/photos/")
    page.locator(".thumbnail").nth(2).locator("a").tap()
    expect(page.locator("[data-selection-count]")).to_have_text("2 selected")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("2 photos moved to the trash.")
    page.goto("/trash")
    expect(page.locator(".trash-photo")).to_have_count(2)
    expect(page.locator(".trash-photo .badge").first).to_have_text("30 days left")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".trash-photo").first.tap()
    page.locator(".trash-photo").last.tap()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("2 photos are back in the gallery.")).to_be_visible()
    expect(page.get_by_text("The trash is empty")).to_be_visible()


def test_without_a_script_photos_are_selected_trashed_and_brought_back(
    long_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(long_gallery, "/photos/", viewport=DESKTOP, java_script_enabled=False)
    page.locator(".thumbnail").nth(5).hover()
    page.locator(".thumbnail").nth(5).locator(".select").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 photo moved to the trash.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 photo is back in the gallery.")).to_be_visible()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
