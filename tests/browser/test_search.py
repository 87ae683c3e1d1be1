"""Finding photos by words and by photo, with the reasons on the page."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.dropping import drop
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, MOTORCYCLE_AGAIN

RESULTS = re.compile(r"/search/photo/[\w-]+/$")


def search(page: Page, words: str) -> None:
    box = page.get_by_role("searchbox")
    box.fill(words)
    box.press("Enter")
    page.wait_for_url("**/search?q=*")


def test_kitten_finds_the_cat_first_and_says_why(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    search(page, "kitten")
    first = page.locator(".hit").first
    expect(first.get_by_role("img")).to_have_attribute("alt", "A cat")
    expect(first.locator(".hit-score")).to_contain_text(re.compile(r"^\d+%"))
    expect(first.locator(".reasons")).to_contain_text("“kitten” is close to cat")
    expect(page.locator(".reading")).to_contain_text("“kitten” read as cat")
    expect(page.get_by_role("searchbox")).to_have_value("kitten")


def test_a_hit_shows_the_box_that_answers(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery, "/search?q=kitten")
    boxes = page.locator(".hit").first.locator(".boxes")
    expect(boxes).to_have_css("opacity", "0")
    page.get_by_label("Show why on every photo").check()
    expect(boxes).to_have_css("opacity", "1")
    expect(boxes.locator("text")).to_have_text("cat")


def test_an_unknown_word_is_named(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search(page, "cat, zzyzxqk")
    expect(page.get_by_text("The gallery does not know the word “zzyzxqk”.")).to_be_visible()
    expect(page.locator(".hit").first.get_by_role("img")).to_have_attribute("alt", "A cat")
    search(page, "zzyzxqk")
    expect(page.get_by_role("heading", level=1)).to_have_text("No photo of “zzyzxqk”")
    expect(page.get_by_text("Name what would be in the photo")).to_be_visible()


def test_a_search_that_cannot_be_read_is_refused_with_a_sentence(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    search(page, "?!")
    expect(page.get_by_role("alert")).to_contain_text("There is no word to search for")


def test_a_chosen_photo_finds_those_like_it_and_draws_the_pairs(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    page.locator("summary", has_text="Search by photo").click()
    page.get_by_label("Find photos whose objects lie like").set_input_files(MOTORCYCLE_AGAIN)
    page.wait_for_url(RESULTS)
    first = page.locator(".hit").first
    expect(first.locator(".reasons")).to_contain_text("motorcycle: boxes overlap")

    first.get_by_text("Show matching boxes").click()
    pictures = first.locator(".pair .boxed")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        expect(picture.get_by_role("img")).to_be_visible()
        expect(picture.locator(".box-label text").first).to_have_text("motorcycle")
    colours = [
        picture.locator(".box-line").first.evaluate("box => getComputedStyle(box).stroke")
        for picture in pictures.all()
    ]
    assert colours[0] == colours[1] != "none"


def test_a_photo_dropped_on_the_search_bar_is_searched_with(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    drop(page.get_by_role("search"), CAT)
    page.wait_for_url(RESULTS)
    expect(page.locator(".query-picture .box-label text")).to_have_text("cat")
    expect(page.locator(".hit").first.get_by_role("img")).to_have_attribute("alt", "A cat")


def test_search_by_photo_works_without_javascript(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, java_script_enabled=False)
    page.locator("summary", has_text="Search by photo").click()
    page.locator("#query-photo").set_input_files(COFFEE)
    page.get_by_role("button", name="Search by photo").click()
    page.wait_for_url(RESULTS)
    expect(page.locator(".hit").first.locator(".reasons")).to_contain_text("cup")


def test_find_similar_leaves_out_the_photo_itself(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/photos/")
    page.locator(".thumbnail", has_text=COFFEE.name).get_by_role("link").click()
    page.get_by_role("link", name="Find similar").click()
    expect(page.locator(".query-picture")).to_be_visible()
    assert COFFEE.name not in page.locator("main").inner_text()
