"""Fixtures for the tests of the gallery: files to upload, and photos that can be searched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django_tasks_db.models import DBTaskResult
from pytest_django import DjangoDbBlocker

from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.uploads import receive_file
from tests.conftest import empty_data_folder
from tests.gallery.served_gallery import ServedGallery
from tests.photos import ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET

MakeFile = Callable[[bytes, str], Path]


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Writes bytes to a file of a name; returns its path."""

    def make(data: bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


@pytest.fixture(scope="session")
def ingested_photos(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[Image]]:
    """Six real photos, ingested once for all tests: their data folder and their rows."""
    folder = tmp_path_factory.mktemp("ingested") / "data"
    with django_db_blocker.unblock(), empty_data_folder(folder):
        for path in (ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET):
            receive_file(path)
        ingest_batch(Image.objects.claim_batch())
        rows = list(Image.objects.ready())
        Image.objects.all().delete()
        DBTaskResult.objects.all().delete()
    return folder, rows


@pytest.fixture
def packaged_photos(
    ingested_photos: tuple[Path, list[Image]], gallery_data: Path, db: None
) -> dict[str, int]:
    """A gallery of six real photos, ready to be searched; their ids by file stem."""
    folder, rows = ingested_photos
    shutil.copytree(folder, gallery_data, dirs_exist_ok=True)
    Image.objects.bulk_create(rows)
    return {Path(image.name).stem: image.pk for image in rows}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGallery]:
    """A gallery that runs in processes of its own for all tests that only upload to it."""
    gallery = ServedGallery(tmp_path_factory.mktemp("served") / "data")
    gallery.start()
    yield gallery
    gallery.stop()
