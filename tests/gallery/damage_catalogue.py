"""Flips bits of an SQLite catalogue, asks for pages and checks; run as a script.

`test_damage.py` starts it, because tests keep their own catalogue in memory.
"""

from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

import django
import pytest

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from gallery import components  # noqa: E402
from gallery.checking import catalogue_path, check_gallery  # noqa: E402
from gallery.models import Image  # noqa: E402
from tests.featurestore.damage import flip_bit  # noqa: E402

FLIPS = 60
PAGES = ("/", "/progress", "/photos/", "/photos/1/", "/photos/1/grid.jpg", "/photos/1/original")
API = ("/api/v1/images", "/api/v1/images/2", "/api/v1/search?q=cat", "/search?q=cat")


def facts() -> list[tuple[object, ...]]:
    """What the catalogue says of each photo."""
    fields = ("pk", "sha256", "name", "media_type", "size", "width", "height", "state")
    return list(Image.objects.order_by("pk").values_list(*fields))


def main(photos: Path) -> None:
    logging.disable()
    setup_test_environment()
    call_command("ingest", str(photos), verbosity=0)
    path = catalogue_path()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = facts()
    connection.close()
    content = path.read_bytes()
    client = Client(raise_request_exception=False)
    chance = random.Random(7)
    found = 0
    # Half of the flips where the rows are, which are a small part of the file; they end in a
    # preview, which may change without harm.
    rows = content.index(sound[0][1].encode()) if isinstance(sound[0][1], str) else 0
    for flip in range(FLIPS):
        if flip % 2:
            damaged = bytearray(content)
            damaged[rows - 50 + chance.randrange(150)] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
        else:
            flip_bit(path, chance)
        for page in (*PAGES, *API):
            status = client.get(page).status_code
            assert status < 500 or status == 503, f"{page} answers {status}"
        findings = list(check_gallery())
        found += bool(findings)
        if not findings:
            assert facts() == sound
        connection.close()
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        path.write_bytes(content)
        components.store.cache_clear()
    assert found > FLIPS / 6, f"only {found} of {FLIPS} flips changed anything"
    repair(path, content)
    print(f"{found} of {FLIPS} flips found")


def repair(path: Path, content: bytes) -> None:
    """A catalogue that is no database any more is made again."""
    sound = facts()
    connection.close()
    path.write_bytes(b"\0" * 1000 + content[1000:])
    with pytest.raises(CommandError, match="stop the gallery"):
        call_command("rebuild_catalogue", verbosity=0)
    call_command("check_store", "--repair", verbosity=0)
    assert facts() == sound
    assert list(check_gallery()) == []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
