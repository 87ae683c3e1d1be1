from __future__ import annotations

import json
from pathlib import Path

import pytest

from featurestore.backup import (
    BackupFile,
    BackupFolder,
    Manifest,
    quarantined_files,
    read_manifest,
    store_files,
)
from featurestore.errors import BackupRefused
from featurestore.store import FeatureStore
from tests.featurestore.damage import flip_bit_of
from tests.featurestore.samples import features, looks, random_detections, sample_image

MODEL = "model-1"


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    store = FeatureStore(tmp_path / "store")
    store.append_images([sample_image(1), sample_image(2)])
    store.append_features(MODEL, features([1, 2], [random_detections(i) for i in (1, 2)]))
    store.delete([2])
    return store


@pytest.fixture
def target(tmp_path: Path) -> BackupFolder:
    (tmp_path / "backup").mkdir()
    return BackupFolder(tmp_path / "backup")


def copied(store: FeatureStore, target: BackupFolder) -> list[BackupFile]:
    previous = target.previous()
    known = previous.by_path() if previous else {}
    files = [
        target.add(source, path, known.get(path))
        for path, source in store_files(store.folder).items()
    ]
    return [file for file in files if file is not None]


def finish(target: BackupFolder, files: list[BackupFile], keep: list[str] | None = None) -> int:
    return len(target.finish(Manifest("2030-01-01T00:00:00", 1, 1, files), keep or []))


def test_a_backup_is_a_store_of_its_own(store: FeatureStore, target: BackupFolder) -> None:
    store.looks(MODEL).append(looks([1]))
    finish(target, copied(store, target))
    backup = FeatureStore(target.folder / "store")
    assert backup.image_ids().tolist() == [1]
    assert backup.looks(MODEL).image_ids().tolist() == [1]
    assert backup.read_image(1) == sample_image(1).data


def test_indexes_and_the_view_are_not_copied(store: FeatureStore) -> None:
    index = store.folder / "index" / MODEL
    index.mkdir(parents=True, exist_ok=True)
    (index / "x.h5").write_bytes(b"")
    for name in ("look_index", "look_postings"):
        (store.folder / name / MODEL).mkdir(parents=True)
        (store.folder / name / MODEL / "x.h5").write_bytes(b"")
    (store.folder / "gallery.h5").write_bytes(b"")
    kinds = {path.split("/")[1] for path in store_files(store.folder)}
    assert kinds == {"images", "features", "deletions"}


def test_a_second_backup_copies_only_what_is_new(store: FeatureStore, target: BackupFolder) -> None:
    finish(target, copied(store, target))
    before = {path: path.stat().st_mtime_ns for path in (target.folder / "store").rglob("*.h5")}
    store.append_images([sample_image(3)])
    finish(target, copied(store, target))
    after = {path: path.stat().st_mtime_ns for path in (target.folder / "store").rglob("*.h5")}
    assert len(after) == len(before) + 1
    assert {path: after[path] for path in before} == before


def test_segments_that_the_store_no_longer_has_are_removed(
    store: FeatureStore, target: BackupFolder
) -> None:
    finish(target, copied(store, target))
    next((store.folder / "deletions").iterdir()).unlink()
    assert finish(target, copied(store, target)) == 1
    assert list((target.folder / "store" / "deletions").iterdir()) == []


def test_a_segment_in_quarantine_stays_in_the_backup(
    store: FeatureStore, target: BackupFolder
) -> None:
    finish(target, copied(store, target))
    path = next((store.folder / "images").iterdir())
    quarantine = store.folder / "quarantine" / "images" / path.name
    quarantine.parent.mkdir(parents=True)
    path.rename(quarantine)
    assert quarantined_files(store.folder) == [f"store/images/{path.name}"]
    assert finish(target, copied(store, target), quarantined_files(store.folder)) == 0
    assert (target.folder / "store" / "images" / path.name).exists()


def test_a_damaged_segment_is_not_backed_up(store: FeatureStore, target: BackupFolder) -> None:
    path = next((store.folder / "images").iterdir())
    flip_bit_of(path, sample_image(1).data)
    assert len(copied(store, target)) == 2
    assert not (target.folder / "store" / "images" / path.name).exists()


def test_a_copy_that_was_cut_short_is_made_again(store: FeatureStore, target: BackupFolder) -> None:
    copied(store, target)  # And killed before the manifest.
    copy = next((target.folder / "store" / "images").iterdir())
    copy.write_bytes(copy.read_bytes()[:100])
    finish(target, copied(store, target))
    assert FeatureStore(target.folder / "store").image_ids().tolist() == [1]


def test_content_that_changes_does_not_replace_what_the_old_manifest_names(
    target: BackupFolder,
) -> None:
    old = target.add_content("catalogue.jsonl", lambda path: write(path, "old"))
    finish(target, [old])
    new = target.add_content("catalogue.jsonl", lambda path: write(path, "new"))
    assert (target.folder / old.file).read_text() == "old"
    finish(target, [new])
    assert not (target.folder / old.file).exists()
    assert read_manifest(target.folder).files == [new]


def write(path: Path, text: str) -> None:
    path.write_text(text)


def test_a_folder_with_other_things_is_foreign(target: BackupFolder) -> None:
    assert not target.is_foreign()
    finish(target, [])
    assert not target.is_foreign()
    (target.folder / "thesis.pdf").write_bytes(b"")
    assert target.is_foreign()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is no backup"),
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": "other"}', "not that of a backup"),
        ('{"format": "image-gallery-backup", "version": 3}', "newer Image Gallery"),
        ('{"format": "image-gallery-backup", "version": 1}', "is damaged"),
    ],
)
def test_what_is_no_backup_is_refused(
    target: BackupFolder, content: str | None, sentence: str
) -> None:
    if content is not None:
        (target.folder / "backup.json").write_text(content)
    with pytest.raises(BackupRefused, match=sentence):
        read_manifest(target.folder)


def test_a_manifest_cannot_name_files_of_other_folders(target: BackupFolder) -> None:
    finish(target, [BackupFile("store/../../x", "x", "0", 0)])
    with pytest.raises(BackupRefused, match="other folders"):
        read_manifest(target.folder)


def test_the_manifest_says_what_it_is(store: FeatureStore, target: BackupFolder) -> None:
    finish(target, copied(store, target))
    content = json.loads((target.folder / "backup.json").read_text())
    assert (content["format"], content["version"]) == ("image-gallery-backup", 2)
    assert {"path", "file", "sha256", "size"} == set(content["files"][0])
