"""What holds on every page: it fits a narrow phone, speaks to a screen reader, needs no mouse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.axe import violations
from tests.browser.conftest import OpenPage
from tests.browser.windows import WINDOWS
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, drawn_png

PAGES = {
    "dashboard": "/",
    "grid": "/photos/",
    "photo": "/photos/{cat}/",
    "deletion": "/photos/{cat}/delete",
    "words": "/search?q=kitten+cup,+zzyzxqk",
    "similar": "/photos/{coffee}/similar",
    "part": "/photos/{coffee}/similar?part=0.1,0.1,0.9,0.9",
    "read": "/search?q=puppy+on+couch,+vehicle,+bycicle+after:2020",
    "drawing": '/search?layout=[{{"object":"cat","box":[0.1,0.1,0.9,0.9]}}]&mirror=1',
    "canvas": '/draw?layout=[{{"object":"cat","box":[0.1,0.1,0.9,0.9]}}]',
    "empty canvas": "/draw",
    "misspelt": "/search?q=cat+left+of+(dog",
    "refused": "/search?q=%3F",
    "searches": "/searches/",
    "groups": "/groups/",
    "duplicates": "/duplicates/",
    "same scene": "/duplicates/?kind=scene",
    "trash": "/trash",
    "account": "/account",
    "nothing": "/nothing-is-here",
}
PHONE = {"width": 360, "height": 740}

# Elements that break a rule which every page should keep.
UNSPOKEN = """() => [
  ...[...document.querySelectorAll("img:not([alt]), img[alt='']")]
    .filter((img) => !img.closest(".brand, [hidden]")),
  ...[...document.querySelectorAll("input:not([type=hidden]), select")]
    .filter((input) => !input.labels.length),
  ...[...document.querySelectorAll("a, button, summary")]
    .filter((control) => !control.textContent.trim() && !control.querySelector("img[alt]")),
  ...[...document.querySelectorAll("[id]")]
    .filter((one) => document.querySelectorAll(`#${CSS.escape(one.id)}`).length > 1),
  // Style attributes of the page are refused with a complaint; those of scripts are meant.
  ...document.querySelectorAll("style, script:not([src])"),
].map((element) => element.outerHTML.slice(0, 200))"""

# Texts whose contrast to what lies behind them is below 4.5, or 3 where the type is large.
FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colours = [];
    for (let one = element; one; one = one.parentElement) {
      colours.unshift(getComputedStyle(one).backgroundColor);
    }
    return colours;
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    const over = element.closest("svg, .thumbnail-name, template, .visually-hidden, script");
    if (!texts.currentNode.data.trim() || over || !element.checkVisibility()) continue;
    const background = behind(element);
    const [one, other] = [paint(background), paint([...background, style.color])].map(light);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (contrast < (large ? 3 : 4.5)) faint.push(`${contrast.toFixed(2)} ${element.outerHTML}`);
  }
  return faint;
}"""

FOCUS = """() => {
  const one = document.activeElement;
  const ring = (element) => getComputedStyle(element).outlineStyle !== "none";
  const words = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
  // What is drawn has a line of its own instead.
  const edge = (rect) => getComputedStyle(rect).stroke !== "none";
  const drawn = [...one.querySelectorAll("rect")].some(edge);
  const seen = ring(one) || drawn || (one.parentElement && ring(one.parentElement));
  return { name: words.replace(/\\s+/g, " ").trim(), tag: one.tagName, seen };
}"""


@pytest.fixture(scope="module")
def addresses(gallery: ServedGallery) -> dict[str, str]:
    """The path of every page."""
    photos = gallery.json("/api/v1/images")["photos"]
    by_name = {photo["name"]: photo["id"] for photo in photos}
    ids = {"cat": by_name["chelsea.png"], "coffee": by_name["coffee.png"]}
    return {name: path.format(**ids) for name, path in PAGES.items()}


