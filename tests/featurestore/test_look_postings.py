"""What photos look like, as a search reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from featurestore import named_looks
from featurestore.errors import SegmentDamaged
from featurestore.look_postings import LookPostings
from featurestore.look_postings_files import read_look_postings, write_look_postings
from featurestore.looks import EMBEDDING_DIMENSIONS, LookFeatures, LookScores
from featurestore.model_looks import ModelLooks
from tests.featurestore.kills import Killed, killed_before
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
    return ModelLooks(tmp_path / "m", tmp_path / "index", "m", lambda: np.empty(0, np.int64))


def castles(model_looks: ModelLooks) -> list[int]:
    """Rows of images that look like castles."""
    runs = model_looks.index().runs(np.array([CASTLE]), IMAGES)
    sure = runs.packed_scores > 1000
    return sorted(runs.image_rows[sure].tolist())


def merge(model_looks: ModelLooks) -> None:
    """As compaction does."""
    sources = list(model_looks.folder.folder.glob("*.h5"))
    model_looks.append(model_looks.read())
    for path in sources:
        path.unlink()


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
    merge(model_looks)
    assert castles(model_looks) == before == [0, 1]
    assert len(model_looks.index().parts) == 1


def test_a_file_of_them_is_mapped_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_looks, "FEW_IMAGES", 2)
    deleted: list[int] = []

    def opened() -> ModelLooks:
        return ModelLooks(
            tmp_path / "m", tmp_path / "index", "m", lambda: np.array(deleted, np.int64)
        )

    worker, page = opened(), opened()
    assert not worker.renew_index_file()
    worker.append(looks_of((1, CASTLE, 0.9), (2, ESPRESSO, 0.9), (3, CASTLE, 0.8), (4, CASTLE, 1)))
    assert castles(page) == [0, 2, 3]
    assert worker.renew_index_file()
    assert not worker.renew_index_file()
    for reader in (worker, page, opened()):
        assert castles(reader) == [0, 2, 3]
        assert not reader.index().parts[0].rows.flags.owndata
    # What comes later is found at once, until the next file holds it as well.
    worker.append(looks_of((2, CASTLE, 0.9), (3, ESPRESSO, 0.9), written_at=2))
    assert castles(page) == castles(opened()) == [0, 1, 3]
    merge(worker)
    assert castles(page) == castles(opened()) == [0, 1, 3]
    assert worker.renew_index_file()
    assert len(opened().index().parts) == 1
    assert castles(page) == castles(opened()) == [0, 1, 3]
    # What is deleted leaves the file once it has left the segments.
    deleted += [2, 4]
    merge(worker)
    assert worker.renew_index_file()
    assert castles(page) == castles(opened()) == [0]
    [file] = (tmp_path / "index").iterdir()
    # Damage is passed by, and the file made anew.
    file.write_bytes(file.read_bytes()[:-50])
    assert castles(opened()) == [0]
    assert opened().renew_index_file()
    [made_anew] = (tmp_path / "index").iterdir()
    assert made_anew != file
    assert castles(page) == castles(opened()) == [0]
    # So much comes that it is brought together in memory, until a file holds it.
    worker.append(looks_of(*((i, CASTLE, 0.9) for i in (1, 3, 5, 6)), written_at=3))
    [brought_together] = page.index().parts
    assert brought_together.rows.flags.owndata
    assert castles(page) == [0, 2]
    assert worker.renew_index_file()
    assert not page.index().parts[0].rows.flags.owndata
    assert castles(page) == [0, 2]


def test_a_killed_renewal_leaves_what_was_found_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_looks, "FEW_IMAGES", 1)

    def opened() -> ModelLooks:
        return ModelLooks(tmp_path / "m", tmp_path / "index", "m", lambda: np.empty(0, np.int64))

    for step in range(1, 6):
        opened().append(looks_of((1, CASTLE, 0.9), (3, CASTLE, 0.8), written_at=step))
        with pytest.raises(Killed), killed_before(step):
            opened().renew_index_file()
        assert castles(opened()) == [0, 2]
        assert opened().renew_index_file() == (step < 3)
        assert castles(opened()) == [0, 2]


def random_looks(image_ids: list[int], seed: int) -> LookScores:
    random = np.random.default_rng(seed)
    return LookScores(
        np.array(image_ids),
        np.array([random.choice(1000, 5, replace=False) for _ in image_ids], np.int16),
        random.random((len(image_ids), 5), np.float32),
        np.full(len(image_ids), seed),
    )


def test_merged_postings_are_those_of_all_rows_that_count() -> None:
    first, second = random_looks([2, 3, 5, 8, 9], 1), random_looks([1, 4, 5, 10], 2)
    kept = first.take(np.array([0, 1, 4]))
    together = LookScores.concatenated([kept, second])
    expected = LookPostings.of(together.take(np.argsort(together.image_ids)))
    older = LookPostings.of(first).without(second.image_ids, np.array([8]))
    merged = older.merged(LookPostings.of(second))
    for name in ("image_ids", "written_at", "class_starts", "rows", "packed_scores", "alive"):
        found, wanted = getattr(merged, name), getattr(expected, name)
        assert (found.dtype, found.tolist()) == (wanted.dtype, wanted.tolist())


@pytest.mark.parametrize("wrong", ["rows", "class_starts", "image_ids"])
def test_a_file_that_leads_out_of_its_arrays_is_not_mapped(tmp_path: Path, wrong: str) -> None:
    postings = LookPostings.of(random_looks([2, 3, 5], 1))
    column = getattr(postings, wrong)
    changed = column[::-1].copy() if wrong == "image_ids" else column + 1
    path = write_look_postings(tmp_path, replace(postings, **{wrong: changed}))
    with pytest.raises(SegmentDamaged):
        read_look_postings(path)
