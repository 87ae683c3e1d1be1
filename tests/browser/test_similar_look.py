"""From the same layout to a similar look, by links, by the slider and without JavaScript."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.windows import WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.gallery.test_http_calls import wait_for_looks
from tests.photos import CAT, MOTORCYCLE, MOTORCYCLE_AGAIN


def test_the_slider_leads_from_the_layout_to_the_look(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    # Two views of one thing look alike; the other photos of the shared gallery do not.
    paths = (MOTORCYCLE, MOTORCYCLE_AGAIN, CAT)
    _, results = changing_gallery.upload(*[(path.name, path.read_bytes()) for path in paths])
    for result in results:
        changing_gallery.wait_until_ready(result["id"])
    motorcycle = results[0]["id"]
    wait_for_looks(changing_gallery, motorcycle)
    address = f"/photos/{motorcycle}/similar?weak=1"
    page = open_page(changing_gallery, address, **WINDOWS["phone"])
    layout, look = (
        page.get_by_role("link", name=name, exact=True) for name in ("Same layout", "Similar look")
    )
    expect(layout).to_have_attribute("aria-current", "true")
    look.click()
    expect(look).to_have_attribute("aria-current", "true")
    expect(page.get_by_text("Looks alike").first).to_be_visible()
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("1")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"weight=0\.9&"))
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "90%")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Only photos of").fill("motorcycle")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=motorcycle"))
    assert "weight=0.9" in page.url
