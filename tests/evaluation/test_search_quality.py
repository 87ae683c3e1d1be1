from __future__ import annotations

import math

import numpy as np
import pytest

from gallery.evaluation.layout_gain import layout_gains
from gallery.evaluation.queries import JudgedQuery
from gallery.evaluation.search_quality import (
    average_precisions,
    drawn_ndcgs,
    photo_ndcgs,
    reciprocal_ranks,
    shown,
)
from tests.evaluation.truths import DOG, FULL, LEFT, truth_of


def judged(*relevant: bool) -> JudgedQuery:
    return JudgedQuery("dog", np.array(relevant))


def test_text_is_measured_by_the_images_that_are_relevant() -> None:
    queries = [judged(False, True, True, False), judged(True, False, True, False)]
    scores = np.array([[0.9, 0.8, 0.1, 0], [0.9, 0, 0.2, 0.1]], np.float32)
    np.testing.assert_allclose(
        average_precisions(queries, scores), [(1 / 2 + 2 / 3) / 2, 1], rtol=1e-6
    )


def test_hiding_an_image_never_lifts_it() -> None:
    queries = [judged(False, True, True)]
    scores = np.array([[0.1, 0.2, 0.9]], np.float32)
    assert average_precisions(queries, scores)[0] == pytest.approx(1)
    # Both the first and the second image are hidden, and so come in store order.
    assert average_precisions(queries, shown(scores, 0.5))[0] == pytest.approx((1 + 2 / 3) / 2)


def test_a_score_at_the_cut_off_is_shown() -> None:
    scores = np.array([[0.5, 0.25, 0.75]], np.float32)
    assert shown(scores, 0.5).tolist() == [[0.5, 0, 0.75]]


def test_photos_are_ranked_without_the_query_itself() -> None:
    gains = layout_gains(truth_of([(DOG, FULL)], [(DOG, FULL)], [(DOG, LEFT)]).images)
    # Always the third image first, the second next, and the first last.
    scores = np.array([[0.1, 0.5, 0.9]] * 3, np.float32)
    # Images 0 and 1 are equal (gain 1); image 2 gains `half` with each.
    half = 0.5 * math.sqrt(0.75) / ((1 + math.sqrt(0.5)) / 2)
    wrong_way = (half + 1 / math.log2(3)) / (1 + half / math.log2(3))
    np.testing.assert_allclose(photo_ndcgs(gains, np.arange(3), scores), [wrong_way, wrong_way, 1])
    np.testing.assert_allclose(photo_ndcgs(gains, np.array([2]), scores[:1]), [1])


def test_drawings_find_every_image_the_drawn_one_too() -> None:
    gains = np.array([[0.2, 1, 0.5]])
    # Ranked 2, 1, 0; the best order is 1, 2, 0.
    scores = np.array([[0.1, 0.5, 0.9]], np.float32)
    ideal = 1 + 0.5 / math.log2(3) + 0.2 / 2
    expected = (0.5 + 1 / math.log2(3) + 0.2 / 2) / ideal
    np.testing.assert_allclose(drawn_ndcgs(gains, scores), [expected])


def test_the_drawn_image_counts_by_its_rank() -> None:
    scores = np.array([[0.1, 0.5, 0.9], [0.1, 0.5, 0.9], [0, 0, 0.9]], np.float32)
    # The last is no hit, and comes after the first, which is none either.
    np.testing.assert_allclose(reciprocal_ranks([2, 1, 1], scores), [1, 1 / 2, 1 / 3])
