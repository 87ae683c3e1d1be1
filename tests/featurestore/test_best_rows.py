from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore import best_rows as module
from featurestore.best_rows import best_rows
from featurestore.index import Index, IndexPart
from featurestore.postings import Postings
from tests.featurestore.samples import detections, features


def index_of(*ids_of_parts: list[int]) -> Index:
    return Index(
        tuple(
            IndexPart.of(Postings.of(features(ids, [detections() for _ in ids])))
            for ids in ids_of_parts
        )
    )


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(0, 60),
    levels=st.sampled_from([2, 5, 1000]),
    offset=st.integers(0, 70),
    limit=st.integers(1, 70),
)
@settings(deadline=None)
def test_a_page_is_that_of_all_rows_sorted(
    seed: int, rows: int, levels: int, offset: int, limit: int
) -> None:
    random = np.random.default_rng(seed)
    ids = random.permutation(rows) + 1
    cut = random.integers(0, rows + 1)
    index = index_of(sorted(ids[:cut].tolist()), sorted(ids[cut:].tolist()))
    scores = (random.integers(0, levels, rows) / (levels - 1)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        # So that there is not room for all even of few rows.
        patch.setattr(module, "ROOM", 4)
        page = best_rows(index, scores, limit=limit, offset=offset, cut_off=0.4, floor=0.1)
    by_id = {image_id: row for row, image_id in enumerate(index.image_ids.tolist())}
    best_first = sorted(by_id, key=lambda image_id: (-scores[by_id[image_id]], -image_id))
    shown = [by_id[one] for one in best_first if scores[by_id[one]] >= np.float32(0.4)]
    assert page.rows.tolist() == shown[offset : offset + limit]
    assert page.scores.tolist() == scores[page.rows].tolist()
    assert page.total == len(shown)
    assert page.hidden == np.count_nonzero((scores >= np.float32(0.1)) & (scores < np.float32(0.4)))


def test_rising_scores_of_many_rows() -> None:
    index = index_of(list(range(1, 20_001)))
    scores = np.linspace(0, 1, 20_000, dtype=np.float32)
    for falling in (False, True):
        of_rows = scores[::-1].copy() if falling else scores
        page = best_rows(index, of_rows, limit=3, offset=5000, cut_off=0.05)
        expected = np.argsort(-of_rows, kind="stable")[5000:5003]
        assert page.rows.tolist() == expected.tolist()


def test_of_equal_scores_the_newest_photos_come_first() -> None:
    index = index_of([2, 4, 9], [1, 3, 5])
    page = best_rows(index, np.ones(6, np.float32), limit=4, cut_off=0.05)
    assert [index.image_id(row) for row in page.rows.tolist()] == [9, 5, 4, 3]


def test_a_score_at_a_limit_reaches_it() -> None:
    scores = np.array([0.05, 0.049, 0.005, 0.0049], np.float32)
    page = best_rows(index_of([1, 2, 3, 4]), scores, limit=9, cut_off=0.05, floor=0.005)
    assert (page.rows.tolist(), page.total, page.hidden) == ([0], 1, 2)


def test_without_a_floor_nothing_is_hidden() -> None:
    page = best_rows(index_of([1, 2]), np.zeros(2, np.float32), limit=9, cut_off=0.05)
    assert (page.rows.tolist(), page.total, page.hidden) == ([], 0, 0)
