"""How well the objects of images answer a text query: a probability for each image.

`docs/ranking.md` has the formulas; `explanations` computes the same of one image, in plain words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.asked_objects import ObjectColumns
from featurestore.condition_kernels import score_images
from featurestore.conditions import ObjectQuery
from featurestore.encoded_query import encode
from featurestore.index import Index
from featurestore.look_postings import LookPostingsIndex
from featurestore.postings import Postings
from featurestore.row_ranges import for_row_ranges

# Scratch is kept for a block of images, whatever the range, and made anew for each.
ROWS_A_RANGE = 1 << 18


def condition_scores(
    postings: Postings,
    query: ObjectQuery,
    counted: NDArray[np.bool_] | None = None,
    *,
    floor: float = 0.0,
    scores: NDArray[np.float32] | None = None,
    looks: LookPostingsIndex | None = None,
) -> NDArray[np.float32]:
    """Score of every image for a query.

    Args:
        looks: what the images look like; None for nothing that is known of it.
        counted: (n,) images that are to be scored, None for all; others score 0.
        floor: scores below it may come out as 0, which is quicker.
        scores: (n,) an array to write into.

    Returns:
        (n,) in 0..1.

    Raises KeyError for a relation that is not in `relations.RELATIONS`, ValueError for a class id
    past the last.
    """
    if counted is None:
        counted = np.ones(len(postings), np.bool_)
    if scores is None:
        scores = np.empty(len(postings), np.float32)
    encoded = encode(query)
    objects = postings.objects
    columns = ObjectColumns(objects.image_rows, objects.packed_scores, objects.packed_boxes)
    runs = (looks or LookPostingsIndex()).runs(encoded.look_ids, postings)

    def score(first_row: int, stop_row: int) -> None:
        score_images(
            postings.class_starts,
            columns,
            postings.emptiness,
            counted,
            encoded,
            runs,
            floor,
            first_row,
            stop_row,
            scores,
        )

    for_row_ranges(len(postings), score, rows_a_range=ROWS_A_RANGE)
    return scores


def index_condition_scores(
    index: Index,
    query: ObjectQuery,
    allowed: NDArray[np.bool_] | None = None,
    *,
    floor: float = 0.0,
) -> NDArray[np.float32]:
    """Score of every row of an index for a query, 0 for dead rows.

    Args:
        allowed: (rows,) rows that are to be scored, None for all; others score 0.
        floor: scores below it may come out as 0, which is quicker.

    Returns:
        (rows,) in 0..1.

    Raises KeyError for a relation that is not in `relations.RELATIONS`, ValueError for a class id
    past the last.
    """
    scores = np.empty(index.rows, np.float32)
    for first, part in index.numbered_parts():
        stop = first + len(part.postings)
        counted = part.alive if allowed is None else part.alive & allowed[first:stop]
        condition_scores(
            part.postings,
            query,
            counted,
            floor=floor,
            scores=scores[first:stop],
            looks=index.looks,
        )
    return scores
