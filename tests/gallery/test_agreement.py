from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django_tasks_db.models import DBTaskResult

from featurestore.segments import Edit
from gallery import components
from gallery.agreement import agree_after_crash
from gallery.checking import check_gallery
from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.originals import thumbnail_path
from gallery.tasks import tend
from gallery.thumbnails import Size
from gallery.uploads import receive_file
from tests.photos import CAT, COFFEE

pytestmark = pytest.mark.django_db

HOUR = 3600.0


def left_behind(path: Path, *, hours_ago: float) -> Path:
    """A file that was last written so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    at = time.time() - hours_ago * HOUR
    os.utime(path, (at, at))
    return path


def test_a_deletion_that_was_cut_off_is_ended(gallery_data: Path) -> None:
    for path in (CAT, COFFEE):
        receive_file(path)
    ingest_batch(Image.objects.claim_batch())
    cat = Image.objects.get(name=CAT.name)
    thumbnail = thumbnail_path(cat, Size.VIEW)
    # The store comes first in a deletion, and here the process was killed after it.
    components.store().delete([cat.pk])
    agree_after_crash()
    assert [image.name for image in Image.objects.all()] == [COFFEE.name]
    assert not thumbnail.exists()


def test_a_photo_that_was_deleted_while_it_waited_leaves_no_spool_file(
    gallery_data: Path,
) -> None:
    image = receive_file(CAT).image
    assert image is not None
    components.store().delete([image.pk])
    agree_after_crash()
    assert not Image.objects.exists()
    assert list(components.spool().folder.iterdir()) == []


@pytest.mark.parametrize("mend", [agree_after_crash, tend.call])
def test_a_rename_that_was_cut_off_is_ended(
    mend: Callable[[], None], packaged_photos: dict[str, int]
) -> None:
    cat, cup = packaged_photos["chelsea"], packaged_photos["coffee"]
    for image_id, name in ((cat, "first"), (cat, "Mieze 🐈.png"), (cup, "Tasse")):
        # The store comes first in a rename, and here the process was killed after it.
        components.store().append_edits([Edit(image_id, "name", json.dumps(name), time.time())])
    Image.objects.filter(pk=cup).update(name="Tasse")
    mend()
    names = dict(Image.objects.values_list("pk", "name"))
    assert (names.pop(cat), names.pop(cup)) == ("Mieze 🐈.png", "Tasse")
    assert sorted(names.values()) == [
        *("astronaut.png", "horse.png", "motorcycle_left.png", "rocket.jpg")
    ]
    assert list(check_gallery()) == []


def test_a_gallery_with_very_many_deletions_behind_it_still_starts(gallery_data: Path) -> None:
    image = receive_file(CAT).image
    assert image is not None
    components.store().delete(range(image.pk + 1, image.pk + 300_000))
    agree_after_crash()
    assert Image.objects.get() == image


def test_old_leftovers_are_swept_and_uploads_under_way_are_not(gallery_data: Path) -> None:
    spool, store = components.spool().folder, components.store().folder
    old = [
        left_behind(spool / "0123-abcd", hours_ago=1.1),
        left_behind(spool / "tmpabc.upload", hours_ago=30),
        left_behind(store / "images" / ".unfinished-01", hours_ago=1.1),
    ]
    young = [
        left_behind(spool / "4567-abcd", hours_ago=0.9),
        left_behind(store / "images" / ".unfinished-02", hours_ago=0.9),
    ]
    agree_after_crash()
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)


def test_a_photo_that_waits_keeps_its_spool_file_however_old(gallery_data: Path) -> None:
    image = receive_file(CAT).image
    assert image is not None
    path = components.spool().path(image.spool_name)
    os.utime(path, (0, 0))
    agree_after_crash()
    assert path.read_bytes() == CAT.read_bytes()


def test_photos_whose_task_was_lost_are_ingested(
    gallery_data: Path, run_worker: Callable[[], None]
) -> None:
    receive_file(CAT)
    DBTaskResult.objects.all().delete()
    run_worker()
    assert not Image.objects.ready().exists()
    agree_after_crash()
    run_worker()
    assert Image.objects.ready().count() == 1


def test_where_all_agrees_nothing_changes(gallery_data: Path) -> None:
    receive_file(CAT)
    ingest_batch(Image.objects.claim_batch())
    before = sorted(path for path in gallery_data.rglob("*") if path.is_file())
    agree_after_crash()
    agree_after_crash()
    assert sorted(path for path in gallery_data.rglob("*") if path.is_file()) == before
    assert Image.objects.ready().count() == 1
