from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from featurestore.compaction import compact
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from featurestore.view import write_view
from tests.featurestore.samples import features, looks, random_detections, sample_image

MODEL = "model-1"


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


def add(store: FeatureStore, *image_ids: int) -> None:
    """One segment of images and one of their features."""
    store.append_images([sample_image(image_id) for image_id in image_ids])
    found = [random_detections(image_id) for image_id in image_ids]
    store.append_features(MODEL, features(list(image_ids), found))


def read_originals(path: Path) -> dict[int, bytes]:
    """All originals of a view by image id, by plain h5py, each with its SHA-256 checked."""
    with h5py.File(path) as file:
        group = file["raw_images"]
        columns = [group[name][:] for name in ("image_id", "start", "stop", "sha256")]
        originals = {}
        for image_id, start, stop, sha256 in zip(*columns, strict=True):
            original = group["data"][start:stop].tobytes()
            assert hashlib.sha256(original).digest() == sha256.tobytes()
            originals[int(image_id)] = original
        return originals


def assert_features_are_those_of(path: Path, image_ids: list[int]) -> None:
    with h5py.File(path) as file:
        for group in ("ssd_feature_group", "nlp_feature_group"):
            assert file[group]["image_id"][:].tolist() == image_ids
        np.testing.assert_array_equal(
            file["ssd_feature_group/features"][:],
            np.array([random_detections(image_id) for image_id in image_ids]),
        )
        np.testing.assert_array_equal(
            file["nlp_feature_group/features"][:, 0], np.array(image_ids, np.float32)
        )


def test_it_shows_the_looks_of_the_model_that_most_photos_have_them_of(
    store: FeatureStore,
) -> None:
    add(store, 1, 2, 3)
    with h5py.File(write_view(store, MODEL)) as file:
        assert "look_feature_group" not in file
    store.looks("model-a").append(looks([1]))
    for image_id in (3, 2, 1):
        store.looks("model-b").append(looks([image_id]))
    store.delete([2])
    with h5py.File(write_view(store, MODEL)) as file:
        group = file["look_feature_group"]
        assert file.attrs["look_model_id"] == b"model-b"
        assert group["image_id"][:].tolist() == [1, 3]
        expected = looks([1, 3])
        np.testing.assert_array_equal(group["features"][:], expected.embedding)
        np.testing.assert_array_equal(group["class_id"][:], expected.class_ids)
        np.testing.assert_array_equal(group["class_score"][:], expected.class_scores)


def test_an_empty_store_has_an_empty_view(store: FeatureStore) -> None:
    with h5py.File(write_view(store, MODEL)) as file:
        assert file["raw_images/data"].shape == (0,)
        assert file["raw_images/name"].shape == (0,)
        assert file["raw_images/sha256"].shape == (0, 32)
        assert file["ssd_feature_group/features"].shape == (0, 20, 6)
        assert file["nlp_feature_group/features"].shape == (0, 50)


def test_it_shows_all_segments_as_one_file(store: FeatureStore) -> None:
    for image_ids in ([4, 5], [1, 2, 3], [6]):
        add(store, *image_ids)
    path = write_view(store, MODEL)
    assert path == store.folder / "gallery.h5"
    assert read_originals(path) == {n: sample_image(n).data for n in range(1, 7)}
    assert_features_are_those_of(path, [1, 2, 3, 4, 5, 6])


def test_it_shows_the_facts_of_each_image(store: FeatureStore) -> None:
    store.append_images([sample_image(8, name="ö.jpg"), sample_image(7)])
    with h5py.File(write_view(store, MODEL)) as file:
        group = file["raw_images"]
        assert group["image_id"][:].tolist() == [7, 8]
        assert group["name"].asstr()[:].tolist() == ["photo 7.jpg", "ö.jpg"]
        assert group["media_type"].asstr()[:].tolist() == ["image/jpeg"] * 2
        assert group["width"][:].tolist() == [647, 648]
        assert group["height"][:].tolist() == [480, 480]
        assert group["uploaded_at"][:].tolist() == [1_700_000_007, 1_700_000_008]


def test_deleted_images_are_not_in_it(store: FeatureStore) -> None:
    add(store, 1, 2, 3, 4)
    add(store, 5)
    store.delete([2, 3, 5])
    path = write_view(store, MODEL)
    assert read_originals(path) == {n: sample_image(n).data for n in (1, 4)}
    assert_features_are_those_of(path, [1, 4])
    with h5py.File(path) as file:
        assert file["raw_images/data"].shape == (sum(len(sample_image(n).data) for n in (1, 4)),)


