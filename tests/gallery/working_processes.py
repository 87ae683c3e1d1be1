"""Workers as processes of their own on one gallery, with whichever database the tests have."""

from __future__ import annotations

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings

from featurestore.store import FeatureStore
from tests.gallery.served_gallery import REPOSITORY, own_environment

RECEIVE = """
import sys
import django
django.setup()
from pathlib import Path
from gallery.uploads import receive_file
from tests.photos import drawn_png
path = Path(sys.argv[1])
for seed in range(int(sys.argv[2])):
    path.write_bytes(drawn_png(seed))
    assert receive_file(path).image is not None
"""


class WorkingGallery:
    """A data folder and a database with no process but the workers that are started."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._url = database_url
        self._environment = own_environment(folder / "data") | {
            "DJANGO_SETTINGS_MODULE": "tests.gallery.worker_settings",
            "PYTHONPATH": str(REPOSITORY),
        }
        if database_url:
            self._environment["DATABASE_URL"] = database_url
        self._workers: list[subprocess.Popen[bytes]] = []
        self._run("manage.py", "migrate", "--verbosity", "0")

    def receive(self, count: int) -> None:
        """Upload so many different photos, one after the other."""
        self._run("-c", RECEIVE, str(self._folder / "photo.png"), str(count))

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker, which takes seconds to be ready for work."""
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=REPOSITORY, env=self._environment
        )
        self._workers.append(worker)
        return worker

    def stop(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            worker.kill()
            worker.wait()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a statement gives, beside what the workers do."""
        if self._url:
            with psycopg.connect(self._url) as postgres:
                return postgres.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(self._folder / "data" / "gallery.sqlite3")) as sqlite:
            return sqlite.execute(sql).fetchall()

    def stored_ids(self) -> list[int]:
        """Ids of the images that the store has."""
        ids: list[int] = FeatureStore(self._folder / "data" / "store").image_ids().tolist()
        return ids

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments], cwd=REPOSITORY, env=self._environment, check=True
        )


@contextmanager
def working_gallery(folder: Path) -> Iterator[WorkingGallery]:
    """A gallery of its own for a test: a database beside the tests' where a server has that."""
    with _database() as url:
        gallery = WorkingGallery(folder, url)
        try:
            yield gallery
        finally:
            gallery.stop()


@contextmanager
def _database() -> Iterator[str]:
    """The URL of an empty database of the server; "" where the tests have no server."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        yield ""
        return
    server = os.environ["DATABASE_URL"]
    name = f"workers_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield urlsplit(server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
