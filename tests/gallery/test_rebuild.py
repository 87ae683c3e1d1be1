from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.core.management.color import no_style
from django.db import connection

from featurestore.segments import Edit
from gallery import components, rebuilding
from gallery.checking import check_gallery
from gallery.models import AlikePair, Image
from gallery.originals import delete_images, read_original
from gallery.spool import facts_in
from gallery.stored_rows import raise_next_id
from gallery.uploads import receive_file
from tests.gallery.served_gallery import REPOSITORY, own_environment
from tests.photos import CAT, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def rebuild(*options: str) -> None:
    call_command("rebuild_catalogue", *options, verbosity=0)


def rows() -> list[tuple[object, ...]]:
    return list(
        Image.objects.order_by("pk").values_list(
            *("pk", "sha256", "name", "media_type", "size", "width", "height", "state")
        )
    )


def lose_catalogue() -> None:
    Image.objects.all().delete()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(
            no_style(), [{"table": "gallery_image", "column": "id"}]
        ):
            cursor.execute(statement)


def test_rows_names_times_and_states_come_back(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    components.store().append_edits([Edit(cat, "name", '"Mieze 🐈.png"', 1.0)])
    Image.objects.filter(pk=cat).update(name="Mieze 🐈.png")
    before, times = rows(), dict(Image.objects.values_list("pk", "uploaded_at"))
    lose_catalogue()
    rebuild()
    assert rows() == before
    for pk, time in Image.objects.values_list("pk", "uploaded_at"):
        assert abs(time - times[pk]).total_seconds() < 1e-3
    assert list(check_gallery()) == []


def test_photos_without_features_wait_for_them(packaged_photos: Photos) -> None:
    for path in components.store().folder.glob("features/*/*.h5"):
        path.unlink()
    components.store.cache_clear()
    lose_catalogue()
    rebuild()
    assert Image.objects.received().count() == 6


def test_waiting_photos_come_back_from_the_spool_with_their_names(
    packaged_photos: Photos, make_file: Any, run_worker: Any
) -> None:
    image = receive_file(make_file(drawn_png(1), "Überraschung 100% – 🎉.png")).image
    assert image is not None
    lose_catalogue()
    rebuild()
    (waiting,) = Image.objects.received()
    assert (waiting.name, waiting.sha256) == (image.name, image.sha256)
    assert read_original(waiting) == drawn_png(1)
    run_worker()
    assert Image.objects.ready().count() == 7


def test_a_damaged_spool_file_is_left_out(gallery_data: Path, make_file: Any) -> None:
    image = receive_file(make_file(drawn_png(1), "a.png")).image
    assert image is not None
    path = components.spool().path(image.spool_name)
    path.write_bytes(path.read_bytes()[:-1])
    lose_catalogue()
    rebuild()
    assert not Image.objects.exists()
    assert path.exists()


def test_no_id_is_used_again_not_even_of_a_deleted_photo(
    packaged_photos: Photos, make_file: Any
) -> None:
    newest = receive_file(make_file(drawn_png(1), "a.png")).image
    assert newest is not None
    last_id = newest.pk
    delete_images([newest])
    lose_catalogue()
    rebuild()
    added = receive_file(make_file(drawn_png(2), "b.png")).image
    assert added is not None
    assert added.pk > last_id


def test_the_next_id_is_never_lowered(gallery_data: Path, make_file: Any) -> None:
    first = receive_file(make_file(drawn_png(1), "a.png")).image
    assert first is not None
    raise_next_id(first.pk + 1000)
    raise_next_id(first.pk + 10)
    second = receive_file(make_file(drawn_png(2), "b.png")).image
    assert second is not None
    assert second.pk == first.pk + 1001


def test_a_catalogue_with_rows_is_replaced_only_with_force(packaged_photos: Photos) -> None:
    Image.objects.filter(pk=packaged_photos["chelsea"]).update(name="kept")
    with pytest.raises(CommandError, match="not empty; --force replaces"):
        rebuild()
    assert Image.objects.filter(name="kept").exists()
    rebuild("--force")
    assert Image.objects.get(pk=packaged_photos["chelsea"]).name == "chelsea.png"


def test_a_rebuild_that_fails_brings_no_old_decision_back_later(packaged_photos: Photos) -> None:
    first, second = sorted(packaged_photos.values())[:2]
    pairs = AlikePair.objects.filter(is_kept=True)
    AlikePair.objects.create(first_id=first, second_id=second, kind="scene", is_kept=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "schedule_ingestion", Mock(side_effect=OSError("no room")))
        with pytest.raises(OSError, match="no room"):
            rebuild("--force")
    assert pairs.count() == 1
    rebuild("--force")
    assert pairs.count() == 1
    pairs.update(is_kept=False)
    rebuild("--force")
    assert not pairs.exists()


@pytest.mark.parametrize("name", ["x" * 250 + ".jpg", "猫" * 200 + ".heic", "a" * 5, ".jpg"])
def test_a_name_of_any_length_fits_the_spool_and_keeps_its_suffix(
    gallery_data: Path, name: str
) -> None:
    with CAT.open("rb") as file:
        spool_name = components.spool().keep(file, "0" * 64, name)
    assert len(spool_name.encode()) <= 255
    facts = facts_in(spool_name)
    assert facts is not None
    assert name.startswith(facts[1].removesuffix(Path(name).suffix))
    assert facts[1].endswith(Path(name).suffix)


KILLED = """
import os, signal
import django
django.setup()
from django.core.management import call_command
from gallery import rebuilding

def killed(*args):
    os.kill(os.getpid(), signal.SIGKILL)

rebuilding.schedule_ingestion = killed
call_command("rebuild_catalogue", verbosity=0)
"""


def test_a_rebuild_that_is_killed_changes_nothing_and_is_repeated(tmp_path: Path) -> None:
    environment = own_environment(tmp_path / "data")

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True
        ).stdout

    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(3):
        (photos / f"{seed}.png").write_bytes(drawn_png(seed))
    manage("ingest", str(photos))
    for path in (tmp_path / "data").glob("gallery.sqlite3*"):
        path.unlink()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=REPOSITORY, env=environment, check=False
    )
    assert killed.returncode == -9
    assert manage("rebuild_catalogue").startswith("3 photos from the store")
