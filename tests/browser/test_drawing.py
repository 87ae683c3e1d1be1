"""The canvas: boxes placed by mouse, finger and keys, and the photos that lie like them."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.pointing import drag, drag_by_finger
from tests.browser.windows import DESKTOP, PHONE, WINDOWS
from tests.gallery.served_gallery import ServedGallery

CAT_LAYOUT = '[{"object":"cat","box":[0.1,0.05,0.9,0.95]}]'


def canvas(page: Page) -> Locator:
    return page.get_by_role("application", name="Canvas")


def boxes(page: Page) -> Locator:
    return canvas(page).get_by_role("button")


def choose(page: Page, name: str) -> None:
    page.get_by_label("Object", exact=True).first.fill(name)


def drawn(page: Page) -> list[dict[str, object]]:
    """The layout that the address says."""
    text = parse_qs(urlsplit(page.url).query).get("layout", ["[]"])[0]
    layout: list[dict[str, object]] = json.loads(text)
    return layout


def place_of(page: Page, number: int = 0) -> list[float]:
    box = drawn(page)[number]["box"]
    assert isinstance(box, list)
    return box


@pytest.mark.parametrize("window", WINDOWS)
def test_a_drawn_cat_finds_the_cat_below_the_canvas(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, "/draw", **WINDOWS[window])
    choose(page, "cat")
    draw = drag_by_finger if window == "phone" else drag
    draw(canvas(page), (0.1, 0.05), (0.5, 0.5), (0.9, 0.95))
    expect(boxes(page)).to_have_count(1)
    expect(boxes(page)).to_have_accessible_name(
        re.compile(r"^cat: left \d+%, top \d%, \d+% wide, \d+% high$")
    )
    assert place_of(page) == pytest.approx([0.1, 0.05, 0.9, 0.95], abs=0.01)
    expect(page.get_by_text(re.compile(r"^\d+ photos? like this drawing$"))).to_be_visible()
    first = page.locator(".hit").first
    expect(first.get_by_role("img").first).to_have_attribute("alt", "A cat")
    expect(first.locator(".reasons")).to_contain_text("cat: boxes overlap")


def test_the_address_brings_the_drawing_back(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery, "/draw", **DESKTOP)
    choose(page, "cat")
    drag(canvas(page), (0.1, 0.1), (0.8, 0.9))
    page.get_by_label("Mirror image counts too").check()
    page.get_by_label("Shape").select_option("3:4")
    expect(page).to_have_url(re.compile("mirror=1"))
    before = page.url
    page.reload()
    assert page.url == before
    expect(boxes(page)).to_have_accessible_name(re.compile("^cat: left"))
    expect(page.get_by_label("Mirror image counts too")).to_be_checked()
    expect(page.get_by_label("Shape")).to_have_value("3:4")
    expect(page.locator(".hit").first).to_be_visible()


def test_a_box_is_moved_resized_and_the_steps_are_taken_back(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, f"/draw?layout={CAT_LAYOUT}", **DESKTOP)
    drag(canvas(page), (0.5, 0.5), (0.6, 0.5))
    assert place_of(page) == pytest.approx([0.2, 0.05, 1, 0.95], abs=0.01)
    drag(canvas(page), (0.2, 0.05), (0.4, 0.25))
    assert place_of(page) == pytest.approx([0.4, 0.25, 1, 0.95], abs=0.01)
    page.get_by_role("button", name="Undo").click()
    page.keyboard.press("Control+z")
    assert place_of(page) == pytest.approx([0.1, 0.05, 0.9, 0.95], abs=0.001)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(canvas(page)).to_be_focused()
    page.get_by_role("button", name="Redo").click()
    assert place_of(page) == pytest.approx([0.2, 0.05, 1, 0.95], abs=0.01)


@pytest.mark.parametrize("handle", ["nw", "n", "ne", "e", "se", "s", "sw", "w"])
def test_each_handle_moves_its_own_sides(
    gallery: ServedGallery, open_page: OpenPage, handle: str
) -> None:
    layout = '[{"object":"cat","box":[0.3,0.3,0.7,0.7]}]'
    page = open_page(gallery, f"/draw?layout={layout}", **DESKTOP)
    canvas(page).click()
    places = {"w": 0.3, "e": 0.7, "n": 0.3, "s": 0.7}
    x = next((places[side] for side in handle if side in "we"), 0.5)
    y = next((places[side] for side in handle if side in "ns"), 0.5)
    drag(canvas(page), (x, y), (x + 0.1, y + 0.1))
    expected = [places[side] + 0.1 * (side in handle) for side in "wnes"]
    assert place_of(page) == pytest.approx(expected, abs=0.01)


def test_everything_can_be_done_by_keyboard(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery, "/draw", **DESKTOP)
    page.get_by_label("Object", exact=True).first.focus()
    page.keyboard.type("dog")
    page.keyboard.press("Enter")
    expect(boxes(page)).to_be_focused()
    start = place_of(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    left, top, right, bottom = start
    expected = [left + 0.01, top + 0.01, right, bottom + 0.01]
    assert place_of(page) == pytest.approx(expected, abs=0.002)

    page.keyboard.press("Control+d")
    expect(boxes(page)).to_have_count(2)
    expect(boxes(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("cat")
    page.keyboard.press("Tab")
    assert [item["object"] for item in drawn(page)] == ["dog", "cat"]

    boxes(page).nth(0).focus()
    page.keyboard.press("Delete")
    expect(boxes(page)).to_have_count(1)
    expect(boxes(page)).to_be_focused()
    page.keyboard.press("Delete")
    expect(boxes(page)).to_have_count(0)
    assert drawn(page) == []


@pytest.mark.parametrize("window", WINDOWS)
def test_names_and_places_can_be_typed(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, f"/draw?layout={CAT_LAYOUT}", **WINDOWS[window])
    row = page.get_by_role("group", name="1: cat")
    row.get_by_label("Object").focus()
    for field, value in {"Width %": "40", "Left %": "25", "Top %": "30", "Height %": "50"}.items():
        row.get_by_label(field).fill(value)
        row.get_by_label(field).press("Tab")
    assert place_of(page) == pytest.approx([0.25, 0.3, 0.65, 0.8], abs=0.001)
    row.get_by_label("Object").fill("Dog")
    row.get_by_label("Object").press("Tab")
    assert drawn(page)[0]["object"] == "dog"
    page.get_by_role("button", name="Copy dog").click()
    expect(boxes(page)).to_have_count(2)
    page.get_by_role("button", name="Delete dog").first.click()
    expect(boxes(page)).to_have_count(1)


@pytest.mark.parametrize("window", WINDOWS)
def test_one_object_can_have_an_area_drawn_by_hand(
    gallery: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(gallery, f"/draw?layout={CAT_LAYOUT}", **WINDOWS[window])
    draw = drag_by_finger if window == "phone" else drag
    for _ in range(2):
        choose(page, "couch")
        page.get_by_label("Area by hand").check()
        draw(canvas(page), (0.2, 0.2), (0.8, 0.3), (0.7, 0.8), (0.3, 0.7))
        expect(page.get_by_label("Box", exact=True)).to_be_checked()
    # The first area has become a box, so that nothing drawn is lost.
    cat, first, couch = drawn(page)
    assert "box" in cat
    assert "box" in first
    region = couch["region"]
    assert isinstance(region, list)
    assert 4 <= len(region) <= 100
    expect(boxes(page).nth(2)).to_have_accessible_name(re.compile("^couch, an area: left"))
    expect(page.locator(".hit").first).to_be_visible()


def test_what_is_no_object_is_said(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery, "/draw", **DESKTOP)
    drag(canvas(page), (0.1, 0.1), (0.5, 0.5))
    expect(page.get_by_text("Choose an object first.")).to_be_visible()
    choose(page, "unicorn")
    page.get_by_role("button", name="Place it").click()
    expect(page.get_by_text("The gallery knows no object “unicorn”")).to_be_visible()
    expect(boxes(page)).to_have_count(0)


def test_the_most_usual_objects_are_one_press_away(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/draw", **PHONE)
    quick = page.get_by_role("group", name="Objects that most photos show")
    quick.get_by_role("button", name="cat").tap()
    expect(quick.get_by_role("button", name="cat")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Place it").tap()
    assert drawn(page)[0]["object"] == "cat"


def test_a_layout_that_cannot_be_read_is_refused_with_a_sentence(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, '/draw?layout=[{"object":"unicorn","box":[0,0,1,1]}]')
    expect(page.get_by_role("alert")).to_contain_text("no object “unicorn”")
    expect(boxes(page)).to_have_count(0)


def test_results_of_a_photo_can_be_edited_as_a_drawing(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    photos = gallery.json("/api/v1/images")["photos"]
    cat = next(photo["id"] for photo in photos if photo["name"] == "chelsea.png")
    page = open_page(gallery, f"/photos/{cat}/similar", **DESKTOP)
    page.get_by_role("link", name="Edit as drawing").click()
    expect(boxes(page).first).to_have_accessible_name(re.compile("^cat: "))


def test_without_javascript_the_page_says_what_to_do(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, f"/draw?layout={CAT_LAYOUT}", java_script_enabled=False)
    expect(canvas(page)).to_have_count(0)
    assert "The canvas needs JavaScript." in page.locator("main").inner_text()
    page.locator("noscript a").last.click()
    expect(page.locator(".hit").first.get_by_role("img").first).to_have_attribute("alt", "A cat")
