"""A photo's page by keys, buttons, mouse and fingers, on a phone and on a desktop."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.pointing import drag, drag_by_finger
from tests.browser.windows import DESKTOP, PHONE, WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.photos import ASTRONAUT, CAT, COFFEE, MOTORCYCLE, ROCKET

NEWEST_FIRST = [path.name for path in (ROCKET, MOTORCYCLE, COFFEE, CAT, ASTRONAUT)]


@pytest.fixture(scope="module")
def ids(gallery: ServedGallery) -> dict[str, int]:
    """Of each photo by its name."""
    photos = gallery.json("/api/v1/images")["photos"]
    return {photo["name"]: photo["id"] for photo in photos}


def expect_photo(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page).to_have_title(f"{name} – Image Gallery")


def width_of(target: Locator) -> float:
    box = target.bounding_box()
    assert box is not None
    return box["width"]


def tapped_twice(page: Page, target: Locator) -> None:
    box = target.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(2):
        page.touchscreen.tap(x, y)


@pytest.mark.parametrize("window", WINDOWS)
def test_neighbours_come_without_leaving_the_page_and_back_leads_to_the_grid(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int], window: str
) -> None:
    page = open_page(gallery, "/photos/", **WINDOWS[window])
    page.locator(".thumbnail").first.get_by_role("link").click()
    expect(page.locator("#picture[style]")).to_be_visible()
    expect_photo(page, NEWEST_FIRST[0])
    expect(page.get_by_role("link", name="Newer photo")).to_have_count(0)
    page.evaluate("window.isStillThere = true")
    for name in NEWEST_FIRST[1:3]:
        page.keyboard.press("ArrowRight")
        expect_photo(page, name)
        assert page.url.endswith(f"/photos/{ids[name]}/")
        expect(page.locator("[data-viewer-news]")).to_contain_text(name)
    page.get_by_role("link", name="Newer photo").click()
    expect_photo(page, NEWEST_FIRST[1])
    page.go_back()
    expect_photo(page, NEWEST_FIRST[2])
    assert page.evaluate("window.isStillThere")
    page.keyboard.press("Escape")
    page.wait_for_url("**/photos/")
    # An address that was never come to from a grid leads back to one as well.
    page.goto(f"/photos/{ids[CAT.name]}/")
    page.get_by_role("link", name="Back to the photos").click()
    page.wait_for_url("**/photos/")


@pytest.mark.parametrize("window", WINDOWS)
def test_found_photos_have_the_neighbours_they_were_found_with(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, "/search?q=person, cat&weak=1", **WINDOWS[window])
    found = [hit.get_attribute("data-photo") for hit in page.locator(".hit").all()]
    assert len(found) >= 2
    page.locator(".hit-picture").first.click()
    expect(page.locator("#picture[style]")).to_be_visible()
    expect(page.get_by_text(f"1 of {len(found)}")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(f"2 of {len(found)}")).to_be_visible()
    assert f"/photos/{found[1]}/?from=/search?q=person" in page.url
    page.reload()
    page.get_by_role("link", name="Photo before").click()
    expect(page.get_by_text(f"1 of {len(found)}")).to_be_visible()
    page.get_by_role("link", name="Back to the results").click()
    expect(page.locator(".hit")).to_have_count(len(found))
    assert "weak=1" in page.url


def test_boxes_and_facts_are_shown_or_not_and_stay_so(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", **DESKTOP)
    box = page.locator("#picture .box").first
    panel = page.get_by_role("complementary", name="About this photo")
    boxes = page.get_by_role("button", name="Show boxes")
    facts = page.get_by_role("button", name="Facts")
    whole = width_of(page.locator(".canvas"))
    expect(box).to_have_css("opacity", "1")
    expect(panel).to_contain_text("600 × 400")
    page.keyboard.press("b")
    page.keyboard.press("i")
    for move in (lambda: page.keyboard.press("ArrowRight"), page.reload):
        expect(boxes).to_have_attribute("aria-pressed", "false")
        expect(facts).to_have_attribute("aria-expanded", "false")
        expect(box).to_have_css("opacity", "0")
        expect(panel).to_be_hidden()
        assert width_of(page.locator(".canvas")) > whole
        move()
        expect_photo(page, CAT.name)
    expect(boxes).to_have_attribute("aria-pressed", "false")
    expect(panel).to_be_hidden()
    boxes.click()
    facts.click()
    expect(box).to_have_css("opacity", "1")
    expect(panel).to_be_visible()


def test_the_picture_is_zoomed_and_moved_by_keys_wheel_mouse_and_buttons(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", **DESKTOP)
    picture, label = page.locator("#picture"), page.locator("#picture .box-label rect").first
    whole = width_of(picture)
    out = page.get_by_role("button", name="Zoom out")
    expect(out).to_be_disabled()
    page.get_by_role("button", name="Zoom in").click()
    page.keyboard.press("+")
    assert width_of(picture) == pytest.approx(whole * 1.5**2, rel=0.01)
    # Labels stay in sight, and as large as they were.
    box, canvas = label.bounding_box(), page.locator(".canvas").bounding_box()
    assert box is not None
    assert canvas is not None
    assert box["height"] == pytest.approx(20, abs=1)
    assert box["y"] >= canvas["y"] - 1
    assert box["x"] >= canvas["x"] - 1

    def place() -> tuple[float, float]:
        found = picture.bounding_box()
        assert found is not None
        return found["x"], found["y"]

    before = place()
    page.keyboard.press("Shift+ArrowRight")
    assert place()[0] == pytest.approx(before[0] - 80, abs=1)
    drag(page.locator(".canvas"), (0.5, 0.5), (0.6, 0.6))
    assert place()[1] > before[1]
    # However far it is moved, the stage stays full.
    drag(page.locator(".canvas"), (0.2, 0.2), (0.9, 0.9))
    assert place()[0] == pytest.approx(canvas["x"], abs=1)
    page.keyboard.press("0")
    assert width_of(picture) == pytest.approx(whole, abs=1)

    page.locator(".canvas").dblclick(position={"x": 300, "y": 200})
    assert width_of(picture) == pytest.approx(whole * 2.5, rel=0.01)
    page.locator(".canvas").dblclick(position={"x": 300, "y": 200})
    assert width_of(picture) == pytest.approx(whole, abs=1)
    page.mouse.wheel(0, -300)
    expect(out).to_be_enabled()
    assert width_of(picture) > whole
    page.keyboard.press("ArrowLeft")
    expect_photo(page, MOTORCYCLE.name)
    expect(out).to_be_disabled()


def test_fingers_swipe_to_neighbours_pinch_and_tap(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", **PHONE)
    canvas, picture = page.locator(".canvas"), page.locator("#picture")
    drag_by_finger(canvas, (0.7, 0.5), (0.5, 0.5), (0.2, 0.5))
    expect_photo(page, CAT.name)
    drag_by_finger(canvas, (0.3, 0.5), (0.5, 0.5), (0.8, 0.5))
    expect_photo(page, COFFEE.name)

    whole = width_of(picture)
    tapped_twice(page, canvas)
    expect(page.locator(".canvas.is-zoomed")).to_have_count(1)
    assert width_of(picture) == pytest.approx(whole * 2.5, rel=0.01)
    # A finger moves what is close up; it does not turn to another photo.
    drag_by_finger(canvas, (0.7, 0.5), (0.5, 0.5), (0.2, 0.5))
    expect_photo(page, COFFEE.name)
    tapped_twice(page, canvas)
    expect(page.locator(".canvas.is-zoomed")).to_have_count(0)

    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, reach in (("touchStart", 30), ("touchMove", 60), ("touchMove", 90), ("touchEnd", 0)):
        points = [{"x": x - reach, "y": y, "id": 1}, {"x": x + reach, "y": y, "id": 2}]
        session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if reach else []}
        )
    assert width_of(picture) == pytest.approx(whole * 3, rel=0.1)
    expect_photo(page, COFFEE.name)


def test_full_screen_lasts_from_photo_to_photo_until_it_is_left(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", **DESKTOP)
    header = page.locator(".site-header")
    full = page.get_by_role("button", name="Full screen")
    page.keyboard.press("f")
    expect(full).to_have_attribute("aria-pressed", "true")
    expect(header).to_be_hidden()
    expect(page.locator("html:fullscreen")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect_photo(page, CAT.name)
    expect(page.locator("html:fullscreen")).to_have_count(1)
    page.keyboard.press("i")
    expect(page.locator("#photo-panel")).to_be_visible()
    full.click()
    expect(header).to_be_visible()
    expect(page.locator("#photo-panel")).to_be_visible()
    expect(page.locator("html:fullscreen")).to_have_count(0)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_help_tells_all_keys_each_has_a_button_and_letters_can_be_turned_off(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int], window: str
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", **WINDOWS[window])
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    told = {key.lower() for key in dialog.locator("kbd").all_inner_texts()}
    names = {"arrowleft": "←", "arrowright": "→", "escape": "esc", "plus": "+", "-": "−"}
    controls = page.locator("main [aria-keyshortcuts]").all()
    for control in controls:
        expect(control).to_be_visible()
        for key in str(control.get_attribute("aria-keyshortcuts")).lower().split():
            assert names.get(key, key) in told
        side = control.bounding_box()
        assert side is not None
        assert min(side["width"], side["height"]) >= 44
    letters = {"f", "b", "i", "s", "d", "e", "x", "?", "+", "−", "esc", "←", "→"}
    assert letters <= told
    assert len(controls) == len(letters)

    dialog.get_by_label("Single letters and signs are keys").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect_photo(page, COFFEE.name)
    boxes = page.get_by_role("button", name="Show boxes")
    page.keyboard.press("b")
    expect(boxes).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect_photo(page, CAT.name)
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Single letters and signs are keys").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("b")
    expect(boxes).to_have_attribute("aria-pressed", "false")


def test_letters_lead_on_but_not_while_somebody_types(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[CAT.name]}/", **DESKTOP)
    page.get_by_text("Rename").click()
    page.get_by_label("New name").press_sequentially("sdxbif?")
    page.get_by_label("Search by what is in the photos").press_sequentially("sdx?")
    page.get_by_label("Search by what is in the photos").press("ArrowLeft")
    expect_photo(page, CAT.name)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("h1").click()
    with page.expect_download() as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename == CAT.name
    page.keyboard.press("s")
    page.wait_for_url(re.compile(rf"/photos/{ids[CAT.name]}/similar$"))
    page.go_back()
    expect_photo(page, CAT.name)
    page.keyboard.press("x")
    expect_photo(page, ASTRONAUT.name)
    toast = page.locator(".toast")
    expect(toast).to_contain_text("1 photo moved to the trash.")
    toast.get_by_role("button", name="Undo").click()
    expect_photo(page, CAT.name)
    expect(toast).to_contain_text("1 photo is back in the gallery.")


def test_without_javascript_the_picture_its_boxes_and_its_neighbours_are_there(
    gallery: ServedGallery, open_page: OpenPage, ids: dict[str, int]
) -> None:
    page = open_page(gallery, f"/photos/{ids[COFFEE.name]}/", java_script_enabled=False)
    expect(page.locator("#picture .box-label text").first).to_be_visible()
    expect(page.get_by_role("button", name="Full screen")).to_have_count(0)
    page.get_by_role("link", name="Older photo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CAT.name)
