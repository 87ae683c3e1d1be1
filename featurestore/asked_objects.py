"""What compiled loops go through: the objects of a block of images that a query asks for.

A block is a range of neighbouring images. Objects of a class lie by rising image row, so those of a
block are one run of each class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.encoded_query import FULL_AREA

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = NDArray[np.int32]
Packed = NDArray[np.uint16]


class ObjectColumns(NamedTuple):
    """See `postings.Objects`; compiled code takes a tuple for what it is made of."""

    image_rows: Rows
    packed_scores: Packed
    packed_boxes: Packed


class Runs(NamedTuple):
    """Where the entries of a block lie, of each of c classes."""

    starts: Integers
    """(c,)"""
    stops: Integers
    """(c,)"""


@compiled
def run_of(objects: ObjectColumns, runs: Runs, place: int) -> ObjectColumns:
    """The objects of one run."""
    start, stop = runs.starts[place], runs.stops[place]
    return ObjectColumns(
        objects.image_rows[start:stop],
        objects.packed_scores[start:stop],
        objects.packed_boxes[:, start:stop],
    )


@compiled
def counts(objects: ObjectColumns, entry: int, min_score: int, areas: Floats) -> bool:
    """Whether an object is sure enough, and of a size that is asked for.

    Args:
        min_score: packed.
        areas: (2,) least and greatest, in squares of packed steps.
    """
    if objects.packed_scores[entry] < min_score:
        return False
    if areas[0] <= 0 and areas[1] >= FULL_AREA:
        return True
    boxes = objects.packed_boxes
    width = float(boxes[2, entry]) - float(boxes[0, entry])
    height = float(boxes[3, entry]) - float(boxes[1, entry])
    area = max(width, 0.0) * max(height, 0.0)
    return bool(areas[0] <= area <= areas[1])
