"""The layout score of every image, compiled: one pass over the packed objects of each class.

Objects of a class lie by rising image row, so those of an image are a run. Blocks of whole runs are
scored a few hundred objects at a time, by loops that read few arrays and have no branch, which the
compiler turns into vector instructions; scratch stays in the processor's nearest cache. Nothing
depends on where a range of rows begins or a block ends, so neither do the scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled, compiled_for_vectors
from featurestore.packing import BOX_UNIT, STEPS
from featurestore.posting_kernels import first_at
from featurestore.regions import SIDE

# What a right object in a wrong place is worth beside one in the right place;
# measured on the photo set with `manage.py evaluate`.
PRESENCE = 0.02

# An image has at most 20 objects, or 100 that people drew, so that many runs fit into a block.
_BLOCK = 1024

_ZERO, _ONE, _TINY = np.float32(0), np.float32(1), np.float32(1e-30)
_AREA_UNIT = np.float32(1 / STEPS**2)
_SCORE_UNIT = np.float32(1 / STEPS)
_PRESENCE = np.float32(PRESENCE)
_PRESENCE_SCALE = np.float32(1 / (1 + PRESENCE))

_PIXEL_UNIT = np.float32(BOX_UNIT)
_CORNERS = np.int32(SIDE + 2)
_NEXT, _NEXT_ROW = np.uint64(1), np.uint64(SIDE + 2)

Floats = NDArray[np.float32]
Steps = NDArray[np.uint16]
Rows = NDArray[np.int32]
Number = float | np.float32


@compiled_for_vectors
def score_rows(
    first_row: int,
    stop_row: int,
    image_rows: Rows,
    scores: Steps,
    boxes: Steps,
    image_weights: Floats,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    query_starts: NDArray[np.int64],
    query_boxes: Floats,
    query_areas: Floats,
    query_weights: Floats,
    region_row: int,
    region_integrals: Floats,
    result: Floats,
) -> None:
    """Set the layout scores of the images first_row:stop_row.

    Args:
        image_rows: (m,) of all objects.
        scores: (m,)
        boxes: (4, m)
        image_weights: (n,) sums of the weights of each image's objects.
        starts: (c,) where the objects of each class of the query begin.
        stops: (c,) where they end.
        query_starts: (c + 1,) the query's objects of class k are query_starts[k]:[k + 1].
        query_boxes: (sides, q, 4) xyxy in steps, by class; sides are the layout and its mirror.
        query_areas: (q,) in square steps.
        query_weights: (q,) from `object_weight`.
        region_row: the query's object that is a region instead of a box, or -1.
        region_integrals: (sides, 302, 302) of that region in square steps: `Region.integral`
            and a column and a row more, which are read but do not count.
        result: (n,)
    """
    sides = len(query_boxes)
    gains = np.zeros((sides, stop_row - first_row), np.float32)
    # Arrays of their own: loops over parts of one array get no vector instructions.
    areas, weights = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    shared, value = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    best, gain = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    scan, nothing = np.empty(_BLOCK, np.float32), np.zeros(_BLOCK, np.float32)
    cell = np.empty(_BLOCK, np.int32)
    across, down = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    for k in range(len(starts)):
        at = first_at(image_rows, starts[k], stops[k], first_row)
        end = first_at(image_rows, at, stops[k], stop_row)
        while at < end:
            stop = _end_of_runs(image_rows, at, end)
            count = stop - at
            rows = image_rows[at:stop]
            xmin, ymin = boxes[0, at:stop], boxes[1, at:stop]
            xmax, ymax = boxes[2, at:stop], boxes[3, at:stop]
            _set_areas(xmin, ymin, xmax, ymax, areas)
            _set_weights(areas, scores[at:stop], weights)
            reach = _longest_reach(rows)
            for side in range(sides):
                best[:count] = _ZERO
                gain[:count] = _ZERO
                for i in range(query_starts[k], query_starts[k + 1]):
                    if i == region_row:
                        # The area that each object's box shares with the region.
                        cells = region_integrals[side].ravel()
                        shared[:count] = _ZERO
                        _add_integral(cells, _ONE, xmax, ymax, cell, across, down, shared)
                        _add_integral(cells, -_ONE, xmin, ymax, cell, across, down, shared)
                        _add_integral(cells, -_ONE, xmax, ymin, cell, across, down, shared)
                        _add_integral(cells, _ONE, xmin, ymin, cell, across, down, shared)
                        _raise_to(shared[:count], nothing[:count])
                    else:
                        _share_box(query_boxes[side, i], xmin, ymin, xmax, ymax, shared)
                    _set_values(
                        shared, areas, weights, query_areas[i], query_weights[i], value[:count]
                    )
                    _raise_to(best, value[:count])
                    _move_best_to_run_ends(rows, value[:count], scan, reach)
                    _add_run_ends(rows, value, gain)
                _add_gains(rows, first_row, best, gain, gains[side])
            at = stop
    query_weight = _ZERO
    for weight in query_weights:
        query_weight += weight
    _divide(gains, query_weight, image_weights[first_row:stop_row], result[first_row:stop_row])


@compiled
def _end_of_runs(image_rows: Rows, at: int, end: int) -> int:
    """The last end of a run that is at most a block away."""
    stop = at + _BLOCK
    if stop >= end:
        return end
    while stop > at and image_rows[stop] == image_rows[stop - 1]:
        stop -= 1
    return stop if stop > at else at + _BLOCK


@compiled_for_vectors
def object_weight(area: Number, score: Number) -> np.float32:
    """⁴√area · score^1.5 from square steps and steps, with the frame's area as 1."""
    sureness = np.float32(score) * _SCORE_UNIT
    side = np.sqrt(np.float32(area) * _AREA_UNIT)
    weight: np.float32 = np.sqrt(side * (sureness * sureness * sureness))
    return weight


