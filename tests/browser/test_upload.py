"""Uploading: dropped, pasted or chosen anywhere, gone on with after anything, each file answered.

The tests share a gallery and run in their order: the later ones meet the photos of the first.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.dropping import drop, drop_from_desktop, paste
from tests.browser.windows import DESKTOP, PHONE
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, MOTORCYCLE, ROCKET, drawn_photo, drawn_png, encoded


def the_answer(page: Page, name: str, outcome: str) -> str:
    """What the page says of a file, once it has this outcome."""
    row = page.locator(f".answer[data-outcome={outcome}]", has_text=name)
    return row.first.inner_text()


def the_sum(page: Page, words: str) -> None:
    expect(page.locator(".upload-sum")).to_have_text(words, timeout=PATIENCE)


def total(gallery: ServedGallery) -> int:
    count: int = gallery.json("/api/v1/images")["total"]
    return count


@pytest.fixture
def many_photos(tmp_path: Path) -> Path:
    """A folder of 66 photos in two levels, with files that are none."""
    folder = tmp_path / "Holiday 2019"
    (folder / "second day").mkdir(parents=True)
    for seed in range(66):
        place = folder / "second day" if seed % 2 else folder
        (place / f"IMG_{seed:04}.png").write_bytes(drawn_png(5000 + seed))
    (folder / "notes.txt").write_text("Dear diary")
    (folder / ".DS_Store").write_bytes(b"\0")
    return folder


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """A photo of 24 MB, which is sent in three pieces."""
    path = tmp_path / "large.bmp"
    path.write_bytes(encoded(drawn_photo(7000, (3000, 2800)), "BMP"))
    return path


def test_an_empty_gallery_explains_itself(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery)
    expect(page.get_by_label("Choose photos")).to_be_attached()
    expect(page.get_by_text("up to 64 MB each")).to_be_visible()
    expect(page.locator("[data-upload-tray]")).to_be_hidden()


def test_chosen_files_are_answered_one_by_one_and_become_ready_without_a_reload(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery)
    page.evaluate("window.sameWindow = true")
    page.get_by_label("Choose photos").set_input_files([CAT, COFFEE, false_photo])

    the_sum(page, "3 of 3 files, 2 stored, 1 refused")
    assert "Stored" in the_answer(page, CAT.name, "stored")
    assert "Stored" in the_answer(page, COFFEE.name, "stored")
    assert "not a photo" in the_answer(page, false_photo.name, "refused")
    expect(page.locator("[data-upload-news]")).to_contain_text("2 stored")

    recent = page.get_by_role("region", name="Recent photos")
    expect(recent.get_by_role("img", name="A cat", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(recent.locator(".badge")).to_have_count(0)
    assert page.evaluate("window.sameWindow") is True


def test_files_are_dropped_and_pasted_on_any_page_and_a_duplicate_shows_what_it_equals(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery, "/photos/", **DESKTOP)
    drop(page.locator("main"), CAT, MOTORCYCLE, false_photo)
    the_sum(page, "3 of 3 files, 1 stored, 1 already there, 1 refused")
    duplicate = page.locator(".answer[data-outcome=duplicate]")
    expect(duplicate).to_contain_text(f"Already there as {CAT.name}")
    expect(duplicate.locator("img")).not_to_have_js_property("naturalWidth", 0)
    assert "not a photo" in the_answer(page, false_photo.name, "refused")

    page.get_by_role("button", name="Put the list away").click()
    expect(page.locator("[data-upload-tray]")).to_be_hidden()
    paste(page.locator("main"), "image.png", drawn_png(6001))
    the_sum(page, "1 of 1 file, 1 stored")
    assert "Pasted 20" in the_answer(page, "Pasted", "stored")
    page.get_by_role("link", name="Show them among all photos").click()
    expect(page.locator("#photos a").first).to_contain_text("Pasted")
    expect(page.locator("[data-upload-shown-at]")).to_be_hidden()
    # In a field, and on the search bar, files mean what they meant before.
    paste(page.locator("#q"), "image.png", drawn_png(6002))
    the_sum(page, "1 of 1 file, 1 stored")

    drop(page.locator("[data-photo-search]"), CAT)
    expect(page).to_have_url(re.compile("/search/photo/"))
    the_sum(page, "1 of 1 file, 1 stored")
    # What ended well on another page covers nothing of this one.
    files = page.get_by_role("button", name="Files")
    expect(files).to_have_attribute("aria-expanded", "false")
    files.click()
    page.locator(".answer[data-outcome=stored]").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pasted")


def test_a_waiting_photo_shows_its_objects_without_a_reload(
    changing_gallery: ServedGallery, open_page: OpenPage, tmp_path: Path
) -> None:
    same_cat = tmp_path / "same-cat.png"
    same_cat.write_bytes(CAT.read_bytes() + b"\0")
    _, [result] = changing_gallery.upload((same_cat.name, same_cat.read_bytes()))

    page = open_page(changing_gallery, f"/photos/{result['id']}/")
    expect(page.locator(".objects .object-name")).to_have_text(["cat"], timeout=PATIENCE)
    expect(page.get_by_role("link", name="Find similar")).to_be_visible()
    expect(page.locator("#picture .box-label text")).to_contain_text("cat")


def test_without_javascript_a_photo_goes_to_the_trash_after_a_confirmation(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, "/photos/", java_script_enabled=False)
    photos = page.locator(".thumbnail")
    expect(photos.first).to_be_visible()
    before = photos.count()

    photos.first.get_by_role("link").click()
    address = page.url
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Keep it").click()
    expect(page).to_have_url(address)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Move to the trash").click()

    expect(page.get_by_role("status").filter(has_text="moved to the trash")).to_be_visible()
    expect(photos).to_have_count(before - 1)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_contain_text("There is no photo")


KEPT = """() => new Promise((resolve) => {
  indexedDB.open("gallery-uploads-anybody").onsuccess = ({ target }) => {
    target.result.transaction("items").objectStore("items").getAll().onsuccess = (event) => {
      const items = event.target.result;
      target.result.close();
      resolve(items.every((item) => item.kept || item.sentence));
    };
  };
})"""


def wait_until_kept(page: Page) -> None:
    """Until the browser keeps all files that wait; before, it asks whether to leave the page."""
    deadline = time.monotonic() + 20
    while not page.evaluate(KEPT):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def test_a_folder_with_hundreds_of_files_goes_on_through_other_pages(
    changing_gallery: ServedGallery, open_page: OpenPage, many_photos: Path
) -> None:
    before = total(changing_gallery)
    page = open_page(changing_gallery, "/photos/", **DESKTOP)
    drop_from_desktop(page, many_photos)
    expect(page.locator(".upload-sum")).to_contain_text("of 66 files")
    expect(page.locator("[data-upload-skipped]")).to_have_text(
        "2 files of the folder are no photos and were left out."
    )
    assert page.locator(".answer").count() <= 60
    expect(page.get_by_role("button", name="Show more of 6 files")).to_be_attached()
    wait_until_kept(page)
    page.goto("/draw")
    expect(page.locator(".upload-sum")).to_contain_text("of 66 files", timeout=2000)
    other = page.context.new_page()
    other.goto("/photos/")
    expect(other.locator(".upload-sum")).to_contain_text("of 66 files")
    page.goto("/")
    the_sum(page, "66 of 66 files, 66 stored")
    the_sum(other, "66 of 66 files, 66 stored")
    # One tab at a time: nothing came twice.
    assert total(changing_gallery) == before + 66

    page.get_by_role("button", name="Put the list away").click()
    expect(other.locator("[data-upload-tray]")).to_be_hidden()
    other.close()
    page.locator("#upload-folder").set_input_files(many_photos)
    the_sum(page, "66 of 66 files, 66 already there")


# Whoever holds this lock is the one page that sends.
HOLD_BACK = """async () => {
  await new Promise((held) => {
    navigator.locks.request("gallery-uploads-anybody", () => new Promise(held));
  });
}"""
# What a page does that is closed before others hear of it.
END_UNHEARD = """() => new Promise((done) => {
  indexedDB.open("gallery-uploads-anybody").onsuccess = ({ target }) => {
    const transaction = target.result.transaction(["items", "files"], "readwrite");
    const items = transaction.objectStore("items");
    items.getAll().onsuccess = (event) => {
      const item = event.target.result.find(({ name }) => name === "unheard.png");
      items.put({ ...item, outcome: "stored", url: "/photos/1/", sentence: "Stored." });
      transaction.objectStore("files").delete(item.id);
    };
    transaction.oncomplete = () => done(target.result.close());
  };
})"""


def test_a_page_that_takes_over_knows_what_the_one_before_did_last(
    changing_gallery: ServedGallery, open_page: OpenPage, tmp_path: Path
) -> None:
    before = total(changing_gallery)
    paths = [tmp_path / name for name in ("unheard.png", "heard.png")]
    for seed, path in enumerate(paths, start=6001):
        path.write_bytes(drawn_png(seed))
    page = open_page(changing_gallery, "/photos/", **DESKTOP)
    page.evaluate(HOLD_BACK)
    drop_from_desktop(page, *paths)
    expect(page.locator(".upload-sum")).to_contain_text("of 2 files")
    wait_until_kept(page)
    other = page.context.new_page()
    other.goto("/photos/")
    expect(other.locator(".upload-sum")).to_contain_text("of 2 files")
    page.evaluate(END_UNHEARD)
    page.close()
    the_sum(other, "2 of 2 files, 2 stored")
    assert total(changing_gallery) == before + 1


class Line:
    """What a page's bytes go over."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self.set(offline=False)

    def set(self, *, offline: bool, bytes_a_second: int = -1) -> None:
        throughput = {"downloadThroughput": -1, "uploadThroughput": bytes_a_second}
        facts = {"offline": offline, "latency": 0, **throughput}
        self._session.send("Network.emulateNetworkConditions", facts)


