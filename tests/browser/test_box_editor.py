"""Boxes that people correct on a photo's page, by mouse, keys and fingers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.pointing import drag, drag_by_finger
from tests.browser.windows import DESKTOP, PHONE
from tests.gallery.served_gallery import ServedGallery
from tests.photos import COFFEE, drawn_png

DETECTED = ["cup", "dining table"]
REVERT = """async ([address, token]) => {
  const headers = { "X-CSRFToken": token, "If-Match": "*" };
  return (await fetch(address, { method: "DELETE", headers })).status;
}"""
# Several at once, as several people would send them; what each is answered.
SAVE_AT_ONCE = """async ([address, token]) => {
  const version = (await (await fetch(address)).json()).version;
  const save = (left) => fetch(address, {
    method: "PUT",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token, "If-Match": version },
    body: JSON.stringify({ objects: [{ class_id: 17, box: [left, 0.1, left + 0.3, 0.5] }] }),
  });
  const answers = await Promise.all([0.1, 0.2, 0.3, 0.4, 0.5].map(save));
  return answers.map((answer) => answer.status).sort();
}"""


@pytest.fixture(scope="module")
def address(changing_gallery: ServedGallery) -> str:
    """Of a photo of a cup on a table."""
    _, results = changing_gallery.upload((COFFEE.name, COFFEE.read_bytes()))
    changing_gallery.wait_until_ready(results[0]["id"])
    return f"/photos/{results[0]['id']}/"


@pytest.fixture
def coffee(changing_gallery: ServedGallery, address: str, open_page: OpenPage) -> str:
    """The same, with its objects as they were detected."""
    page = open_page(changing_gallery, address)
    assert page.evaluate(REVERT, asking(page)) == 200
    return address


def asking(page: Page) -> list[str | None]:
    """The API's address of a photo's objects, and the token to change them."""
    button = page.locator("[data-edit-boxes]")
    return [button.get_attribute("data-address"), button.get_attribute("data-token")]


def begin(page: Page) -> None:
    page.get_by_role("button", name="Edit boxes").click()
    expect(canvas(page)).to_be_focused()


def canvas(page: Page) -> Locator:
    return page.get_by_role("application", name="Boxes of this photo")


def box(page: Page, name: str) -> Locator:
    return canvas(page).get_by_role("button", name=re.compile(f"^{name}"))


def field(page: Page) -> Locator:
    return page.get_by_label("Object", exact=True)


def names(page: Page) -> Locator:
    return page.locator("#photo-objects .object-name")


def colours(boxes: Locator) -> list[str]:
    """The classes of colours that boxes have, each once."""
    found: list[str] = boxes.locator("g.box:not(.box-label)").evaluate_all(
        "boxes => [...new Set(boxes.map((box) => box.getAttribute('class').match(/box-\\d/)[0]))]"
    )
    return found


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Searches count the boxes as they are now.")).to_be_visible()
    expect(canvas(page)).to_have_count(0)


def found(page: Page, query: str) -> Locator:
    page.goto(f"/search?q={query}")
    return page.locator(".hit")


def test_by_mouse_a_box_is_drawn_named_saved_and_reverted(
    changing_gallery: ServedGallery, coffee: str, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, coffee, **DESKTOP)
    begin(page)
    expect(page.locator("[data-facts]")).to_have_text("2 boxes")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Cancel").focus()
    # Shift draws a box upon another.
    page.keyboard.down("Shift")
    drag(canvas(page), (0.55, 0.55), (0.6, 0.7), (0.72, 0.85))
    page.keyboard.up("Shift")
    expect(field(page)).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This box has no name yet")
    page.keyboard.type("spoon")
    page.keyboard.press("Enter")
    expect(box(page, "spoon, by a person: left 55%, top 55%, 17% wide, 30% high")).to_be_focused()
    drag(box(page, "spoon"), (0.5, 0.5), (0.7, 0.5))
    expect(box(page, "spoon, by a person: left 5[89]%")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(box(page, "spoon, by a person: left 55%")).to_be_visible()
    box(page, "cup").focus()
    page.get_by_role("button", name="Delete the box").click()
    expect(box(page, "cup")).to_have_count(0)
    save(page)
    expect(names(page)).to_have_text(["spoon", "dining table"])
    expect(page.get_by_text("corrected by a person")).to_be_visible()
    expect(page.locator("#picture .person-mark")).to_have_count(1)
    expect(found(page, "spoon")).to_have_count(1)
    expect(found(page, "cup")).to_have_count(0)
    page.goto(coffee)
    begin(page)
    page.get_by_role("button", name="Revert to detected").click()
    expect(names(page)).to_have_text(DETECTED)
    expect(page.get_by_role("button", name="Edit boxes")).to_be_focused()
    expect(found(page, "cup")).to_have_count(1)


def test_by_keys_alone_boxes_are_corrected_step_by_step(
    changing_gallery: ServedGallery, coffee: str, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, coffee, **DESKTOP)
    press = page.keyboard.press
    begin(page)
    press("Tab")
    expect(box(page, "cup")).to_be_focused()
    before = box(page, "cup").get_attribute("aria-label")
    press("ArrowRight")
    expect(box(page, "cup, by a person")).to_be_focused()
    press("Control+z")
    assert box(page, "cup").get_attribute("aria-label") == before
    press("Control+Shift+z")
    expect(box(page, "cup, by a person")).to_be_focused()
    press("Shift+ArrowDown")
    press("Enter")
    expect(field(page)).to_be_focused()
    page.keyboard.type("unicorn")
    press("Enter")
    assert field(page).evaluate("field => field.validationMessage").startswith("There is no such")
    press("Control+a")
    page.keyboard.type("Bowl")
    press("Enter")
    expect(box(page, "bowl, by a person")).to_be_focused()
    # Both have the same colour elsewhere.
    assert colours(canvas(page)) == ["box-3", "box-4"]
    press("Tab")
    press("Delete")
    expect(canvas(page).get_by_role("button")).to_have_count(1)
    press("n")
    page.keyboard.type("cat")
    press("Control+Enter")
    expect(names(page)).to_have_text(["bowl", "cat"])
    expect(page.get_by_role("button", name="Edit boxes")).to_be_focused()
    expect(page.locator("#picture img")).to_have_attribute("alt", re.compile("(?=.*bowl)(?=.*cat)"))
    # All of it can be taken back, and what the detector found is its own again.
    page.get_by_role("button", name="Undo").click()
    expect(names(page)).to_have_text(DETECTED)
    expect(page.get_by_text("corrected by a person")).to_have_count(0)
    # Leaving changes nothing, and what was done until then can still be saved.
    begin(page)
    press("Tab")
    press("Delete")
    press("Escape")
    press("Escape")
    expect(page.get_by_text("Your changes were left out.")).to_be_visible()
    expect(names(page)).to_have_text(DETECTED)
    page.get_by_role("button", name="Save them").click()
    expect(names(page)).to_have_text(["dining table"])


def test_what_is_not_saved_is_not_lost_by_leaving(
    changing_gallery: ServedGallery, coffee: str, open_page: OpenPage
) -> None:
    _, results = changing_gallery.upload(("drawn.png", drawn_png(1)))
    newer = changing_gallery.wait_until_ready(results[0]["id"])["id"]
    page = open_page(changing_gallery, f"/photos/{newer}/", **DESKTOP)
    page.get_by_role("link", name="Older photo").click()
    page.wait_for_url(f"**{coffee}")
    begin(page)
    page.keyboard.press("n")
    page.evaluate("history.back()")
    expect(page.get_by_role("alert")).to_contain_text("Save your changes, or cancel them")
    expect(page).to_have_url(re.compile(f"{coffee}$"))
    page.get_by_role("button", name="Cancel").click()
    expect(canvas(page)).to_have_count(0)
    page.get_by_role("button", name="Go on with them").click()
    expect(box(page, "not named yet")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(canvas(page).get_by_role("button")).to_have_count(len(DETECTED))
    page.get_by_role("button", name="Cancel").click()
    page.evaluate("history.back()")
    page.wait_for_url(f"**/photos/{newer}/")


def test_by_finger_and_when_somebody_else_was_faster(
    changing_gallery: ServedGallery, coffee: str, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, coffee, **PHONE)
    begin(page)
    box(page, "cup").focus()
    reach = page.locator(".handle-se .handle-reach").bounding_box()
    assert reach is not None
    assert min(reach["width"], reach["height"]) >= 43.9
    drag_by_finger(box(page, "cup"), (0.5, 0.5), (0.6, 0.6))
    expect(box(page, "cup, by a person")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    late = open_page(changing_gallery, coffee, **DESKTOP)
    begin(late)
    late.keyboard.press("Tab")
    late.keyboard.press("Delete")
    save(page)
    late.keyboard.press("Control+Enter")
    expect(late.get_by_role("alert")).to_contain_text("were changed meanwhile")
    # What was done is still there to be seen.
    expect(canvas(late).get_by_role("button")).to_have_count(1)
    assert page.evaluate(SAVE_AT_ONCE, asking(page)) == [200, 409, 409, 409, 409]
