from __future__ import annotations

import math

import numpy as np
import pytest

from gallery.evaluation.metrics import average_precision, dcg, ndcg, ranking


def test_ranking_puts_the_highest_score_first() -> None:
    assert ranking(np.array([0.1, 0.9, 0.5], np.float32)).tolist() == [1, 2, 0]


def test_equal_scores_keep_store_order() -> None:
    assert ranking(np.array([0.5, 0.9, 0.5, 0.9], np.float32)).tolist() == [1, 3, 0, 2]


def test_hidden_images_come_last_in_store_order() -> None:
    scores = np.array([0, -0.4, 0.2, np.nan, 0.3], np.float32)
    assert ranking(scores).tolist() == [4, 2, 0, 1, 3]


def test_average_precision_is_the_mean_of_the_precisions_at_relevant_ranks() -> None:
    # Relevant at ranks 1, 3 and 6: (1/1 + 2/3 + 3/6) / 3.
    relevant = np.array([True, False, True, False, False, True])
    assert average_precision(relevant) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


def test_average_precision_of_the_best_order_is_1_and_of_a_last_place_1_over_n() -> None:
    assert average_precision(np.array([True, True, False])) == 1
    assert average_precision(np.array([False, False, False, True])) == 0.25


def test_average_precision_refuses_a_query_without_relevant_images() -> None:
    with pytest.raises(ValueError, match="undefined"):
        average_precision(np.array([False, False]))


def test_dcg_discounts_by_the_logarithm_of_rank_plus_1() -> None:
    gains = np.array([0.5, 0, 1])
    assert dcg(gains, 10) == pytest.approx(0.5 / 1 + 1 / 2)
    assert dcg(gains, 2) == pytest.approx(0.5)


def test_ndcg_compares_with_the_best_order_of_all_candidates() -> None:
    # Ranked 0, 1; the best order would have been 1, 0.
    assert ndcg(np.array([0.0, 1.0]), 10) == pytest.approx(1 / math.log2(3))
    # The only gain lies behind the first two answers.
    assert ndcg(np.array([0.0, 0.0, 1.0]), 2) == 0


def test_ndcg_of_the_best_order_is_1() -> None:
    assert ndcg(np.array([0.9, 0.4, 0.4, 0.0]), 3) == pytest.approx(1)


def test_ndcg_is_0_where_there_is_nothing_to_gain() -> None:
    assert ndcg(np.zeros(4), 10) == 0
