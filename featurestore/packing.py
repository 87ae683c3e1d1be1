"""Scores and boxes as 16-bit whole numbers, in which an index keeps them.

A step is 1/65535 of a score and 1/218 pixel of the 300×300 frame: far below what a detector knows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 65535
FRAME_SIDE = 300.0

# A packed score or coordinate times its unit gives it back, the highest exactly.
SCORE_UNIT = 1 / STEPS
BOX_UNIT = FRAME_SIDE / STEPS
# Of an object's score and box.
STEPS_OF_OBJECT = np.array([STEPS, *[STEPS / FRAME_SIDE] * 4])


def pack_scores(scores: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Scores of 0..1 as 0..65535; what lies outside is taken for the nearest."""
    return _packed(scores, STEPS)


def unpack_scores(packed: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Scores of 0..1."""
    return (packed * SCORE_UNIT).astype(np.float32)


def pack_boxes(boxes: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Coordinates of 0..300 as 0..65535; what lies outside is taken for the nearest."""
    return _packed(boxes, STEPS / FRAME_SIDE)


def unpack_boxes(packed: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Coordinates of 0..300."""
    return (packed * BOX_UNIT).astype(np.float32)


def pack_objects(detections: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(k, 5) score and box of each of (k, 6) objects, as the two above have them."""
    return _packed(detections[:, 1:], STEPS_OF_OBJECT)


def _packed(values: NDArray[np.float32], steps: float | NDArray[np.float64]) -> NDArray[np.uint16]:
    rounded = np.rint(np.asarray(values, np.float64) * steps)
    np.maximum(rounded, 0, out=rounded)
    return np.minimum(rounded, STEPS, out=rounded).astype(np.uint16)
