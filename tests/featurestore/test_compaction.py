from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import pytest

from featurestore.checking import check_store
from featurestore.compaction import compact, compaction_lock
from featurestore.errors import CompactionRuns
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from featurestore.view import write_view
from tests.featurestore.samples import (
    as_indexed,
    described,
    detections,
    features,
    looks,
    random_detections,
    sample_image,
)

MODEL = "model-1"


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


def fill(store: FeatureStore, image_ids: range) -> None:
    for image_id in image_ids:
        store.append_images([sample_image(image_id)])
        store.append_features(MODEL, features([image_id], [random_detections(image_id)]))
        store.append_edits([Edit(image_id, "name", f'"name {image_id}"', 1.0)])


def assert_holds(store: FeatureStore, image_ids: list[int]) -> None:
    assert store.image_ids().tolist() == image_ids
    assert sorted(facts.image_id for facts in store.image_facts()) == image_ids
    for image_id in image_ids:
        assert store.read_image(image_id) == sample_image(image_id).data
        row = store.index(MODEL).row_of(image_id)
        assert row is not None
        found = store.index(MODEL).detections_of(row)
        assert as_indexed(found) == as_indexed(random_detections(image_id))
        assert store.edits()[image_id, "name"].value == f'"name {image_id}"'


def segments_in(store: FeatureStore, kind: str) -> list[Path]:
    return sorted((store.folder / kind).rglob("*.h5"))


def test_many_small_segments_become_one(store: FeatureStore) -> None:
    fill(store, range(1, 11))
    compact(store)
    assert_holds(store, list(range(1, 11)))
    assert_holds(FeatureStore(store.folder), list(range(1, 11)))
    for kind in ("images", "features", "edits"):
        assert len(segments_in(store, kind)) == 1


def test_a_few_small_segments_are_left_alone(store: FeatureStore) -> None:
    fill(store, range(1, 4))
    before = segments_in(store, "images")
    assert compact(store).merged == 0
    assert segments_in(store, "images") == before


def test_the_bytes_of_a_deleted_image_are_gone_from_the_disk(store: FeatureStore) -> None:
    secret = b"only in the deleted photo " * 10
    store.append_images([sample_image(1, secret), sample_image(2)])
    store.delete([1])
    compact(store)
    assert store.image_ids().tolist() == [2]
    for path in store.folder.rglob("*"):
        assert path.is_dir() or secret[:26] not in path.read_bytes()


def test_a_segment_whose_images_are_all_deleted_is_removed(store: FeatureStore) -> None:
    fill(store, range(1, 3))
    store.delete([1, 2])
    compact(store)
    assert segments_in(store, "images") == segments_in(store, "features") == []


def test_a_deletion_is_remembered_for_ever(store: FeatureStore) -> None:
    fill(store, range(1, 3))
    for image_id in range(1, 12):
        store.delete([image_id])
        compact(store)
    assert len(segments_in(store, "deletions")) < 11
    store.append_images([sample_image(1)])
    assert store.image_ids().tolist() == []


def test_superseded_features_do_not_come_back(store: FeatureStore) -> None:
    old, new = detections((18, 0.9, 0, 0, 9, 9)), detections((17, 0.9, 0, 0, 9, 9))
    store.append_features(MODEL, features([1, 2], [old, old]))
    store.append_features(MODEL, features([1], [new]))
    store.append_features(MODEL, features([3], [old]))
    compact(store, everything=True)
    fresh = FeatureStore(store.folder).index(MODEL)
    assert [int(fresh.detections_of(row)[0, 0]) for row in range(3)] == [17, 18, 18]


def test_what_is_written_meanwhile_stays_newer(store: FeatureStore) -> None:
    fill(store, range(1, 9))
    other = FeatureStore(store.folder)
    groups = other.feature_segments(MODEL)
    new = detections((17, 0.9, 0, 0, 9, 9))
    store.append_features(MODEL, features([1], [new]))
    # The compaction below read its rows before that append.
    other.feature_segments = lambda model_id, without=(): groups  # type: ignore[method-assign]
    compact(other)
    row = store.index(MODEL).row_of(1)
    assert row is not None
    assert store.index(MODEL).detections_of(row)[0, 0] == 17


def test_a_damaged_segment_is_left_as_it_is_and_named(store: FeatureStore) -> None:
    fill(store, range(1, 11))
    damaged = segments_in(store, "images")[3]
    content = bytearray(damaged.read_bytes())
    place = bytes(content).index(sample_image(4).data[:32])
    content[place] ^= 0xFF
    damaged.write_bytes(content)
    report = compact(FeatureStore(store.folder))
    assert report.damaged == [damaged]
    assert damaged.exists()
    assert len(segments_in(store, "images")) == 2