def the_first_piece_is_there(gallery: ServedGallery) -> bool:
    records = (gallery.data / "unfinished").glob("*/*.json")
    return any('"offset": 8388608' in record.read_text() for record in records)


def test_an_upload_survives_a_cut_connection_a_pause_and_a_reload(
    changing_gallery: ServedGallery, open_page: OpenPage, large_photo: Path
) -> None:
    before = total(changing_gallery)
    page = open_page(changing_gallery, "/photos/", **DESKTOP)
    line = Line(page)
    line.set(offline=False, bytes_a_second=8_000_000)
    drop_from_desktop(page, large_photo)
    deadline = time.monotonic() + 20
    while not the_first_piece_is_there(changing_gallery):
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    line.set(offline=True)
    expect(page.locator("[data-upload-trouble]")).to_contain_text("No connection to the gallery")
    line.set(offline=False, bytes_a_second=4_000_000)
    expect(page.locator("[data-upload-trouble]")).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-upload-pace]")).to_have_text("Paused")
    page.reload()
    expect(page.locator("[data-upload-pace]")).to_have_text("Paused")
    requests: list[str] = []
    page.on("request", lambda sent: requests.append(sent.method))
    page.get_by_role("button", name="Go on").click()
    the_sum(page, "1 of 1 file, 1 stored")
    # What was there already was not sent again.
    assert "HEAD" in requests
    assert "POST" not in requests
    assert total(changing_gallery) == before + 1
    [photo] = changing_gallery.json("/api/v1/images?limit=1")["photos"]
    sent = changing_gallery.get(f"/photos/{photo['id']}/original")
    assert sent == large_photo.read_bytes()