def test_the_latest_rows_count(store: FeatureStore) -> None:
    add(store, 1, 2)
    store.append_images([sample_image(2)])  # As after a crash in a compaction.
    store.append_features(MODEL, features([1], [random_detections(9)]))
    path = write_view(store, MODEL)
    assert read_originals(path) == {n: sample_image(n).data for n in (1, 2)}
    with h5py.File(path) as file:
        found = file["ssd_feature_group/features"][:]
    np.testing.assert_array_equal(found, [random_detections(9), random_detections(2)])


def test_features_of_other_models_and_of_unknown_images_are_not_in_it(store: FeatureStore) -> None:
    add(store, 1)
    store.append_features("other", features([1], [random_detections(5)]))
    store.append_features(MODEL, features([99], [random_detections(99)]))
    assert_features_are_those_of(write_view(store, MODEL), [1])


def test_an_image_of_no_bytes_is_in_it(store: FeatureStore) -> None:
    store.append_images([sample_image(1, b""), sample_image(2, b"x"), sample_image(3, b"")])
    assert read_originals(write_view(store, MODEL)) == {1: b"", 2: b"x", 3: b""}


def test_it_shows_edited_names(store: FeatureStore) -> None:
    add(store, 1, 2)
    for name in ("first", "Zweiter 🎉"):
        store.append_edits([Edit(1, "name", json.dumps(name), 1.0), Edit(1, "x", "[1]", 1.0)])
    with h5py.File(write_view(store, MODEL)) as file:
        assert file["raw_images/name"].asstr()[:].tolist() == ["Zweiter 🎉", "photo 2.jpg"]


def test_a_reader_keeps_the_view_that_it_opened(store: FeatureStore) -> None:
    add(store, 1)
    with h5py.File(write_view(store, MODEL)) as old:
        add(store, 2)
        write_view(store, MODEL)
        assert old["raw_images/data"][:].tobytes() == sample_image(1).data
    assert sorted(read_originals(store.folder / "gallery.h5")) == [1, 2]


def test_the_folder_can_be_moved(store: FeatureStore, tmp_path: Path) -> None:
    add(store, 1, 2)
    write_view(store, MODEL)
    moved = store.folder.rename(tmp_path / "elsewhere")
    assert sorted(read_originals(moved / "gallery.h5")) == [1, 2]
    assert_features_are_those_of(moved / "gallery.h5", [1, 2])


def test_a_damaged_segment_is_left_out(
    store: FeatureStore, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, 1)
    add(store, 2)
    first = min((store.folder / "images").iterdir())
    first.write_bytes(b"not HDF5 any more")
    assert sorted(read_originals(write_view(store, MODEL))) == [2]
    assert first.name in caplog.text


def test_it_can_be_written_without_the_segments_that_compaction_will_remove(
    store: FeatureStore,
) -> None:
    for image_id in range(1, 11):
        add(store, image_id)
    path = write_view(store, MODEL)
    before = set(store.folder.rglob("*/*.h5"))
    copies = store.folder.parent / "copies"
    shutil.copytree(store.folder, copies)
    compact(store, everything=True)
    removed = before - set(store.folder.rglob("*/*.h5"))
    assert len(removed) >= 20
    for source in removed:  # As they lie there before compaction removes them.
        shutil.copy(copies / source.relative_to(store.folder), source)
    write_view(store, MODEL, leaving_out=removed)
    for source in removed:
        source.unlink()
    assert read_originals(path) == {n: sample_image(n).data for n in range(1, 11)}
    assert_features_are_those_of(path, list(range(1, 11)))


def test_where_a_segment_is_gone_features_are_not_a_number(store: FeatureStore) -> None:
    add(store, 1)
    path = write_view(store, MODEL)
    for segment in (store.folder / "features" / MODEL).iterdir():
        segment.unlink()
    with h5py.File(path) as file:
        assert np.isnan(file["ssd_feature_group/features"][:]).all()
        assert np.isnan(file["nlp_feature_group/features"][:]).all()


def test_a_full_disk_leaves_the_old_view(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, 1)
    path = write_view(store, MODEL)
    add(store, 2)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("featurestore.durable.fsync_file", full)
    with pytest.raises(OSError, match="No space left"):
        write_view(store, MODEL)
    assert sorted(read_originals(path)) == [1]
    assert [entry.name for entry in store.folder.glob(".unfinished-*")] == []


def _append_some(folder: Path) -> None:
    for image_id in range(1, 31):
        add(FeatureStore(folder), image_id)


def test_it_is_readable_while_others_write(store: FeatureStore) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_append_some, args=(store.folder,))
    writer.start()
    seen = 0
    while writer.is_alive():
        originals = read_originals(write_view(store, MODEL))
        assert originals == {n: sample_image(n).data for n in originals}
        assert len(originals) >= seen
        seen = len(originals)
    writer.join()
    assert sorted(read_originals(write_view(store, MODEL))) == list(range(1, 31))
