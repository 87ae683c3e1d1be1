"""Measures of a ranking: pure functions over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ranking(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Rows of (n,) scores, best first.

    A score of 0 or less, or NaN, is that of an image that is no hit. Such images come last in
    store order, so that hiding an image never lifts it; equal scores keep store order too.
    """
    hits = np.where(scores > 0, scores, np.float32(0))
    return np.argsort(-hits, kind="stable")


def average_precision(relevant: NDArray[np.bool_]) -> float:
    """Average precision of a full ranking: the mean of precision@rank over the relevant ranks.

    Without interpolation, as trec_eval's `map` computes it for one query.

    Args:
        relevant: (n,) whether the answer at each rank is relevant, best rank first.

    Returns:
        0..1.

    Raises:
        ValueError: if nothing is relevant, for which the measure is undefined.
    """
    ranks = np.flatnonzero(relevant) + 1
    if len(ranks) == 0:
        raise ValueError("average precision is undefined where nothing is relevant")
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def dcg(gains: NDArray[np.float64], k: int) -> float:
    """Discounted cumulative gain of the first k answers: Σ gain / log2(rank + 1).

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with the
    gain as is (not 2^gain - 1).

    Args:
        gains: (n,) gain of the answer at each rank, best rank first.
    """
    best = gains[:k]
    return float((best / np.log2(np.arange(2, len(best) + 2))).sum())


def ndcg(gains: NDArray[np.float64], k: int) -> float:
    """DCG of the first k answers as a part of what the best possible order would have reached.

    Args:
        gains: (n,) gain of every candidate, in the order ranked.

    Returns:
        0..1; 0 where every gain is 0.
    """
    ideal = dcg(np.sort(gains)[::-1], k)
    return dcg(gains, k) / ideal if ideal > 0 else 0.0
