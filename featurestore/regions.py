"""Regions of the frame of any shape, such as one drawn with a lasso."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled, compiled_for_vectors
from featurestore.packing import FRAME_SIDE

SIDE = int(FRAME_SIDE)

IOU_TOLERANCE = 0.005
"""How far the IoU of a region and a box of 10 × 10 pixels or more may be from the exact one."""


@dataclass(frozen=True)
class Region:
    """A part of the 300×300 frame, as the integral of how much of each pixel it covers.

    The area that it shares with a box is read off at the box's corners. Inside a pixel the covered
    part counts as spread evenly, so this area is off where the box's edge cuts pixels that the
    region's edge cuts too, by at most a quarter of a square pixel for each: see `IOU_TOLERANCE`.
    """

    integral: NDArray[np.float32]
    """(301, 301) area left of and above each corner of the pixels, in square pixels; [y, x]."""

    @classmethod
    def of_polygon(cls, points: NDArray[np.float64]) -> Region:
        """The inside of a polygon, whose last point is joined to the first.

        Where it crosses itself, what it goes around in one direction more than in the other is
        inside.

        Args:
            points: (p, 2) x and y in 0..1 of the frame's sides, y pointing down; p is 3 or more.

        Raises ValueError where the points are no such array, or go around nothing.
        """
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise ValueError(f"a polygon is (p, 2) with p of 3 or more, not {points.shape}")
        if not ((points >= 0) & (points <= 1)).all():
            raise ValueError("a polygon's points should lie in 0..1")
        coverage = np.minimum(np.abs(_winding(points * FRAME_SIDE)), 1)
        integral = np.zeros((SIDE + 1, SIDE + 1))
        integral[1:, 1:] = coverage.cumsum(axis=0).cumsum(axis=1)
        region = cls(integral.astype(np.float32))
        if region.area < 1:
            raise ValueError("a polygon should go around a pixel at least")
        return region

    @property
    def area(self) -> float:
        """Square pixels."""
        return float(self.integral[-1, -1])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """xyxy of the smallest box of whole pixels around it."""
        across = np.flatnonzero(np.diff(self.integral[-1]))
        down = np.flatnonzero(np.diff(self.integral[:, -1]))
        return float(across[0]), float(down[0]), float(across[-1] + 1), float(down[-1] + 1)

    def mirrored(self) -> Region:
        """The region with left and right exchanged."""
        return Region(np.ascontiguousarray(self.integral[:, -1:] - self.integral[:, ::-1]))

    def intersections(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(k,) areas shared with (k, 4) xyxy boxes, in square pixels."""
        areas = [shared_area(self.integral, *box) for box in boxes.tolist()]
        return np.array(areas, np.float32)


@compiled_for_vectors
def shared_area(
    integral: NDArray[np.float32], xmin: float, ymin: float, xmax: float, ymax: float
) -> float:
    """The area of a region in a box of the 300×300 frame, in the unit of its integral."""
    lower = integral_at(integral, xmax, ymax) - integral_at(integral, xmin, ymax)
    upper = integral_at(integral, xmax, ymin) - integral_at(integral, xmin, ymin)
    return max(lower - upper, 0.0)


@compiled_for_vectors
def integral_at(integral: NDArray[np.float32], x: float, y: float) -> float:
    """The integral at a point of the frame, between the four corners of its pixel."""
    column, row = min(int(x), SIDE - 1), min(int(y), SIDE - 1)
    across, down = x - column, y - row
    above = integral[row, column] * (1 - across) + integral[row, column + 1] * across
    below = integral[row + 1, column] * (1 - across) + integral[row + 1, column + 1] * across
    return float(above * (1 - down) + below * down)


@compiled
def _winding(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(300, 300) how often a polygon winds around each pixel on average; [y, x].

    Args:
        points: (p, 2) x and y in pixels.

    Each edge adds, to each row of pixels that it passes, how much of each pixel lies to the right
    of it; what is here is the difference to the pixel before, so that sums along the rows end it
    (the accumulation buffer of font-rs, by Raph Levien).
    """
    change = np.zeros((SIDE, SIDE + 2))
    for start in range(len(points)):
        end = (start + 1) % len(points)
        direction, top, bottom = 1.0, points[start], points[end]
        if bottom[1] < top[1]:
            direction, top, bottom = -1.0, bottom, top
        if bottom[1] == top[1]:
            continue
        slope = (bottom[0] - top[0]) / (bottom[1] - top[1])
        for row in range(int(top[1]), min(SIDE, int(np.ceil(bottom[1])))):
            y0, y1 = max(float(row), top[1]), min(row + 1.0, bottom[1])
            x0, x1 = top[0] + slope * (y0 - top[1]), top[0] + slope * (y1 - top[1])
            _pass_row(change[row], min(x0, x1), max(x0, x1), direction * (y1 - y0))
    for row in range(SIDE):
        for column in range(1, SIDE):
            change[row, column] += change[row, column - 1]
    return change[:, :SIDE]


@compiled
def _pass_row(change: NDArray[np.float64], left: float, right: float, height: float) -> None:
    """Add an edge that passes a row of pixels from `left` to `right` over a part of its height."""
    left, right = max(left, 0.0), min(right, float(SIDE))
    first = int(left)
    covered_before = 0.0
    for column in range(first, max(int(np.ceil(right)), first + 1)):
        # The mean over the edge of what lies to its right in this pixel.
        if right > left:
            before = (min(right, column + 1.0) - max(left, float(column))) / (right - left)
            passed = (max(left, float(column)) + min(right, column + 1.0)) / 2
            reached = (min(max(column - left, 0.0), right - left)) / (right - left)
            covered = reached + before * (column + 1 - passed)
        else:
            covered = column + 1 - left
        change[column] += height * (covered - covered_before)
        covered_before = covered
    last = max(int(np.ceil(right)), first + 1)
    change[last] += height * (1 - covered_before)
