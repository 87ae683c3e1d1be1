"""The first visit: an empty gallery explains itself, and sample photos make it one to try."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.windows import PHONE
from tests.gallery.served_gallery import ServedGallery


def test_sample_photos_become_searchable_and_go_again(
    changing_gallery: ServedGallery, open_page: OpenPage
) -> None:
    page = open_page(changing_gallery, **PHONE)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Your photos, found by what is in them"
    )
    expect(page.get_by_text("The gallery is empty: upload some photos")).to_be_visible()
    command = page.get_by_label("Command that imports a folder")
    expect(command).to_contain_text("manage.py ingest ~/Pictures")
    expect(command).to_contain_text(f"GALLERY_DATA={changing_gallery.data}")

    page.get_by_role("button", name="Try it with six sample photos").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("6 photos")
    # Without a reload.
    expect(page.get_by_text("All of them can be searched.")).to_be_visible(timeout=4 * PATIENCE)
    bars = page.get_by_role("table", name="Most common objects")
    expect(bars.get_by_role("link", name="motorcycle")).to_be_visible()

    # One stop of the Tab key for all pairs, and arrows from one to the other.
    cells = page.locator(".matrix a")
    assert cells.count() >= 2
    cells.first.focus()
    page.keyboard.press("ArrowDown")
    expect(cells.first).not_to_be_focused()
    focused = page.locator(".matrix a:focus")
    expect(page.locator(".chart-together [data-readout]")).to_have_text(
        focused.get_attribute("aria-label") or "", use_inner_text=True
    )
    expect(page.locator(".matrix a[tabindex='0']")).to_have_count(1)

    note = page.locator(".sample-note")
    note.get_by_role("link", name="cat").click()
    expect(page.locator(".hit")).to_have_count(1)
    page.get_by_role("link", name="Dashboard").click()
    note.get_by_text("Whose photos these are").click()
    expect(note.get_by_text("Rachel Michetti")).to_be_visible()
    page.get_by_role("button", name="Remove the sample photos").click()
    expect(page.get_by_role("status").filter(has_text="6 sample photos are gone.")).to_be_visible()
    expect(page.get_by_role("button", name="Try it with six sample photos")).to_be_visible()
