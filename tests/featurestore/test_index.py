from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from featurestore import model_features, segments
from featurestore.compaction import compact
from featurestore.index import Index
from featurestore.index_files import read_index
from featurestore.store import FeatureStore
from tests.featurestore.samples import (
    as_indexed,
    detections,
    features,
    random_detections,
    sample_image,
)

MODEL = "model-1"


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


@pytest.fixture
def small_index_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_features, "FEW_IMAGES", 1)


def append(store: FeatureStore, *image_ids: int, seed: int = 0) -> None:
    found = [random_detections(seed + image_id) for image_id in image_ids]
    store.append_features(MODEL, features(list(image_ids), found))


def content(index: Index) -> dict[int, list[list[float]]]:
    """Objects by image id, of the images that can be found."""
    ids = index.image_ids.tolist()
    return {
        image_id: index.detections_of(row).tolist()
        for row, image_id in enumerate(ids)
        if index.row_of(image_id) == row
    }


def index_files(store: FeatureStore) -> list[Path]:
    return sorted((store.folder / "index").rglob("*.h5"))


def test_an_index_file_changes_nothing_that_is_found(
    store: FeatureStore, small_index_files: None
) -> None:
    append(store, 1, 2, 3)
    append(store, 4)
    before = content(store.index(MODEL))
    assert store.renew_index(MODEL)
    assert len(index_files(store)) == 1
    assert content(store.index(MODEL)) == before
    assert content(FeatureStore(store.folder).index(MODEL)) == before


def test_a_new_image_is_found_beside_an_index_file(
    store: FeatureStore, small_index_files: None
) -> None:
    append(store, 2, 3)
    store.renew_index(MODEL)
    other = FeatureStore(store.folder)
    assert sorted(content(other.index(MODEL))) == [2, 3]
    append(store, 1)
    assert sorted(content(other.index(MODEL))) == [1, 2, 3]


def test_deleted_and_renewed_rows_of_an_index_file_do_not_count(
    store: FeatureStore, small_index_files: None
) -> None:
    append(store, 1, 2, 3)
    store.renew_index(MODEL)
    cat = detections((17, 0.8, 0, 0, 50, 50))
    store.append_features(MODEL, features([2], [cat]))
    store.delete([3])
    index = store.index(MODEL)
    assert len(index) == 2
    assert sorted(content(index)) == [1, 2]
    assert as_indexed(np.array(content(index)[2])) == as_indexed(cat)
    assert index.row_of(3) is None
    scores = index.scores(lambda postings: np.ones(len(postings), np.float32))
    assert scores.sum() == 2


def test_older_features_do_not_replace_those_of_an_index_file(
    store: FeatureStore, small_index_files: None
) -> None:
    old = features([1], [detections((18, 0.9, 0, 0, 9, 9))])
    append(store, 1)
    expected = content(store.index(MODEL))
    store.renew_index(MODEL)
    store.append_features(MODEL, old)
    assert content(store.index(MODEL)) == expected


def test_compaction_below_an_index_file_changes_nothing(
    store: FeatureStore, small_index_files: None
) -> None:
    for image_id in range(1, 12):
        append(store, image_id)
    store.renew_index(MODEL)
    before = content(store.index(MODEL))
    compact(store)
    index = FeatureStore(store.folder).index(MODEL)
    assert content(index) == before
    # All rows of the merged segment are in the index file already.
    assert [len(part.postings) for part in index.parts] == [11, 0]


