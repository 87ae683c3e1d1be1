"""How well text and photo search rank, whatever the score functions are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.layout_gain import layout_gains, share_a_class
from gallery.evaluation.metrics import average_precision, ndcg, ranking
from gallery.evaluation.truth import Truth

TextScores: TypeAlias = Callable[[str], NDArray[np.float32]]
"""A term to (n,) scores of all images, 0 for those that are no hit."""

PhotoScores: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""An (m, 6) layout, rows as a detector's without padding, to (n,) scores of all images."""

ANSWERS = 10


def text_average_precisions(
    truth: Truth, queries: Mapping[str, int], score_text: TextScores
) -> dict[str, float]:
    """Average precision of every term over all images, hits or not.

    Args:
        queries: category id by term; an image is relevant if it holds an object of the class.
    """
    return {
        term: average_precision(truth.holds(class_id)[ranking(score_text(term))])
        for term, class_id in queries.items()
    }


def photo_ndcgs(
    truth: Truth, layouts: Sequence[NDArray[np.float32]], score_photo: PhotoScores
) -> NDArray[np.float64]:
    """nDCG@10 of every query photo, by the layout gains of the ground truth.

    The queries are the images that share a class with another; each is removed from its own
    answers.

    Args:
        truth: n images.
        layouts: n arrays (m, 6), what the detector found in each image. The truth itself must
            not be asked with.

    Returns:
        (q,) nDCG@10 of the q queries, in store order.
    """
    gains = layout_gains(truth.images)
    ndcgs = []
    for row in np.flatnonzero(share_a_class(truth.images)).tolist():
        order = ranking(score_photo(layouts[row]))
        ndcgs.append(ndcg(gains[row, order[order != row]], ANSWERS))
    return np.array(ndcgs, np.float64)
