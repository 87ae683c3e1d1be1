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
    box = page.get_by_role("combobox", name="Search by what")
    box.fill(words)
    box.press("Enter")
    page.wait_for_url("**/search?q=*")


def test_kitten_finds_the_cat_first_and_says_why(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    search(page, "kitten")
    first = page.locator(".hit").first
    expect(first.get_by_role("img").first).to_have_attribute("alt", "A cat")
    expect(first.locator(".hit-score")).to_contain_text(re.compile(r"^\d+%"))
    expect(first.locator(".reasons")).to_contain_text(re.compile(r"kitten: cat, \d+% sure"))
    expect(page.locator(".chip")).to_contain_text("read as cat")
    expect(page.get_by_role("combobox", name="Search by what")).to_have_value("kitten")


def test_a_hit_shows_the_box_that_answers(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery, "/search?q=kitten")
    boxes = page.locator(".hit").first.locator(".boxes")
    expect(boxes).to_have_css("opacity", "0")
    page.get_by_label("Show why on every photo").check()
    expect(boxes).to_have_css("opacity", "1")
    expect(boxes.locator("text")).to_have_text(re.compile(r"^cat \d+%$"))


def test_an_unknown_word_is_named(gallery: ServedGallery, open_page: OpenPage) -> None:
    page = open_page(gallery)
    search(page, "cat, zzyzxqk")
    expect(page.get_by_text("The gallery does not know the word “zzyzxqk”.")).to_be_visible()
    expect(page.locator(".hit").first.get_by_role("img").first).to_have_attribute("alt", "A cat")
    search(page, "zzyzxqk")
    expect(page.get_by_role("heading", level=1)).to_have_text("No photo for “zzyzxqk”")
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
    page.get_by_label("Find photos like this one").set_input_files(MOTORCYCLE_AGAIN)
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
    expect(page.locator(".hit").first.get_by_role("img").first).to_have_attribute("alt", "A cat")


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


def test_each_part_is_a_chip_that_can_be_taken_out_and_pinned(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=kitten%2C+cup+after:2020")
    chips = page.get_by_role("list", name="Parts of the search").get_by_role("listitem")
    expect(chips).to_have_count(3)
    page.get_by_role("link", name="Search without “cup”").click()
    expect(page.get_by_role("combobox", name="Search by what")).to_have_value("kitten after:2020")
    page.get_by_role("link", name="only cat").click()
    expect(page.get_by_role("combobox", name="Search by what")).to_have_value('"cat" after:2020')
    expect(page.locator(".hit")).to_have_count(1)


def test_a_misspelt_word_has_its_corrections_as_links(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=motorcicle")
    page.get_by_role("link", name="motorcycle", exact=True).click()
    expect(page.get_by_role("combobox", name="Search by what")).to_have_value("motorcycle")
    expect(page.locator(".hit").first).to_be_visible()


def test_what_breaks_the_language_is_marked_in_what_was_typed(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery)
    search(page, "cat left of (dog")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Brackets have no meaning")
    expect(alert.locator("mark")).to_have_text("Here: (")
    box = page.get_by_role("combobox", name="Search by what")
    expect(box).to_have_value("cat left of (dog")
    expect(box).to_have_accessible_description(re.compile("Brackets have no meaning"))


def test_the_parts_of_a_score_are_a_bar_that_is_as_long_as_the_score(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=cup+and+dining+table")
    first = page.locator(".hit").first
    percent = int(first.locator(".hit-score").inner_text().split("%")[0])
    widths = first.locator(".score-part").evaluate_all(
        "parts => parts.map((part) => part.width.baseVal.valueInSpecifiedUnits)"
    )
    assert len(widths) == 2
    assert abs(sum(widths) - percent) <= 0.6

    first.get_by_text(f"Why {percent}%").click()
    points = first.locator(".parts [class=part-points]").all_inner_texts()
    assert sum(int(words.split("+")[1]) for words in points[:-1]) == percent


def test_a_part_of_the_search_has_one_colour_in_words_and_on_the_photo(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=dining+table+and+cup")
    chip = page.locator(".chip", has_text="cup")
    colour = "one => getComputedStyle(one).getPropertyValue('--box')"
    first = page.locator(".hit").first
    places = [
        chip.locator(".swatch"),
        first.locator(".reasons li", has_text="cup").locator(".swatch"),
        first.locator(".box-label", has_text="cup").first,
    ]
    colours = {place.evaluate(colour) for place in places}
    assert len(colours) == 1
    other = page.locator(".chip", has_text="dining table").locator(".swatch").evaluate(colour)
    assert other not in colours


def test_weaker_matches_are_shown_on_demand_and_hidden_again(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, "/search?q=person+and+cup")
    before = page.locator(".hit").count()
    page.get_by_role("link", name=re.compile("^show (it|them)$")).click()
    expect(page).to_have_url(re.compile("weak=1"))
    assert page.locator(".hit").count() > before
    page.get_by_role("link", name="show only good ones").click()
    assert page.locator(".hit").count() == before


def test_mirror_images_count_where_one_wants_them(
    gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(gallery, '/search?layout=[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]')
    page.get_by_role("link", name="Mirror images too").click()
    expect(page).to_have_url(re.compile("mirror=1"))
    page.get_by_role("link", name="Only as it lies").click()
    assert "mirror" not in page.url
