"""How two boxes lie to each other: the spatial relations that a text query may ask for.

Boxes are xyxy in the 300×300 frame, y pointing down, as detectors give them. Edges belong to a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.packing import FRAME_SIDE

LEFT_OF: Final = 0
RIGHT_OF: Final = 1
ABOVE: Final = 2
BELOW: Final = 3
INSIDE: Final = 4
ON: Final = 5
NEAR: Final = 6
TOUCHING: Final = 7

RELATIONS: Mapping[str, int] = MappingProxyType(
    {
        "left of": LEFT_OF,
        "right of": RIGHT_OF,
        "above": ABOVE,
        "below": BELOW,
        "inside": INSIDE,
        "on": ON,
        "near": NEAR,
        "touching": TOUCHING,
    }
)
"""The code of each relation, as `holds` takes it."""

# A cup stands in the sink although its handle sticks out.
INSIDE_PART = 0.8
# The box of a rider reaches a little below that of the board.
ON_OVERHANG = 0.05 * FRAME_SIDE
NEAR_DISTANCE = 0.1 * FRAME_SIDE

Box = NDArray[np.float32] | Sequence[float]


@compiled
def holds(code: int, a: Box, b: Box) -> bool:
    """Whether box a lies so to box b, such as "a left of b".

    - left of, right of, above, below: each box ends before the centre of the other begins. Boxes
      may overlap by less than half, as those of people who stand side by side do.
    - inside: at least `INSIDE_PART` of a's area lies in b, which is larger; a has an area.
    - on: the boxes meet, a's centre is above b's and between b's sides, and a's lower edge lies
      between b's edges or at most `ON_OVERHANG` below.
    - near: at most `NEAR_DISTANCE` between the nearest points; 0 where they meet.
    - touching: they meet, if only in a point.

    Args:
        code: one of the values of `RELATIONS`; any other never holds.
        a: xmin, ymin, xmax, ymax; in compiled code a tuple does as well as an array.
        b: likewise.
    """
    if code == LEFT_OF:
        return _ends_before(a[0], a[2], b[0], b[2])
    if code == RIGHT_OF:
        return _ends_before(b[0], b[2], a[0], a[2])
    if code == ABOVE:
        return _ends_before(a[1], a[3], b[1], b[3])
    if code == BELOW:
        return _ends_before(b[1], b[3], a[1], a[3])
    if code == INSIDE:
        of_a = _area(a)
        return bool(_shared_area(a, b) >= INSIDE_PART * of_a and 0 < of_a < _area(b))
    if code == ON:
        centre_x = (np.float64(a[0]) + a[2]) / 2
        return bool(
            _distance(a, b) == 0
            and b[0] <= centre_x <= b[2]
            and b[1] <= a[3] <= b[3] + ON_OVERHANG
            and np.float64(a[1]) + a[3] < np.float64(b[1]) + b[3]
        )
    if code == NEAR:
        return _distance(a, b) <= NEAR_DISTANCE
    if code == TOUCHING:
        return _distance(a, b) == 0
    return False


@compiled
def _ends_before(a_start: float, a_end: float, b_start: float, b_end: float) -> bool:
    """Whether a side's end lies before the other's centre, and its centre before the other."""
    a_centre = (np.float64(a_start) + a_end) / 2
    b_centre = (np.float64(b_start) + b_end) / 2
    return bool(a_end <= b_centre and a_centre <= b_start)


@compiled
def _area(box: Box) -> float:
    return (np.float64(box[2]) - box[0]) * (np.float64(box[3]) - box[1])


@compiled
def _shared_area(a: Box, b: Box) -> float:
    width = np.float64(min(a[2], b[2])) - max(a[0], b[0])
    height = np.float64(min(a[3], b[3])) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


@compiled
def _distance(a: Box, b: Box) -> float:
    """Between the nearest points of two boxes; 0 where they meet."""
    x = max(np.float64(a[0]) - b[2], np.float64(b[0]) - a[2], 0.0)
    y = max(np.float64(a[1]) - b[3], np.float64(b[1]) - a[3], 0.0)
    return float(np.hypot(x, y))
