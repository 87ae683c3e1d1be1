"""`make screenshots`: pictures of the running product for the README, into example_imgs/.

Only photos that may be shown are used: Chelsea the cat and the coffee cup (CC0), and pictures of
NASA (public domain), all from scikit-image's wheel, whole and cut out.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from PIL import Image as Pillow
from playwright.sync_api import Browser, Page, sync_playwright

from tests.gallery.guarded_gallery import GuardedGallery
from tests.gallery.served_gallery import ServedGallery
from tests.photos import PACKAGED

TARGET = Path(__file__).resolve().parents[2] / "example_imgs"
# Where to cut, in 0..1 of the sides: left, top, right, bottom.
SHOWN: dict[str, list[tuple[float, float, float, float]]] = {
    "rocket.jpg": [(0, 0, 1, 1), (0.2, 0.1, 0.8, 1)],
    "hubble_deep_field.jpg": [(0, 0, 1, 0.7)],
    "astronaut.png": [(0, 0, 1, 1), (0.1, 0, 0.75, 0.6), (0.6, 0, 1, 0.7)],
    "coffee.png": [(0, 0, 1, 1), (0.25, 0, 0.9, 0.9), (0.1, 0.1, 1, 1)],
    "chelsea.png": [(0, 0, 1, 1), (0.1, 0, 0.8, 1), (0.2, 0.1, 1, 1)],
}
# What duplicates are shown with: the whole photos once more, with half as many pixels a side.
TWICE = ("chelsea.png", "coffee.png")
DRAWN = '[{"object":"cat","box":[0.08,0.08,0.92,0.95]}]'
WINDOWS = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}
# What shows how dark looks.
IN_DARK = ("photos", "photo")
LARGEST_BYTES = 250_000
COMPARED_SECONDS = 120
PASSWORD = "a long passphrase"


def main() -> None:
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("Screenshots want a chromium on the path.")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        playwright = running.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        running.callback(browser.close)
        gallery = ServedGallery(Path(folder) / "open")
        gallery.start()
        running.callback(gallery.stop)
        _show_photos(gallery, _windows(browser, gallery))
        guarded = GuardedGallery(Path(folder) / "guarded")
        guarded.start()
        running.callback(guarded.stop)
        guarded.make_owner("ada", PASSWORD)
        for name, page in _windows(browser, guarded).items():
            _show_people(page, name)


def _windows(browser: Browser, gallery: ServedGallery) -> dict[str, Page]:
    return {
        name: browser.new_page(
            base_url=f"http://127.0.0.1:{gallery.port}",
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="light",
            reduced_motion="reduce",
        )
        for name, size in WINDOWS.items()
    }


def _show_photos(gallery: ServedGallery, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        page.goto("/")
        _keep(page, f"first-visit-{name}")
    _fill(gallery)
    _save_searches(pages["desktop"])
    _await(pages["desktop"], "/groups/", ".group")
    for name, page in pages.items():
        _take(page, name)
    _copy(gallery)
    _await(pages["desktop"], "/duplicates/", "[data-alike-set]")
    for name, page in pages.items():
        page.goto("/duplicates/")
        _keep(page, f"duplicates-{name}")
    _throw_away(gallery)
    for name, page in pages.items():
        page.goto("/trash")
        _keep(page, f"trash-{name}")
        _upload(page, name)


def _show_people(page: Page, window: str) -> None:
    page.goto("/people")
    _keep(page, f"sign-in-{window}")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    _keep(page, f"people-{window}")
    page.goto("/account")
    _keep(page, f"account-{window}")
    page.goto("/nothing-is-here")
    _keep(page, f"error-{window}")


def _fill(gallery: ServedGallery) -> None:
    files = []
    for name, cuts in SHOWN.items():
        photo = Pillow.open(PACKAGED / name).convert("RGB")
        for number, (left, top, right, bottom) in enumerate(cuts, start=1):
            width, height = photo.size
            cut = photo.crop((left * width, top * height, right * width, bottom * height))
            output = io.BytesIO()
            cut.save(output, "JPEG", quality=92)
            files.append((f"{Path(name).stem} {number}.jpg", output.getvalue()))
    _take_in(gallery, files)


def _copy(gallery: ServedGallery) -> None:
    files = []
    for name in TWICE:
        photo = Pillow.open(PACKAGED / name).convert("RGB")
        output = io.BytesIO()
        photo.resize((photo.width // 2, photo.height // 2)).save(output, "JPEG", quality=80)
        files.append((f"{Path(name).stem} small.jpg", output.getvalue()))
    _take_in(gallery, files)


def _take_in(gallery: ServedGallery, files: list[tuple[str, bytes]]) -> None:
    _, results = gallery.upload(*files)
    for result in results:
        gallery.wait_until_ready(result["id"])


def _save_searches(page: Page) -> None:
    for words in ("kitten", "cup on a table", "person -rocket"):
        page.goto(f"/search?q={words}")
        page.locator("summary", has_text="Save this search").click()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved as").wait_for()


def _await(page: Page, path: str, shown: str) -> None:
    """Groups and duplicates come by themselves, once the looks have been made."""
    deadline = time.monotonic() + COMPARED_SECONDS
    page.goto(path)
    while not page.locator(shown).count():
        if time.monotonic() > deadline:
            sys.exit(f"{path} shows nothing in time.")
        page.wait_for_timeout(1000)
        page.reload()


def _take(page: Page, window: str) -> None:
    """Keep each page as it is in a window."""
    page.goto("/")
    _keep(page, f"dashboard-{window}")
    page.goto("/photos/")
    _keep(page, f"photos-{window}")
    page.goto("/search?q=kitten")
    page.get_by_label("Show why on every photo").check()
    _keep(page, f"search-{window}")
    page.goto("/search?q=kitten")
    page.locator("main a[href^='/photos/']").first.click()
    _keep(page, f"photo-{window}")
    page.get_by_role("button", name="Edit boxes").click()
    _keep(page, f"box-editor-{window}")
    page.goto(f"/draw?layout={DRAWN}")
    page.locator("#drawn-results .hit").first.wait_for()
    _keep(page, f"draw-{window}")
    page.goto("/searches/")
    _keep(page, f"searches-{window}")
    page.goto("/groups/")
    _keep(page, f"groups-{window}")
    page.locator(".group a").first.click()
    _keep(page, f"group-{window}")


def _throw_away(gallery: ServedGallery) -> None:
    for photo in gallery.json("/api/v1/images")["photos"][:3]:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{gallery.port}/api/v1/images/{photo['id']}", method="DELETE"
        )
        urllib.request.urlopen(asked, timeout=30).close()


def _upload(page: Page, window: str) -> None:
    """A photo of a name of its own for each window, so that one is new and one is there already."""
    page.goto("/")
    first, again = (PACKAGED / name for name in ("astronaut.png", "chelsea.png"))
    page.locator("main [type=file]").first.set_input_files([first, again])
    page.locator(".answer[data-outcome]:not([data-outcome=queued])").nth(1).wait_for()
    _keep(page, f"upload-{window}")


def _keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    # Boxes fade in.
    page.wait_for_timeout(600)
    _shoot(page, name)
    if name.removesuffix("-desktop").removesuffix("-phone") in IN_DARK:
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        _shoot(page, f"{name}-dark")
        page.emulate_media(color_scheme="light", reduced_motion="reduce")


def _shoot(page: Page, name: str) -> None:
    for quality in (88, 75, 60):
        data = page.screenshot(type="jpeg", quality=quality)
        if len(data) <= LARGEST_BYTES:
            break
    (TARGET / f"{name}.jpg").write_bytes(data)


if __name__ == "__main__":
    main()
