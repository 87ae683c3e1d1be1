"""How well text and layout search rank, whatever the score functions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.metrics import average_precision, ndcg, ranking
from gallery.evaluation.queries import JudgedQuery

TextScores: TypeAlias = Callable[[str], NDArray[np.float32]]
"""A query to (n,) scores of all images, 0 for those that are no hit."""

LayoutScores: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""An (m, 6) layout, rows as a detector's without padding, to (n,) scores of all images."""

ANSWERS = 10


def shown(scores: NDArray[np.float32], cut_off: float) -> NDArray[np.float32]:
    """(q, n) scores with 0 for what a cut-off hides, which is then no hit."""
    return np.where(scores >= cut_off, scores, np.float32(0))


def average_precisions(
    queries: Sequence[JudgedQuery], scores: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(q,) average precision of every query over all images, hits or not.

    Args:
        scores: (q, n) of every image for every query.
    """
    return np.array(
        [
            average_precision(query.relevant[ranking(of_query)])
            for query, of_query in zip(queries, scores, strict=True)
        ],
        np.float64,
    )


def photo_ndcgs(
    gains: NDArray[np.float64], query_rows: NDArray[np.intp], scores: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(q,) nDCG@10 of every query photo, each removed from its own answers.

    Args:
        gains: (n, n) layout gains of the ground truth.
        query_rows: (q,) the images that were asked with.
        scores: (q, n) of every image for every query.
    """
    ndcgs = []
    for row, of_query in zip(query_rows.tolist(), scores, strict=True):
        order = ranking(of_query)
        ndcgs.append(ndcg(gains[row, order[order != row]], ANSWERS))
    return np.array(ndcgs, np.float64)


def drawn_ndcgs(gains: NDArray[np.float64], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """(q,) nDCG@10 of every drawn layout.

    Args:
        gains: (q, n) of every image for every layout.
        scores: (q, n) likewise.
    """
    return np.array(
        [
            ndcg(of_query[ranking(scored)], ANSWERS)
            for of_query, scored in zip(gains, scores, strict=True)
        ],
        np.float64,
    )


def reciprocal_ranks(
    source_rows: Sequence[int], scores: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(q,) 1 / rank of the one image that each query comes from.

    Args:
        source_rows: that image of every query.
        scores: (q, n) of every image for every query.
    """
    return np.array(
        [
            1 / (1 + int(np.flatnonzero(ranking(of_query) == row)[0]))
            for row, of_query in zip(source_rows, scores, strict=True)
        ],
        np.float64,
    )
