"""What photos look like, as a search reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from featurestore.looks import EMBEDDING_DIMENSIONS, LookFeatures
from featurestore.model_looks import ModelLooks
from tests.featurestore.samples import postings, random_detections

CASTLE, ESPRESSO = 483, 967
IMAGES = postings(*(random_detections(seed) for seed in range(4)))


def looks_of(*images: tuple[int, int, float], written_at: int = 1) -> LookFeatures:
    """Of (image id, class, score) each, with other classes behind."""
    scores = np.full((len(images), 1000), 1e-6, np.float32)
    for row, (_, look, score) in enumerate(images):
        scores[row, look] = score
    embedding = np.ones((len(images), EMBEDDING_DIMENSIONS), np.float32)
    return LookFeatures.of([image_id for image_id, _, _ in images], embedding, scores, written_at)


@pytest.fixture
def model_looks(tmp_path: Path) -> ModelLooks:
    return ModelLooks(tmp_path / "m", "m", lambda: np.empty(0, np.int64))


def castles(model_looks: ModelLooks) -> list[int]:
    """Rows of images that look like castles."""
    runs = model_looks.index().runs(np.array([CASTLE]), IMAGES)
    sure = runs.packed_scores > 1000
    return sorted(runs.image_rows[sure].tolist())


def test_new_looks_are_found_at_once_and_replace_older_ones(model_looks: ModelLooks) -> None:
    assert model_looks.index().parts == ()
    model_looks.append(looks_of((1, CASTLE, 0.9), (3, CASTLE, 0.5), (77, CASTLE, 0.8)))
    assert castles(model_looks) == [0, 2]
    assert model_looks.index() is model_looks.index()
    model_looks.append(looks_of((3, ESPRESSO, 0.9), (4, CASTLE, 0.9), written_at=2))
    assert len(model_looks.index().parts) == 2
    assert castles(model_looks) == [0, 3]
    index = model_looks.index()
    assert index.scores_of(3, np.array([CASTLE, ESPRESSO])) == {
        ESPRESSO: pytest.approx(0.9, abs=1e-4)
    }
    assert index.scores_of(2, np.array([CASTLE])) == {}
    counts = index.images_per_look(np.array([1, 2, 3, 4]), 0.3)
    assert (counts[CASTLE], counts[ESPRESSO], counts.sum()) == (2, 1, 3)


def test_a_merged_segment_changes_nothing(model_looks: ModelLooks) -> None:
    model_looks.append(looks_of((1, CASTLE, 0.9)))
    model_looks.append(looks_of((2, CASTLE, 0.9)))
    before = castles(model_looks)
    sources = list(model_looks.folder.folder.glob("*.h5"))
    model_looks.append(model_looks.read())
    for path in sources:
        path.unlink()
    assert castles(model_looks) == before == [0, 1]
    assert len(model_looks.index().parts) == 1
