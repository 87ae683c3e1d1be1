"""Fixtures for all tests: a data folder and a worker of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from django_tasks_db.management.commands import db_worker

from gallery import components

FOLDERS = (
    *("STORE_DIR", "SPOOL_DIR", "THUMBNAIL_DIR", "QUERY_DIR", "UNFINISHED_DIR"),
    "LEARNT_DIR",
)


@contextmanager
def empty_data_folder(folder: Path) -> Iterator[Path]:
    """The gallery works in an empty folder as long as this lasts."""
    folders = {name: folder / name.lower() for name in FOLDERS}
    for path in folders.values():
        path.mkdir(parents=True)
    with override_settings(**folders, FILE_UPLOAD_TEMP_DIR=folders["SPOOL_DIR"]):
        _forget_folders()
        yield folder
    _forget_folders()


def _forget_folders() -> None:
    # The detector and the word vectors take seconds to load and never change.
    for component in (components.store, components.spool, components.thumbnails):
        component.cache_clear()


@pytest.fixture
def gallery_data(tmp_path: Path) -> Iterator[Path]:
    """An empty data folder that the gallery works in for one test."""
    with empty_data_folder(tmp_path / "data") as folder:
        yield folder


@pytest.fixture
def run_worker(gallery_data: Path) -> Callable[[], None]:
    """Runs all background work that is due, as a worker does, then returns."""

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            # It would take a server's connection for broken, because a test is one transaction.
            patch.setattr(db_worker, "close_old_connections", lambda: None)
            call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    return run
