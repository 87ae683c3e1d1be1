from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gallery.errors import GalleryBusy, GalleryRuns
from gallery.models import Image
from gallery.presence import be_alone_in_gallery, work_in_gallery
from tests.gallery.served_gallery import REPOSITORY, ServedGallery, own_environment, running_gallery
from tests.photos import CAT, drawn_png

RUNS = "The gallery is running: stop web, worker and imports first"


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[ServedGallery]:
    """A running gallery of its own."""
    with running_gallery(tmp_path / "data") as gallery:
        yield gallery


def manage(gallery: ServedGallery, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments), "--verbosity", "0"],
        cwd=REPOSITORY,
        env=own_environment(gallery.data),
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_replaces_the_catalogue_refuses_while_the_gallery_runs(
    gallery: ServedGallery, tmp_path: Path
) -> None:
    _, [answer] = gallery.upload(("photo.png", drawn_png()))
    before = gallery.wait_until_ready(answer["id"])
    assert manage(gallery, "backup", tmp_path / "backup").returncode == 0
    for command in (("rebuild_catalogue", "--force"), ("restore", tmp_path / "backup")):
        refused = manage(gallery, *command)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert RUNS in refused.stderr
        assert "Traceback" not in refused.stderr
    assert gallery.json(f"/api/v1/images/{answer['id']}") == before
    gallery.kill_all()
    assert manage(gallery, "rebuild_catalogue", "--force").returncode == 0


def test_a_damaged_catalogue_is_not_repaired_under_a_running_gallery(
    gallery: ServedGallery,
) -> None:
    _, [answer] = gallery.upload(("photo.png", drawn_png()))
    gallery.wait_until_ready(answer["id"])
    # Web and worker have it open still, as they would after a disk failed under them.
    catalogue = gallery.data / "gallery.sqlite3"
    damaged = b"\0" * 1000 + catalogue.read_bytes()[1000:]
    for name in ("gallery.sqlite3", "gallery.sqlite3-wal", "gallery.sqlite3-shm"):
        (gallery.data / name).unlink(missing_ok=True)
    catalogue.write_bytes(damaged)
    refused = manage(gallery, "check_store", "--repair")
    assert refused.returncode == 1
    assert f"The catalogue is lost. {RUNS}" in refused.stderr
    assert catalogue.read_bytes() == damaged
    gallery.kill_all()
    assert manage(gallery, "check_store", "--repair").returncode == 0
    gallery.start()
    assert gallery.json(f"/api/v1/images/{answer['id']}")["name"] == "photo.png"


@pytest.mark.parametrize("command", [["worker"], ["-m", "gunicorn", "gallery.wsgi"]])
def test_a_worker_or_a_web_process_by_itself_counts_as_a_running_gallery(
    command: list[str], tmp_path: Path
) -> None:
    gallery = ServedGallery(tmp_path / "data")
    environment = own_environment(gallery.data) | {"PYTHONUNBUFFERED": "1"}
    if command == ["worker"]:
        arguments = [sys.executable, "manage.py", "worker"]
    else:
        arguments = [sys.executable, *command, "--bind", f"127.0.0.1:{gallery.port}"]
    with subprocess.Popen(arguments, cwd=REPOSITORY, env=environment) as process:
        try:
            lock = gallery.data / "gallery.lock"
            deadline = time.monotonic() + 30
            while not lock.exists():
                assert time.monotonic() < deadline, "it takes no lock"
                time.sleep(0.05)
            assert RUNS in manage(gallery, "rebuild_catalogue").stderr
        finally:
            process.terminate()
    assert manage(gallery, "rebuild_catalogue").returncode == 0


def test_a_gallery_does_not_start_while_its_catalogue_is_made_anew(
    gallery: ServedGallery,
) -> None:
    assert gallery.stop() == 0
    holding = (
        "import django, sys; django.setup(); from gallery.presence import be_alone_in_gallery; "
        "held = be_alone_in_gallery(); print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding],
        cwd=REPOSITORY,
        env=own_environment(gallery.data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        for command in (("serve", "--port", gallery.port), ("ingest", CAT)):
            refused = manage(gallery, *command)
            assert refused.returncode == 1
            assert "The catalogue is being made anew or restored just now" in refused.stderr
        # A killed one holds nobody up.
        holder.kill()
    gallery.start()


def test_many_work_at_once_and_one_is_alone(gallery_data: Path) -> None:
    with work_in_gallery(), work_in_gallery(wait=False), pytest.raises(GalleryRuns):
        be_alone_in_gallery()
    with be_alone_in_gallery():
        with pytest.raises(GalleryRuns):
            be_alone_in_gallery()
        with pytest.raises(GalleryBusy):
            work_in_gallery(wait=False)
    work_in_gallery(wait=False).close()


@pytest.mark.django_db
def test_an_emptied_catalogue_is_filled_again_only_by_one_that_is_alone(
    packaged_photos: dict[str, int],
) -> None:
    Image.objects.all().delete()
    with work_in_gallery(), pytest.raises(CommandError, match="The catalogue is lost"):
        call_command("check_store", "--repair", verbosity=0)
    assert not Image.objects.exists()
    call_command("check_store", "--repair", verbosity=0)
    assert Image.objects.ready().count() == 6