def test_merged_segments_are_not_read_where_an_index_file_holds_their_rows(
    store: FeatureStore, small_index_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image_id in range(1, 12):
        append(store, image_id)
    store.renew_index(MODEL)
    compact(store)
    append(store, 20)
    read = []

    def read_features(path: Path) -> segments.Features:
        read.append(path)
        return whole(path)

    whole = segments.read_features
    monkeypatch.setattr(segments, "read_features", read_features)
    assert sorted(content(FeatureStore(store.folder).index(MODEL))) == [*range(1, 12), 20]
    assert read == [max(path for path in (store.folder / "features" / MODEL).glob("*.h5"))]


def test_after_a_merge_an_index_file_is_written_that_names_it(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_features, "FEW_IMAGES", 10)
    for image_id in range(1, 12):
        append(store, image_id)
    assert store.renew_index(MODEL)
    before = content(store.index(MODEL))
    compact(store)
    assert store.renew_index(MODEL)
    # It holds the same, and now by name as well: nothing is left to be looked through.
    (path,) = index_files(store)
    named = read_index(path)
    assert named is not None
    assert {path.name for path in (store.folder / "features" / MODEL).glob("*.h5")} <= named.covers
    assert not store.renew_index(MODEL)
    assert content(store.index(MODEL)) == before
    assert content(FeatureStore(store.folder).index(MODEL)) == before


def test_a_small_merge_is_not_worth_another_index_file(store: FeatureStore) -> None:
    for image_id in range(1, model_features.MANY_SEGMENTS + 1):
        append(store, image_id)
    assert store.renew_index(MODEL)
    compact(store)
    assert not store.renew_index(MODEL)


def test_a_lost_or_damaged_index_file_is_done_without(
    store: FeatureStore, small_index_files: None
) -> None:
    append(store, 1, 2, 3)
    store.renew_index(MODEL)
    before = content(store.index(MODEL))
    (path,) = index_files(store)
    path.write_bytes(b"damaged")
    assert content(FeatureStore(store.folder).index(MODEL)) == before
    path.unlink()
    assert content(FeatureStore(store.folder).index(MODEL)) == before


def test_a_second_model_completes_the_first(store: FeatureStore) -> None:
    dog, cat = detections((18, 0.9, 0, 0, 9, 9)), detections((17, 0.9, 0, 0, 9, 9))
    store.append_features("old", features([1, 2], [dog, dog]))
    store.append_features("new", features([2, 3], [cat, cat]))
    index = store.index("old", completed=True)
    assert {image_id: int(found[0][0]) for image_id, found in content(index).items()} == {
        1: 18,
        2: 18,
        3: 17,
    }


def test_models_complete_each_other_only_where_they_have_to(store: FeatureStore) -> None:
    dog = detections((18, 0.9, 0, 0, 9, 9))
    store.append_features("old", features([1, 2], [dog, dog]))
    store.append_features("new", features([1, 2, 3], [dog, dog, dog]))
    assert len(store.index("new", completed=True).parts) == 1
    assert len(store.index("old", completed=True)) == 3
    store.delete([2])
    index = store.index("old", completed=True)
    assert sorted(index.live_ids.tolist()) == [1, 3]
    assert [index.row_of(image_id) is None for image_id in (1, 2, 3)] == [False, True, False]


def test_a_look_at_a_model_that_there_is_not_makes_no_folder(store: FeatureStore) -> None:
    before = sorted(store.folder.rglob("*"))
    assert len(store.index("unknown")) == 0
    assert not store.renew_index("unknown")
    assert store.feature_segments("unknown") == []
    assert sorted(store.folder.rglob("*")) == before


def test_images_come_and_change_one_after_the_other(store: FeatureStore) -> None:
    other = FeatureStore(store.folder)
    for image_id in (3, 1, 2):
        append(store, image_id)
        assert content(other.index(MODEL)) == content(FeatureStore(store.folder).index(MODEL))
    for image_id in (1, 3):
        append(store, image_id, seed=50)
        store.delete([image_id + 1])
        assert content(other.index(MODEL)) == content(FeatureStore(store.folder).index(MODEL))
    assert sorted(content(other.index(MODEL))) == [1, 3]


def test_a_segment_that_is_taken_away_takes_its_images_along(store: FeatureStore) -> None:
    append(store, 1)
    append(store, 2)
    assert sorted(content(store.index(MODEL))) == [1, 2]
    min((store.folder / "features" / MODEL).glob("*.h5")).unlink()
    assert sorted(content(store.index(MODEL))) == [2]


def test_images_without_features_of_a_model(store: FeatureStore, small_index_files: None) -> None:
    store.append_images([sample_image(image_id) for image_id in (4, 1, 7, 2)])
    append(store, 1, 9)
    store.renew_index(MODEL)
    append(store, 4)
    store.delete([4, 7])
    assert store.images_without_features(MODEL).tolist() == [2]
    assert store.images_without_features("another").tolist() == [1, 2]


def test_rows_among_some_images(store: FeatureStore, small_index_files: None) -> None:
    append(store, 1, 5, 9)
    store.renew_index(MODEL)
    append(store, 3)
    index = store.index(MODEL)
    among = index.rows_among(np.array([2, 3, 5, 12]))
    assert index.image_ids[among].tolist() == [5, 3]
    assert not index.rows_among(np.empty(0, np.int64)).any()
