from __future__ import annotations

import errno
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import pytest
from django.core.management import CommandError, call_command

from featurestore import backup as store_backup
from gallery import components
from gallery.checking import check_gallery
from gallery.models import Image
from gallery.originals import delete_images, read_original
from gallery.uploads import receive_file
from tests.conftest import empty_data_folder
from tests.featurestore.damage import flip_bit_of
from tests.gallery.served_gallery import REPOSITORY, ServedGallery, own_environment
from tests.photos import CAT, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def back_up(dest: Path) -> None:
    call_command("backup", str(dest), verbosity=0)


def restore(source: Path) -> None:
    call_command("restore", str(source), verbosity=0)


def contents() -> dict[int, tuple[str, str, bytes]]:
    """(name, state, original) of every photo by id."""
    return {
        image.pk: (image.name, image.state, read_original(image)) for image in Image.objects.all()
    }


@contextmanager
def another_gallery(folder: Path) -> Iterator[None]:
    """An empty data folder and an empty catalogue."""
    Image.objects.all().delete()
    with empty_data_folder(folder):
        yield


def test_a_backup_restores_to_the_same_photos(
    packaged_photos: Photos, dest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents()
    back_up(dest)
    assert "6 images backed up" in capsys.readouterr().out
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert contents() == before
        assert list(check_gallery()) == []
        assert len(components.index()) == 6
        with h5py.File(components.store().folder / "gallery.h5") as view:
            assert view["raw_images/image_id"][:].tolist() == sorted(before)
    assert "Checked: all sound." in capsys.readouterr().out


def test_uploads_and_deletions_since_reach_an_incremental_backup(
    packaged_photos: Photos, dest: Path, tmp_path: Path, make_file: Any, run_worker: Any
) -> None:
    back_up(dest)
    receive_file(make_file(drawn_png(1), "new.png"))
    run_worker()
    receive_file(make_file(drawn_png(2), "waits.png"))
    delete_images(Image.objects.filter(pk=packaged_photos["chelsea"]))
    before = contents()
    copied = {path.name for path in dest.rglob("*.h5")}
    back_up(dest)
    # One new segment each of images, features and deletions.
    assert len({path.name for path in dest.rglob("*.h5")} - copied) == 3
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert contents() == before
        assert list(check_gallery()) == []
        added = receive_file(make_file(drawn_png(3), "later.png")).image
        assert added is not None
        assert added.pk > max(before)


def test_a_photo_stored_after_its_row_was_dumped_comes_back_ready_or_waiting(
    gallery_data: Path, dest: Path, tmp_path: Path, make_file: Any, run_worker: Any
) -> None:
    receive_file(make_file(drawn_png(1), "waits.png"))
    row = Image.objects.get()
    run_worker()
    # The row as the backup saw it, before the worker moved its original into the store.
    Image.objects.update(state=row.state, spool_name=row.spool_name)
    back_up(dest)
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        run_worker()
        assert contents() == {row.pk: ("waits.png", "ready", drawn_png(1))}


def test_a_restored_gallery_has_the_photo_whose_row_came_after_the_dump(
    packaged_photos: Photos, dest: Path, tmp_path: Path
) -> None:
    before = contents()
    cat = Image.objects.get(pk=packaged_photos["chelsea"])
    Image.objects.filter(pk=cat.pk).delete()
    back_up(dest)
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert contents() == before


@pytest.mark.parametrize("inside", ["", "store_dir/backup", "anew"])
def test_a_backup_into_the_data_folder_is_refused(gallery_data: Path, inside: str) -> None:
    with pytest.raises(CommandError, match="inside the data folder"):
        back_up(gallery_data / inside)


def test_a_folder_with_other_files_is_refused_and_left_alone(
    packaged_photos: Photos, dest: Path
) -> None:
    dest.mkdir()
    (dest / "thesis.pdf").write_bytes(b"")
    with pytest.raises(CommandError, match="not empty and holds no backup"):
        back_up(dest)
    assert [path.name for path in dest.iterdir()] == ["thesis.pdf"]


def test_a_restoration_needs_an_empty_gallery(packaged_photos: Photos, dest: Path) -> None:
    back_up(dest)
    with pytest.raises(CommandError, match="only an empty GALLERY_DATA"):
        restore(dest)


def test_a_restoration_needs_a_backup(gallery_data: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no backup"):
        restore(tmp_path)


def test_a_full_disk_is_told_and_leaves_the_backup_before(
    packaged_photos: Photos, dest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents()
    back_up(dest)
    components.store().delete([packaged_photos["coffee"]])

    def full(source: Path, target: Path) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store_backup, "copy_durably", full)
        with pytest.raises(CommandError, match=r"No space left.*still whole"):
            back_up(dest)
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert contents() == before


def test_too_little_room_is_told_beforehand(
    packaged_photos: Photos, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.backups.free_bytes", lambda folder: 1000)
    with pytest.raises(CommandError, match=r"it needs \d+ MB, and its disk has 0 MB left"):
        back_up(dest)


def test_a_damaged_segment_is_named_and_the_rest_backed_up(
    packaged_photos: Photos, dest: Path
) -> None:
    path = next(components.store().folder.glob("images/*.h5"))
    flip_bit_of(path, CAT.read_bytes())
    with pytest.raises(CommandError, match=path.name):
        back_up(dest)
    assert len(list(dest.glob("store/features/*/*.h5"))) == 1


def test_damage_in_the_backup_is_named_and_the_rest_restored(
    packaged_photos: Photos, dest: Path, tmp_path: Path
) -> None:
    before = contents()
    back_up(dest)
    path = next(dest.glob("store/images/*.h5"))
    flip_bit_of(path, CAT.read_bytes())
    with another_gallery(tmp_path / "restored"):
        with pytest.raises(CommandError, match=f"Damaged in the backup: .*{path.name}"):
            restore(dest)
        call_command("check_store", "--repair", verbosity=0)
        cat = packaged_photos["chelsea"]
        after = {image.pk: read_original(image) for image in Image.objects.ready()}
        assert after == {pk: data for pk, (_, _, data) in before.items() if pk != cat}


def test_a_backup_without_its_catalogue_restores_from_the_segments(
    packaged_photos: Photos, dest: Path, tmp_path: Path
) -> None:
    before = contents()
    back_up(dest)
    (catalogue,) = dest.glob("catalogue-*.jsonl")
    catalogue.write_text("damaged")
    with another_gallery(tmp_path / "restored"):
        with pytest.raises(CommandError, match=r"Damaged in the backup: catalogue\.jsonl"):
            restore(dest)
        assert contents() == before


def manage(data: Path, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments, "--verbosity", "0"]
    ended = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=own_environment(data),
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_backup_and_restoration_are_repeated_after_a_kill_at_any_step(tmp_path: Path) -> None:
    # Forked from one process, because each start of Django takes a second.
    script = Path(__file__).with_name("kill_backups.py")
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        (tmp_path / "photos" / f"{seed}.png").write_bytes(drawn_png(seed))
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=REPOSITORY,
        env=own_environment(tmp_path / "data") | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("Checked: all sound.") == 3


def test_a_backup_of_a_running_gallery_is_consistent(tmp_path: Path) -> None:
    gallery = ServedGallery(tmp_path / "data")
    gallery.start()
    try:
        stop = threading.Event()

        def upload() -> None:
            seed = 0
            while not stop.is_set():
                gallery.upload((f"{seed}.png", drawn_png(seed)))
                seed += 1

        uploading = threading.Thread(target=upload)
        uploading.start()
        for _ in range(2):
            manage(tmp_path / "data", "backup", str(tmp_path / "backup"))
        stop.set()
        uploading.join()
    finally:
        gallery.stop()
    output = manage(tmp_path / "restored", "restore", str(tmp_path / "backup"))
    assert "Checked: all sound." in output
