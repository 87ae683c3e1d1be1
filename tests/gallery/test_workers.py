from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.gallery import worker_settings
from tests.gallery.working_processes import WorkingGallery, working_gallery

START_SECONDS = 60.0
PHOTOS = 160
STATES = "SELECT state, count(*) FROM gallery_image GROUP BY state"
HELD = "SELECT count(*) FROM gallery_image WHERE state = 'received' AND tries > 0"
TRIED_TWICE = "SELECT count(*) FROM gallery_image WHERE tries > 1"
STARTED = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'SUCCESSFUL'"


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[WorkingGallery]:
    with working_gallery(tmp_path) as gallery:
        yield gallery


def wait_until(happens: Callable[[], bool], seconds: float = START_SECONDS) -> float:
    """How long it took, in seconds."""
    started = time.monotonic()
    while not happens():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - started


def gallery_ids(gallery: WorkingGallery) -> list[int]:
    return [pk for (pk,) in gallery.query("SELECT id FROM gallery_image ORDER BY id")]


def is_all_ready(gallery: WorkingGallery) -> bool:
    return gallery.query(STATES) == [("ready", PHOTOS)]


def test_several_workers_share_the_photos_and_store_each_once(gallery: WorkingGallery) -> None:
    for _ in range(3):
        gallery.start_worker()
    # Each plans its first tasks as it starts, which one of them runs.
    wait_until(lambda: gallery.query(STARTED)[0][0] >= 2)
    gallery.receive(PHOTOS)
    wait_until(lambda: is_all_ready(gallery))
    assert gallery.stored_ids() == gallery_ids(gallery)
    assert gallery.query(TRIED_TWICE) == [(0,)]


def test_a_killed_workers_batches_are_taken_over_when_its_lease_ends(
    gallery: WorkingGallery,
) -> None:
    gallery.receive(PHOTOS)
    victim = gallery.start_worker()
    wait_until(lambda: gallery.query(HELD)[0][0] > 0)
    victim.kill()
    victim.wait()
    [(held,)] = gallery.query(HELD)
    assert held > 0, "the worker was killed too late"
    gallery.start_worker()
    wait_until(lambda: is_all_ready(gallery))
    [(taken_over,)] = gallery.query(TRIED_TWICE)
    assert taken_over == held
    assert gallery.stored_ids() == gallery_ids(gallery)


def test_a_lease_and_the_work_that_follows_it_end_within_a_minute() -> None:
    assert settings.INGEST_LEASE_SECONDS <= 45
    assert worker_settings.INGEST_LEASE_SECONDS < settings.INGEST_LEASE_SECONDS