def test_everything_is_done_by_keyboard_on_a_phone(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery, "/photos/", **PHONE)
    drop(page.locator("main"), ROCKET, false_photo)
    the_sum(page, "2 of 2 files, 1 stored, 1 refused")
    tray = page.get_by_role("complementary", name="Uploads")
    box = tray.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    for button in tray.get_by_role("button").all():
        if button.is_visible() and (side := button.bounding_box()):
            assert min(side["width"], side["height"]) >= 40
    files = tray.get_by_role("button", name="Files")
    files.focus()
    page.keyboard.press("Enter")
    expect(files).to_have_attribute("aria-expanded", "true")
    remove = tray.get_by_role("button", name=f"Take {false_photo.name} off the list")
    remove.focus()
    page.keyboard.press("Enter")
    the_sum(page, "1 of 1 file, 1 stored")
    expect(tray.get_by_role("button", name=f"Take {ROCKET.name} off the list")).to_be_focused()
    tray.get_by_role("button", name="Put the list away").press("Enter")
    expect(tray).to_be_hidden()
    expect(page.locator("main")).to_be_focused()


def test_the_form_works_without_javascript(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery, java_script_enabled=False)
    page.get_by_label("Choose photos").set_input_files([ROCKET, false_photo])
    page.get_by_role("button", name="Upload").click()

    assert "Already there" in the_answer(page, ROCKET.name, "duplicate")
    assert "not a photo" in the_answer(page, false_photo.name, "refused")
