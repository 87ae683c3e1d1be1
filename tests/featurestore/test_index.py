from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore import model_features
from featurestore.compaction import compact
from featurestore.index import Index
from featurestore.layout_scores import layout_scores
from featurestore.postings import Postings, merge_postings
from featurestore.store import FeatureStore
from tests.featurestore.samples import detections, features, random_detections

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


@given(st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=6))
@settings(max_examples=50)
def test_merged_postings_equal_postings_made_at_once(first: list[int], dead: list[int]) -> None:
    left = sorted(set(first))
    right = [image_id for image_id in range(31) if image_id not in left]

    def postings(ids: list[int]) -> Postings:
        return Postings.of(features(ids, [random_detections(i, objects=i % 8) for i in ids]))

    dead_rows = [np.flatnonzero(np.isin(np.array(ids, np.int64), dead)) for ids in (left, right)]
    merged = merge_postings([(postings(left), dead_rows[0]), (postings(right), dead_rows[1])])
    expected = postings([image_id for image_id in range(31) if image_id not in dead])
    assert merged.image_ids.tolist() == expected.image_ids.tolist()
    assert merged.class_starts.tolist() == expected.class_starts.tolist()
    for row in range(len(expected)):
        assert merged.detections_of(row).tolist() == expected.detections_of(row).tolist()
    query = random_detections(99)[:5]
    assert layout_scores(merged, query).tolist() == layout_scores(expected, query).tolist()


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
    assert content(index)[2] == cat[:1].tolist()
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