def test_two_compactions_do_not_run_at_once(store: FeatureStore) -> None:
    with compaction_lock(store.folder), pytest.raises(CompactionRuns):
        compact(store)


def test_uploads_and_reads_go_on_meanwhile(store: FeatureStore) -> None:
    fill(store, range(1, 41))
    stop = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        reader = FeatureStore(store.folder)
        while not stop.is_set():
            try:
                for image_id in range(1, 41):
                    assert reader.read_image(image_id) == sample_image(image_id).data
                assert len(reader.index(MODEL)) >= 40
            except BaseException as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for image_id in range(41, 61):
        fill(store, range(image_id, image_id + 1))
        compact(store, everything=True)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_holds(store, list(range(1, 61)))


KILLED_COMPACTION = """
import os, signal, sys
from pathlib import Path
from featurestore import compaction, durable, segments
from featurestore.store import FeatureStore
from featurestore.view import write_view

calls = 0
def counted(function):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **options)
    return call

os.fsync = counted(os.fsync)
Path.rename = counted(Path.rename)
Path.unlink = counted(Path.unlink)
compaction.compact(FeatureStore(Path(sys.argv[1])))
"""


def test_killed_before_any_step_it_loses_and_revives_nothing(store: FeatureStore) -> None:
    fill(store, range(1, 11))
    store.delete([3, 7])
    kept = [image_id for image_id in range(1, 11) if image_id not in (3, 7)]
    for step in range(1, 60):
        copy = store.folder.parent / f"killed-{step}"
        shutil.copytree(store.folder, copy)
        ended = subprocess.run(
            [sys.executable, "-c", KILLED_COMPACTION, str(copy), str(step)], check=False
        ).returncode
        killed = FeatureStore(copy)
        assert_holds(killed, kept)
        compact(killed)
        assert_holds(killed, kept)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert ended == 0
    assert step > 20


def append_until_it_fails(store: FeatureStore) -> None:
    for image_id in range(1, 1000):
        store.append_images([sample_image(image_id, os.urandom(50_000))])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a small file system")
def test_a_full_disk_changes_nothing_and_work_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        store = FeatureStore(folder / "store")
        with pytest.raises(OSError, match="No space left") as failure:
            append_until_it_fails(store)
        stored = len(store.image_ids())
        assert failure.value.errno == errno.ENOSPC
        assert store.image_ids().tolist() == list(range(1, stored + 1))
        with pytest.raises(OSError, match="No space left"):
            compact(store)
        assert FeatureStore(store.folder).image_ids().tolist() == list(range(1, stored + 1))
        assert not list(folder.rglob(".unfinished*"))
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        store.append_images([sample_image(stored + 1)])
        compact(store, everything=True)
        assert len(store.image_ids()) == stored + 1
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def flip(path: Path, what: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[bytes(content).index(what)] ^= 0x02
    path.write_bytes(content)


def test_a_changed_id_takes_no_other_image_away(store: FeatureStore) -> None:
    fill(store, range(1, 11))
    # The id 7 becomes 5, in a segment whose digest then no longer fits.
    flip(segments_in(store, "images")[6], (7).to_bytes(8, "little"))
    compact(FeatureStore(store.folder))
    assert store.read_image(5) == sample_image(5).data


def test_a_damaged_merge_does_not_outlive_its_sources(store: FeatureStore) -> None:
    fill(store, range(1, 11))
    sources = [(path, path.read_bytes()) for path in segments_in(store, "images")]
    compact(store)
    (merged,) = segments_in(store, "images")
    # As a kill before the removal of the sources leaves it, and then the disk damages the merge.
    for path, content in sources:
        path.write_bytes(content)
    flip(merged, sample_image(4).data[:32])
    compact(FeatureStore(store.folder))
    # The sources were merged again, which gives the same name with whole content.
    assert_holds(FeatureStore(store.folder), list(range(1, 11)))


def test_looks_of_an_image_text_model_are_kept_beside_those_of_the_appearance_model(
    store: FeatureStore,
) -> None:
    fill(store, range(1, 41))
    for image_id in range(1, 41):
        store.looks("clip-1").append(described([image_id]))
        store.looks("model-1").append(looks([image_id]))
    store.delete([7])
    compact(store)
    left = store.looks("clip-1").read()
    assert left.image_ids.tolist() == [i for i in range(1, 41) if i != 7]
    assert left.embedding.shape == (39, 8)
    assert left.class_ids.shape == left.class_scores.shape == (39, 0)
    assert (left.embedding[9] == described([11]).embedding[0]).all()
    assert [finding.problem for finding in check_store(store.folder)] == []
    with h5py.File(write_view(store, MODEL)) as view:
        assert view.attrs["look_model_id"] == b"model-1"