@compiled_for_vectors
def _set_areas(xmin: Steps, ymin: Steps, xmax: Steps, ymax: Steps, areas: Floats) -> None:
    for j in range(len(xmin)):
        width = np.float32(xmax[j]) - np.float32(xmin[j])
        height = np.float32(ymax[j]) - np.float32(ymin[j])
        areas[j] = max(width, _ZERO) * max(height, _ZERO)


@compiled_for_vectors
def _set_weights(areas: Floats, scores: Steps, weights: Floats) -> None:
    for j in range(len(scores)):
        weights[j] = object_weight(areas[j], np.float32(scores[j]))


@compiled_for_vectors
def _share_box(
    box: Floats, xmin: Steps, ymin: Steps, xmax: Steps, ymax: Steps, shared: Floats
) -> None:
    """Set the area that each object's box shares with one of the query."""
    left, top, right, bottom = box[0], box[1], box[2], box[3]
    for j in range(len(xmin)):
        width = min(right, np.float32(xmax[j])) - max(left, np.float32(xmin[j]))
        height = min(bottom, np.float32(ymax[j])) - max(top, np.float32(ymin[j]))
        shared[j] = max(width, _ZERO) * max(height, _ZERO)


@compiled_for_vectors
def _add_integral(
    cells: Floats,
    sign: Number,
    x: Steps,
    y: Steps,
    cell: Rows,
    across: Floats,
    down: Floats,
    shared: Floats,
) -> None:
    """Add a region's integral at each point, between the four corners of its pixel.

    Args:
        cells: (302 · 302,) the integral, by rows.
        cell, across, down: scratch for the place of each point.
    """
    for j in range(len(x)):
        right, below = np.float32(x[j]) * _PIXEL_UNIT, np.float32(y[j]) * _PIXEL_UNIT
        column, row = np.int32(right), np.int32(below)
        across[j], down[j] = right - np.float32(column), below - np.float32(row)
        cell[j] = row * _CORNERS + column
    for j in range(len(x)):
        # Unsigned, since an index that might be negative takes a test.
        at = np.uint64(cell[j])
        left, right = _ONE - across[j], across[j]
        upper = cells[at] * left + cells[at + _NEXT] * right
        lower = cells[at + _NEXT_ROW] * left + cells[at + _NEXT_ROW + _NEXT] * right
        shared[j] += sign * (upper * (_ONE - down[j]) + lower * down[j])


@compiled_for_vectors
def _set_values(
    shared: Floats, areas: Floats, weights: Floats, area: Number, weight: Number, value: Floats
) -> None:
    """Set what each object is worth as an answer to one of the query: v of the definition."""
    for j in range(len(value)):
        iou = shared[j] / max(area + areas[j] - shared[j], _TINY)
        value[j] = (iou + _PRESENCE) * _PRESENCE_SCALE * min(weight, weights[j])


@compiled_for_vectors
def _raise_to(best: Floats, value: Floats) -> None:
    for j in range(len(value)):
        best[j] = max(best[j], value[j])


@compiled
def _longest_reach(rows: Rows) -> int:
    """The first of 1, 2, 4 … places that parts each object from all others of its run."""
    distance = 1
    while distance < len(rows):
        # A slice, since a sum of indices might be negative, which costs vector instructions.
        later = rows[distance:]
        met = np.int32(0)
        for j in range(len(later)):
            met |= np.int32(rows[j] == later[j])
        if met == 0:
            break
        distance *= 2
    return distance


@compiled_for_vectors
def _move_best_to_run_ends(rows: Rows, value: Floats, scan: Floats, reach: int) -> None:
    """Raise each value to the one 1, then 2, 4 … places before it, where that is of its run."""
    distance = 1
    while distance < reach:
        later_rows, later = rows[distance:], value[distance:]
        for j in range(len(later)):
            before = value[j] if rows[j] == later_rows[j] else _ZERO
            scan[j] = max(later[j], before)
        for j in range(len(later)):
            later[j] = scan[j]
        distance *= 2


@compiled_for_vectors
def _add_run_ends(rows: Rows, value: Floats, gain: Floats) -> None:
    later = rows[1:]
    for j in range(len(later)):
        gain[j] += value[j] if rows[j] != later[j] else _ZERO
    last = len(rows) - 1
    gain[last] += value[last]


@compiled_for_vectors
def _add_gains(rows: Rows, first_row: int, best: Floats, gain: Floats, gains: Floats) -> None:
    for j in range(len(rows)):
        gains[np.uint32(rows[j] - first_row)] += best[j] + gain[j]


@compiled_for_vectors
def _divide(gains: Floats, query_weight: Number, image_weights: Floats, result: Floats) -> None:
    """Set the score of the better side; rounding may not lift it above 1."""
    for side in range(len(gains)):
        of_side = gains[side]
        for row in range(len(result)):
            score = min(of_side[row] / max(query_weight + image_weights[row], _TINY), _ONE)
            result[row] = score if side == 0 else max(result[row], score)
