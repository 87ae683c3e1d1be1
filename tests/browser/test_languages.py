"""The gallery in French, as people see it, and in a writing that goes from right to left."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.windows import DESKTOP, PHONE
from tests.gallery.served_gallery import ServedGallery

# Words that English sentences can hardly do without, and French ones never have.
ENGLISH = re.compile(r"\b(?:the|this|these|and|with|your|of|to|photo's|it|is|are|search)\b", re.I)
# What was typed, and examples of what can be.
QUOTED = re.compile("«[^»]*»|: [a-z].*")
# What people read: not what they are to type, nor names.
READ = """() => {
  const texts = [];
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (all.nextNode()) {
    const element = all.currentNode.parentElement;
    const own = "script, template, code, kbd, dt a, .credits, .chip-text, datalist";
    if (element.closest(own) || element.closest("[lang]") !== document.documentElement) continue;
    if (element.checkVisibility()) texts.push(all.currentNode.data.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [alt], [placeholder]")) {
    for (const name of ["aria-label", "title", "alt", "placeholder"]) {
      texts.push(element.getAttribute(name) ?? "");
    }
  }
  return texts.filter(Boolean);
}"""
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# How wide what may be typed is, and the room that it has.
PLACEHOLDER = """() => {
  const field = document.querySelector(".text-search input");
  const { font, paddingInlineStart, paddingInlineEnd } = getComputedStyle(field);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.font = font;
  const room = field.clientWidth - parseFloat(paddingInlineStart) - parseFloat(paddingInlineEnd);
  return [canvas.measureText(field.placeholder).width, room];
}"""
MIRRORED = "document.documentElement.dir = 'rtl'"


@pytest.fixture(scope="module")
def paths(gallery: ServedGallery) -> list[str]:
    photos = {photo["name"]: photo["id"] for photo in gallery.json("/api/v1/images")["photos"]}
    cat = photos["chelsea.png"]
    return [
        "/",
        "/photos/",
        f"/photos/{cat}/",
        f"/photos/{cat}/delete",
        f"/photos/{cat}/similar",
        "/search?q=cat+and+cup",
        "/search?q=puppy+on+couch,+vehicle+after:2020",
        "/search?q=chat",
        "/search?q=(",
        "/draw",
        "/searches/",
        "/groups/",
        "/duplicates/",
        "/trash",
        "/login",
        "/nothing-is-here",
    ]


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pages_are_french_and_fit_in_both_directions(
    gallery: ServedGallery, open_page: OpenPage, paths: list[str], window: dict[str, object]
) -> None:
    page = open_page(gallery, locale="fr-FR", **window)
    for path in paths:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "fr", path
        english = [text for text in page.evaluate(READ) if ENGLISH.search(QUOTED.sub("", text))]
        assert english == [], path
        whole, seen = page.evaluate(WIDTHS)
        assert whole <= seen, path
        example, room = page.evaluate(PLACEHOLDER)
        assert example <= room, path
        page.evaluate(MIRRORED)
        whole, seen = page.evaluate(WIDTHS)
        assert whole <= seen, f"{path} from right to left"


def test_a_visitor_chooses_the_language_and_scripts_follow(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, **DESKTOP)
    page.get_by_role("button", name="Français").click()
    page.get_by_role("heading", level=1, name=re.compile("photos")).wait_for()
    assert page.locator("html").get_attribute("lang") == "fr"
    page.get_by_role("combobox", name="Chercher par ce que montrent les photos").fill("chats")
    page.get_by_role("option", name=re.compile("cat")).first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="1 photo pour « chats »").wait_for()
    assert page.locator(".hit img").first.get_attribute("alt") == "Un chat"
    page.goto("/draw")
    page.locator("#object").fill("téléphone portable")
    page.get_by_role("button", name="Placer").click()
    page.get_by_role(
        "button", name=re.compile("^téléphone portable : gauche|^téléphone")
    ).wait_for()
    assert "cell%20phone" in page.url or "cell phone" in page.url
    page.goto("/photos/")
    page.locator(".thumbnail").first.hover()
    page.locator(".thumbnail .select").first.click()
    page.get_by_text("1 sélectionnée").wait_for()
    page.goto("/")
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", level=1, name=re.compile("photos")).wait_for()
    assert page.locator("html").get_attribute("lang") == "en"