def tab_stops(page: Page) -> Iterator[dict[str, object]]:
    """What the tab key leads to, once around the page."""
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            return
        yield stop


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_a_narrow_phone(
    gallery: ServedGallery, open_page: OpenPage, addresses: dict[str, str], name: str
) -> None:
    page = open_page(gallery, addresses[name], viewport=PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_a_narrow_phone_has_two_photos_in_a_row(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/", viewport=PHONE)
    tops = "photos => photos.map((photo) => photo.getBoundingClientRect().top)"
    medium = page.locator(".thumbnail").evaluate_all(tops)
    page.get_by_role("link", name="Small pictures").click()
    small = page.locator(".thumbnail").evaluate_all(tops)
    # They are about as wide as 3:2.
    assert [medium.count(medium[0]), small.count(small[0])] == [2, 3]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_and_heard(
    gallery: ServedGallery, open_page: OpenPage, addresses: dict[str, str], scheme: str
) -> None:
    page = open_page(gallery, color_scheme=scheme)
    for path in addresses.values():
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert page.locator("html[lang], main, header, nav").count() >= 4, path
        assert page.title().endswith("Image Gallery"), path
        assert page.evaluate(UNSPOKEN) == [], path
        assert page.evaluate(FAINT) == [], path


@pytest.mark.parametrize("window", WINDOWS)
def test_no_rule_of_accessibility_is_broken(
    gallery: ServedGallery, open_page: OpenPage, addresses: dict[str, str], window: str
) -> None:
    page = open_page(gallery, **WINDOWS[window])
    for name, path in addresses.items():
        page.goto(path)
        if name == "drawing":
            page.locator(".hit").first.wait_for()
        assert violations(page) == [], path


def test_no_rule_is_broken_by_what_opens(
    gallery: ServedGallery, open_page: OpenPage, addresses: dict[str, str]
) -> None:
    page = open_page(gallery, addresses["photo"], **WINDOWS["phone"])
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit boxes").click()
    assert violations(page) == []
    page.goto(addresses["photo"])
    page.locator("[data-part-search]").first.click()
    assert violations(page) == []
    page.goto("/photos/")
    page.locator(".select").first.dispatch_event("click")
    page.get_by_role("toolbar").wait_for()
    assert violations(page) == []
    page.goto("/")
    page.get_by_role("combobox", name="Search by what is in the photos").press_sequentially("c")
    page.get_by_role("option").first.wait_for()
    assert violations(page) == []
    for summary in page.locator("main summary").all():
        summary.click()
    page.locator("summary", has_text="What can I type?").click()
    assert violations(page) == []


def test_no_rule_is_broken_while_there_is_little_to_show(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery, **WINDOWS["desktop"])
    for path in ("/", "/photos/", "/search?q=cat"):
        page.goto(path)
        assert violations(page) == [], path
    _, results = changing_gallery.upload((COFFEE.name, COFFEE.read_bytes()))
    ready = changing_gallery.wait_until_ready(results[0]["id"])["id"]
    # What waits for its objects, what failed, and what has no original any more.
    states = {"received": drawn_png(1), "failed": drawn_png(2), "lost": drawn_png(3)}
    _, results = changing_gallery.upload(*[(f"{at}.png", states[at]) for at in states])
    ids = dict(zip(states, [result["id"] for result in results], strict=True))
    for image_id in ids.values():
        changing_gallery.wait_until_ready(image_id)
    with sqlite3.connect(changing_gallery.data / "gallery.sqlite3", timeout=30) as catalogue:
        catalogue.executemany(
            "UPDATE gallery_image SET state = ?, failure = 'It cannot be read.',"
            " due_at = '2099-01-01 00:00:00' WHERE id = ?",
            list(ids.items()),
        )
    catalogue.close()
    for path in ("/", "/photos/", *(f"/photos/{image_id}/" for image_id in ids.values())):
        page.goto(path)
        assert violations(page) == [], path
    page.goto(f"/photos/{ready}/")
    page.keyboard.press("x")
    page.locator(".toast").wait_for()
    assert violations(page) == []
    saved = page.request.post("/api/v1/searches", data={"query": "q=cup", "name": "Cups"})
    assert saved.ok
    for path in ("/trash", "/searches/", saved.json()["share_url"]):
        page.goto(path)
        assert violations(page) == [], path
    page.goto("/trash")
    page.locator(".trash-photo").first.click()
    assert violations(page) == []
    page.goto("/")
    page.locator("main [type=file]").first.set_input_files([CAT, false_photo])
    page.locator(".answer[data-outcome=refused]").wait_for()
    assert violations(page) == []


def test_the_keyboard_reaches_the_main_controls_and_shows_where_it_is(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    stops = list(tab_stops(page))
    names = [str(stop["name"]) for stop in stops]
    assert names[0] == "Skip to the content"
    for wanted in (
        "Search by what is in the photos",
        "Search",
        "Search by photo",
        "Draw what you look for",
        "What can I type?",
        "Dashboard",
        "Photos",
        "Choose photos or drop them here",
        "All photos",
    ):
        assert wanted in names
    assert [stop for stop in stops if not stop["seen"]] == []


def test_the_skip_link_leads_past_the_header(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_help_shows_what_can_be_typed_and_leads_there(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    page.locator("summary", has_text="What can I type?").focus()
    page.keyboard.press("Enter")
    examples = page.locator(".examples a")
    addresses = examples.evaluate_all("links => links.map((link) => link.href)")
    assert len(addresses) >= 10
    for address in addresses:
        page.goto(address)
        assert page.get_by_role("alert").count() == 0, address
        assert page.get_by_text("not understood").count() == 0, address


def test_the_photo_search_opens_and_closes_by_keyboard(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    page.locator(".photo-search summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "query-photo"
    page.keyboard.press("Escape")
    assert page.locator(".photo-search").get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
