"""Changed bits in copies of every kind of file that the gallery keeps.

Each in a segment, the spool or a thumbnail is found by `check_store`; none makes a page fail.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from featurestore.index_files import write_index
from featurestore.segments import Edit
from gallery import components
from gallery.checking import check_gallery
from gallery.models import Image
from gallery.originals import delete_images, thumbnail_path
from gallery.photo_queries import keep_photo_query
from gallery.tending import tend_store
from gallery.thumbnails import Size
from gallery.uploads import receive_file
from tests.featurestore.damage import flip_bit
from tests.gallery.served_gallery import REPOSITORY, own_environment
from tests.photos import CAT, drawn_png

pytestmark = pytest.mark.django_db

FLIPS_OF_EACH_KIND = 14
# What the check does not promise: see docs/backup-and-repair.md.
DERIVED = {"gallery.h5", "query", "query picture"}


@pytest.fixture
def gallery(packaged_photos: dict[str, int], gallery_data: Path, make_file: Any) -> Path:
    """A gallery with a file of every kind."""
    store = components.store()
    delete_images(Image.objects.filter(pk=packaged_photos["coffee"]))
    store.append_edits([Edit(packaged_photos["chelsea"], "name", '"Mieze.png"', 1.0)])
    Image.objects.filter(pk=packaged_photos["chelsea"]).update(name="Mieze.png")
    receive_file(make_file(drawn_png(1), "waits.png"))
    tend_store(everything=True)
    model_id = components.model_id()
    index_folder = store.folder / "index" / model_id
    index_folder.mkdir(parents=True, exist_ok=True)
    write_index(
        index_folder,
        components.index().merged(),
        frozenset(path.name for path in (store.folder / "features" / model_id).iterdir()),
    )
    thumbnail_path(Image.objects.get(pk=packaged_photos["rocket"]), Size.VIEW)
    keep_photo_query(CAT, "cat.png")
    assert list(check_gallery()) == []
    return gallery_data


def files_by_kind(folder: Path) -> dict[str, list[Path]]:
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            kinds[kind_of(path.relative_to(folder))].append(path)
    return kinds


def kind_of(path: Path) -> str:
    top = path.parts[0]
    if top == "store_dir":
        return path.parts[1]
    if top == "query_dir":
        return "query" if path.suffix == ".json" else "query picture"
    return "thumbnail" if top == "thumbnail_dir" else "spool"


def addresses(folder: Path) -> list[str]:
    token = next((folder / "query_dir").glob("*.json")).stem
    of_photos = [
        f"/photos/{pk}/{part}"
        for pk in Image.objects.values_list("pk", flat=True)
        for part in ("", "grid.jpg", "view.jpg", "original", "similar")
    ]
    return [
        *("/", "/progress", "/photos/", "/search?q=cat", "/search?q=dog,horse&offset=0"),
        *("/api/v1/images", "/api/v1/search?q=cat", "/api/v1/search?q=cat&score=original"),
        *(f"/search/photo/{token}/", f"/search/photo/{token}/query.jpg"),
        *of_photos,
    ]


def failing_pages(client: Client, pages: list[str]) -> list[str]:
    # As a process that starts now: nothing is remembered from before the damage.
    components.store.cache_clear()
    failing = []
    for address in pages:
        response = client.get(address)
        if response.status_code >= 500:
            failing.append(f"{address}: {response.status_code}")
        response.getvalue()
    return failing


def test_every_kind_of_file_is_there(gallery: Path) -> None:
    assert set(files_by_kind(gallery)) == DERIVED | {
        *("images", "features", "deletions", "edits", "index", "spool", "thumbnail"),
        "models.json",
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("images", "features", "deletions", "edits", "index", "spool", "thumbnail"),
        "models.json",
        *sorted(DERIVED),
    ],
)
def test_a_flipped_bit_is_found_and_fails_no_page(gallery: Path, kind: str) -> None:
    client = Client(raise_request_exception=False)
    chance = random.Random(kind)
    pages = addresses(gallery)
    before = {path: path.read_bytes() for path in gallery.rglob("*") if path.is_file()}
    for _ in range(FLIPS_OF_EACH_KIND):
        path = chance.choice(files_by_kind(gallery)[kind])
        place = flip_bit(path, chance)
        # Some of the pages each time, and all of them over the flips.
        asked = [*pages[:10], *chance.sample(pages[10:], 8)]
        assert failing_pages(client, asked) == [], f"byte {place} of {path.name}"
        found = {finding.path for finding in check_gallery()}
        assert kind in DERIVED or path in found, f"byte {place} of {path.name}"
        for known, content in before.items():
            known.write_bytes(content)


def test_a_flipped_bit_of_the_catalogue_is_found_or_changes_nothing(tmp_path: Path) -> None:
    script = Path(__file__).with_name("damage_catalogue.py")
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        (tmp_path / "photos" / f"{seed}.png").write_bytes(drawn_png(seed))
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "photos")],
        cwd=REPOSITORY,
        env=own_environment(tmp_path / "data") | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
