"""What cannot be read is left out, and is back once it can be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from featurestore import segment_folder
from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.segment_folder import SegmentFolder
from featurestore.store import FeatureStore
from tests.featurestore.samples import sample_image


class Disk:
    """Reads files, and fails with an error as long as there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.reads = 0

    def read(self, path: Path) -> str:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return path.read_text()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def folder(tmp_path: Path, disk: Disk) -> SegmentFolder[str]:
    (tmp_path / "a.h5").write_text("content")
    # Quiet for long, so that its listing is trusted.
    os.utime(tmp_path, (0, 0))
    return SegmentFolder(tmp_path, disk.read)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "failing"), OSError(errno.EMFILE, "many"), MemoryError()]
)
def test_trouble_of_the_machine_passes(
    folder: SegmentFolder[str], disk: Disk, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.error = error
    assert folder.read()[1] == {}
    (left_out,) = folder.left_out()
    assert isinstance(left_out, SegmentUnavailable)
    disk.error = None
    monkeypatch.setattr(segment_folder, "RETRY_SECONDS", 0)
    assert folder.read()[1] == {"a.h5": "content"}
    assert folder.left_out() == []


def test_a_failing_disk_is_not_asked_at_each_read(folder: SegmentFolder[str], disk: Disk) -> None:
    disk.error = OSError(errno.EIO, "failing")
    for _ in range(5):
        folder.read()
    assert disk.reads == 1


def test_damage_is_read_once_as_long_as_the_file_is_the_same(
    folder: SegmentFolder[str], disk: Disk
) -> None:
    disk.error = SegmentDamaged(folder.folder / "a.h5", "it has changed")
    for _ in range(5):
        folder.read()
    assert disk.reads == 1
    assert folder.left_out() == [disk.error]


def test_a_damaged_file_that_is_written_over_is_read_again(
    folder: SegmentFolder[str], disk: Disk
) -> None:
    disk.error = SegmentDamaged(folder.folder / "a.h5", "it has changed")
    generation, _ = folder.read()
    disk.error = None
    # In place, which the folder's time does not show.
    (folder.folder / "a.h5").write_text("restored")
    assert folder.read() == (generation + 1, {"a.h5": "restored"})


def test_a_damaged_file_that_is_taken_away_is_forgotten(
    folder: SegmentFolder[str], disk: Disk
) -> None:
    disk.error = SegmentDamaged(folder.folder / "a.h5", "it has changed")
    folder.read()
    (folder.folder / "a.h5").unlink()
    folder.read()
    assert folder.left_out() == []


def test_an_image_is_back_when_its_segment_is_restored(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    store.append_images([sample_image(1)])
    (path,) = (store.folder / "images").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert 1 not in store
    path.write_bytes(whole)
    assert 1 in store
    assert store.read_image(1) == sample_image(1).data


def test_an_original_is_read_again_when_a_segment_is_restored(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    store.append_images([sample_image(1), sample_image(2)])
    (path,) = (store.folder / "images").iterdir()
    whole = path.read_bytes()
    assert store.read_image(2) == sample_image(2).data
    path.write_bytes(whole[:-1000])
    with pytest.raises(SegmentDamaged):
        store.read_image(2)
    path.write_bytes(whole)
    assert store.read_image(2) == sample_image(2).data
