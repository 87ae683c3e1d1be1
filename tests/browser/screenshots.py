"""`make screenshots`: pictures of the running product for the README, into example_imgs/.

Only photos that may be shown are used: Chelsea the cat and the coffee cup (CC0), and pictures of
NASA (public domain), all from scikit-image's wheel, whole and cut out.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image as Pillow
from playwright.sync_api import Page, sync_playwright

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
DRAWN = '[{"object":"cat","box":[0.08,0.08,0.92,0.95]}]'
WIDTHS = {"desktop": 1280, "phone": 390}


def main() -> None:
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("Screenshots want a chromium on the path.")
    with tempfile.TemporaryDirectory() as folder:
        gallery = ServedGallery(Path(folder))
        gallery.start()
        try:
            _fill(gallery)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
                )
                for name, width in WIDTHS.items():
                    page = browser.new_page(
                        viewport={"width": width, "height": 800}, color_scheme="light"
                    )
                    _take(page, f"http://127.0.0.1:{gallery.port}", name)
                browser.close()
        finally:
            gallery.stop()


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
    _, results = gallery.upload(*files)
    for result in results:
        gallery.wait_until_ready(result["id"])


def _take(page: Page, address: str, width: str) -> None:
    page.goto(f"{address}/")
    _keep(page, f"dashboard-{width}")
    page.goto(f"{address}/search?q=kitten")
    page.get_by_label("Show why on every photo").check()
    _keep(page, f"search-{width}")
    page.goto(f"{address}/draw?layout={DRAWN}")
    page.locator("#drawn-results .hit").first.wait_for()
    _keep(page, f"draw-{width}")
    page.goto(f"{address}/search?q=kitten")
    page.locator("main a[href^='/photos/']").first.click()
    page.wait_for_load_state("networkidle")
    _keep(page, f"photo-{width}")


def _keep(page: Page, name: str) -> None:
    # Boxes fade in.
    page.wait_for_timeout(600)
    page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=88)


if __name__ == "__main__":
    main()
