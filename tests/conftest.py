"""Fixtures for all tests: a data folder and a worker of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from gallery import components

FOLDERS = ("STORE_DIR", "SPOOL_DIR", "THUMBNAIL_DIR", "QUERY_DIR")


@pytest.fixture
def gallery_data(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """An empty data folder that the gallery works in for one test."""
    for name in FOLDERS:
        folder = tmp_path / "data" / name.lower()
        folder.mkdir(parents=True)
        setattr(settings, name, folder)
    settings.FILE_UPLOAD_TEMP_DIR = settings.SPOOL_DIR
    # The detector and the word vectors take seconds to load and never change.
    for component in (components.store, components.spool, components.thumbnails):
        component.cache_clear()
    yield tmp_path / "data"
    for component in (components.store, components.spool, components.thumbnails):
        component.cache_clear()


@pytest.fixture
def run_worker(gallery_data: Path) -> Callable[[], None]:
    """Runs all background work that is due, as a worker does, then returns."""

    def run() -> None:
        call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    return run
