from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from featurestore.compaction import compact
from featurestore.corrections import Correction
from featurestore.posting_kernels import MOST_OBJECTS
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from tests.featurestore.samples import as_indexed, detections, features, sample_image

MODEL, NEXT_MODEL = "model-1", "model-2"
DOG = (18.0, 0.8, 30.0, 30.0, 90.0, 90.0)
CAT = '{"class_id":17,"score":1.0,"box":[0.1,0.2,0.5,0.6],"source":"person"}'
CUP = '{"class_id":47,"score":0.7,"box":[0.5,0.2,0.6,0.6],"source":"detector"}'
FAINT = '{"class_id":62,"score":0.1,"box":[0.5,0.2,0.6,0.6],"source":"detector"}'


def sentence_of(class_ids: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.full(50, class_ids.sum(), np.float32)


def corrected(image_id: int, *objects: str, at: float = 1.0) -> Edit:
    return Edit(image_id, "objects", f"[{','.join(objects)}]", at)


def classes(store: FeatureStore, image_id: int, model_id: str = MODEL) -> list[int]:
    index = store.corrected_index(model_id, sentence_of)
    row = index.row_of(image_id)
    return [] if row is None else index.detections_of(row)[:, 0].astype(int).tolist()


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Images 1 and 2, each with a dog."""
    store = FeatureStore(tmp_path)
    store.append_images([sample_image(1), sample_image(2)])
    store.append_features(MODEL, features([1, 2], [detections(DOG), detections(DOG)]))
    return store


def test_a_correction_takes_the_place_of_what_any_model_found(store: FeatureStore) -> None:
    other = FeatureStore(store.folder)
    assert classes(other, 1) == [18]
    store.append_edits([corrected(1, CUP, FAINT, CAT)])
    assert (classes(other, 1), classes(other, 2)) == ([17, 47, 62], [18])
    other.append_features(NEXT_MODEL, features([1, 2], [detections(DOG), detections()]))
    assert (classes(store, 1, NEXT_MODEL), classes(store, 2, NEXT_MODEL)) == ([17, 47, 62], [])
    index = store.corrected_index(MODEL, sentence_of)
    assert len(index) == 2
    assert index.images_per_class(0.3)[[17, 18, 47, 62]].tolist() == [1, 1, 1, 0]
    assert index.cooccurrence[18, 18] == pytest.approx(0.64, abs=1e-4)
    # Of the sure objects only, as of those that are detected.
    assert index.parts[0].postings.sentence_vectors[0, 0] == 17 + 47
    # What models found is still known by itself.
    assert store.index(MODEL).images_per_class(0.3)[18] == 2


def test_the_latest_counts_and_nothing_at_all_is_a_correction_too(store: FeatureStore) -> None:
    store.append_edits([corrected(1, CAT, at=2.0), corrected(1, CUP, at=1.0)])
    assert classes(store, 1) == [17]
    store.append_edits([corrected(1, at=3.0)])
    assert classes(store, 1) == []
    store.append_edits([Edit(1, "objects", "null", 4.0)])
    assert classes(store, 1) == [18]
    compact(store, everything=True)
    assert classes(FeatureStore(store.folder), 1) == [18]
    store.append_edits([corrected(2, CAT)])
    store.delete([2])
    assert 2 not in store.corrections()
    assert classes(store, 2) == []


def test_an_image_may_have_more_objects_than_a_detector_finds(store: FeatureStore) -> None:
    store.append_edits([corrected(1, *[CAT] * MOST_OBJECTS), corrected(2, *[CAT] * 101)])
    assert len(classes(store, 1)) == MOST_OBJECTS
    every = [CAT.replace("17", str(class_id)) for class_id in range(1, 91)]
    store.append_edits([corrected(1, *every, at=2.0)])
    assert classes(store, 1) == list(range(1, 91))
    together = store.corrected_index(MODEL, sentence_of).cooccurrence
    assert together[1, 90] == together[90, 90] == 1
    assert classes(store, 2) == [18]


def test_it_is_the_same_again_from_json_and_from_rows() -> None:
    correction = Correction.of_json(f"[{CUP},{CAT}]")
    assert correction is not None
    assert correction.as_json() == f"[{CAT},{CUP}]"
    assert correction.by_person.tolist() == [True, False]
    assert as_indexed(correction.objects)[0][0] == 17
    again = Correction.of_rows(correction.as_rows().astype(np.float64))
    assert again.as_json() == correction.as_json()


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        "[1]",
        "[{}]",
        f"[{CAT.replace('17', '91')}]",
        f"[{CAT.replace('17', '1.5')}]",
        f"[{CAT.replace('1.0', '1.1')}]",
        f"[{CAT.replace('1.0', 'NaN')}]",
        f"[{CAT.replace('0.5', '0.05')}]",
        f"[{CAT.replace('0.5', '1e400')}]",
        f"[{CAT.replace('0.5', '1,2')}]",
        f"[{CAT.replace('person', 'ghost')}]",
        f"[{CAT.replace(chr(34) + 'person' + chr(34), '[]')}]",
    ],
)
def test_what_cannot_be_is_left_out(
    value: str, store: FeatureStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.append_edits([Edit(1, "objects", value, 1.0), corrected(2, CAT)])
    assert (classes(store, 1), classes(store, 2)) == ([18], [17])
    assert "The correction of image 1 is left out" in caplog.text
