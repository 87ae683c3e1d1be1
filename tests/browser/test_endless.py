"""More hits come as one scrolls, and going back leads to where one was."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.windows import DESKTOP, WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT

PHOTOS = 110
FIRST_PAGE = 48


@pytest.fixture(scope="module")
def cats(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGallery]:
    """A gallery of more cats than three pages of results hold but one."""
    # Looks that come while one scrolls would change the order.
    served = ServedGallery(tmp_path_factory.mktemp("cats") / "data", LOOK_URL="off:")
    served.start()
    cat = Pillow.open(CAT).convert("RGB")
    files = []
    for number in range(PHOTOS):
        output = io.BytesIO()
        cat.crop((number // 4, number % 9, cat.width, cat.height)).save(output, "JPEG")
        files.append((f"cat {number}.jpg", output.getvalue()))
    _, results = served.upload(*files)
    for result in results:
        served.wait_until_ready(result["id"])
    yield served
    served.stop()


def scroll_down(page: Page) -> None:
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")


@pytest.mark.parametrize("window", WINDOWS)
def test_all_hits_come_as_one_scrolls_each_once(
    cats: ServedGallery, open_page: OpenPage, window: str
) -> None:
    page = open_page(cats, "/search?q=cat", **WINDOWS[window])
    hits = page.locator(".hit")
    expect(page.locator("h1")).to_contain_text(str(PHOTOS))
    scroll_down(page)
    expect(hits).to_have_count(2 * FIRST_PAGE)
    expect(page.get_by_text("48 more photos loaded.")).to_have_count(1)
    scroll_down(page)
    expect(hits).to_have_count(PHOTOS)
    ids = hits.evaluate_all("hits => hits.map((hit) => hit.dataset.photo)")
    assert len(set(ids)) == PHOTOS
    scroll_down(page)
    expect(page.get_by_text("These are all.")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    expect(page.get_by_text(f"1 to {PHOTOS}")).to_have_count(1)


def test_going_back_leads_to_the_same_place(cats: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(cats, "/search?q=cat", **DESKTOP)
    scroll_down(page)
    expect(page.locator(".hit")).to_have_count(2 * FIRST_PAGE)
    hit = page.locator(".hit").nth(70).locator(".hit-picture")
    hit.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    hit.click()
    expect(page.locator(".photo-page")).to_be_visible()
    page.go_back()
    expect(hit).to_be_in_viewport()
    assert page.evaluate("scrollY") == pytest.approx(before, abs=4)


def test_the_focus_stays_where_it_is(cats: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(cats, "/search?q=cat", **DESKTOP)
    page.get_by_role("link", name="Next").focus()
    expect(page.locator(".hit")).to_have_count(2 * FIRST_PAGE)
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    scroll_down(page)
    expect(page.locator(".hit")).to_have_count(PHOTOS)
    expect(page.get_by_text("These are all.")).to_be_focused()


def test_a_search_by_a_drawing_goes_on_as_well(cats: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(cats, '/draw?layout=[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]', **DESKTOP)
    expect(page.locator(".hit")).to_have_count(FIRST_PAGE)
    scroll_down(page)
    expect(page.locator(".hit")).to_have_count(2 * FIRST_PAGE)


def test_going_back_to_a_drawing_leads_to_the_same_place(
    cats: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(cats, '/draw?layout=[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]', **DESKTOP)
    expect(page.locator(".hit")).to_have_count(FIRST_PAGE)
    scroll_down(page)
    expect(page.locator(".hit")).to_have_count(2 * FIRST_PAGE)
    hit = page.locator(".hit").nth(80).locator(".hit-picture")
    hit.click()
    expect(page.locator(".photo-page")).to_be_visible()
    page.go_back()
    expect(hit).to_be_in_viewport()


def test_an_answer_that_fails_to_come_is_told_and_can_be_asked_again(
    cats: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(cats, "/search?q=cat", **DESKTOP)
    page.route("**/search?*offset=48*", lambda route: route.fulfill(status=404, body=""))
    scroll_down(page)
    expect(page.get_by_text("The next photos did not come")).to_have_count(1)
    page.unroute("**/search?*offset=48*")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/search?q=cat&offset=48")
    expect(page.get_by_role("link", name="Previous")).to_be_visible()


def test_without_javascript_links_lead_through_the_pages(
    cats: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(cats, "/search?q=cat", java_script_enabled=False)
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".hits")).to_have_attribute("start", "49")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".hits")).to_have_attribute("start", "1")
