"""Uploading on the dashboard: each file is answered, and its photo becomes ready before one's eyes.

The tests share a gallery and run in their order: the later ones meet the photos of the first.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.dropping import drop
from tests.gallery.served_gallery import ServedGallery
from tests.photos import CAT, COFFEE, MOTORCYCLE, ROCKET


def the_answer(page: Page, name: str, outcome: str) -> str:
    """What the page says of a file, once it has this outcome."""
    row = page.locator(f".answer[data-outcome={outcome}]", has_text=name)
    return row.first.inner_text()


def test_an_empty_gallery_explains_itself(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery)
    expect(page.get_by_text("The gallery is empty: upload some photos")).to_be_visible()
    expect(page.get_by_label("Choose photos")).to_be_attached()
    expect(page.get_by_text("up to 64 MB each")).to_be_visible()


def test_chosen_files_are_answered_one_by_one_and_become_ready_without_a_reload(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery)
    page.evaluate("window.sameWindow = true")
    page.get_by_label("Choose photos").set_input_files([CAT, COFFEE, false_photo])

    expect(page.locator(".upload-sum")).to_have_text("3 of 3 files, 2 stored, 1 refused")
    assert "Stored" in the_answer(page, CAT.name, "stored")
    assert "Stored" in the_answer(page, COFFEE.name, "stored")
    assert "not a photo" in the_answer(page, false_photo.name, "refused")

    expect(page.get_by_text("All of them can be searched.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("2 photos")
    recent = page.get_by_role("region", name="Recent photos")
    expect(recent.get_by_role("img", name="A cat", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(recent.locator(".badge")).to_have_count(0)
    assert page.evaluate("window.sameWindow") is True


def test_dropped_files_are_answered_one_by_one(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery)
    drop(page.locator(".drop-zone"), CAT, MOTORCYCLE, false_photo)

    expect(page.locator(".upload-sum")).to_have_text(
        "3 of 3 files, 1 stored, 1 already there, 1 refused"
    )
    assert f"Already there as {CAT.name}" in the_answer(page, CAT.name, "duplicate")
    assert "not a photo" in the_answer(page, false_photo.name, "refused")
    page.locator(".answer[data-outcome=duplicate]").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CAT.name)


def test_the_form_works_without_javascript(
    changing_gallery: ServedGallery, open_page: OpenPage, false_photo: Path
) -> None:
    page = open_page(changing_gallery, java_script_enabled=False)
    page.get_by_label("Choose photos").set_input_files([ROCKET, false_photo])
    page.get_by_role("button", name="Upload").click()

    assert "Stored" in the_answer(page, ROCKET.name, "stored")
    assert "not a photo" in the_answer(page, false_photo.name, "refused")


def test_a_waiting_photo_shows_its_objects_without_a_reload(
    changing_gallery: ServedGallery, open_page: OpenPage, tmp_path: Path
) -> None:
    same_cat = tmp_path / "same-cat.png"
    same_cat.write_bytes(CAT.read_bytes() + b"\0")
    _, [result] = changing_gallery.upload((same_cat.name, same_cat.read_bytes()))

    page = open_page(changing_gallery, f"/photos/{result['id']}/")
    expect(page.locator(".objects .object-name")).to_have_text(["cat"], timeout=PATIENCE)
    expect(page.get_by_role("link", name="Find similar")).to_be_visible()
    expect(page.locator("#picture .box-label text")).to_have_text("cat")


def test_a_photo_is_deleted_after_a_confirmation(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, "/photos/")
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
