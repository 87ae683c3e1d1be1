"""Which objects of a query and of one image answer each other, compiled: why it has its score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled_for_vectors
from featurestore.layout_kernel import PRESENCE, object_weight
from featurestore.packing import BOX_UNIT, STEPS
from featurestore.regions import shared_area

Floats = NDArray[np.float32]


@compiled_for_vectors
def pair_objects(
    class_ids: NDArray[np.int64],
    query_boxes: Floats,
    query_areas: Floats,
    query_weights: Floats,
    region_row: int,
    region_integral: Floats,
    detections: Floats,
    image_weight: float,
) -> NDArray[np.float64]:
    """The pairs that make up the score of one image.

    Args:
        class_ids: (q,) of the query's objects. What else is of the query is as
            `layout_kernel.score_rows` takes it, of one side.
        detections: (k, 6) objects of the image.
        image_weight: sum of the weights of the image's objects; below 0 for that of `detections`.

    Returns:
        (p, 4) rows of [query object, image object, IoU, part of the score], where one is the
        other's best answer: a part counts once for each direction in which that is so.
    """
    asked, found = len(class_ids), len(detections)
    ious, values = np.zeros((asked, found)), np.zeros((asked, found))
    total = max(image_weight, 0.0)
    for i in range(asked):
        total += float(query_weights[i])
    box = np.empty(4, np.float32)
    for j in range(found):
        for side in range(4):
            box[side] = np.rint(detections[j, 2 + side] / BOX_UNIT)
        area = _shared(box, box)
        weight = object_weight(area, np.float32(np.rint(detections[j, 1] * float(STEPS))))
        if image_weight < 0:
            total += float(weight)
        for i in range(asked):
            if class_ids[i] != int(detections[j, 0]):
                continue
            if i == region_row:
                xmin, ymin, xmax, ymax = box * BOX_UNIT
                shared = shared_area(region_integral, xmin, ymin, xmax, ymax)
            else:
                shared = _shared(query_boxes[i], box)
            ious[i, j] = shared / max(query_areas[i] + area - shared, 1.0)
            worth = (ious[i, j] + PRESENCE) / (1 + PRESENCE)
            values[i, j] = worth * min(query_weights[i], weight)
    return _best_both_ways(ious, values, total)


@compiled_for_vectors
def _shared(a: Floats, b: Floats) -> float:
    """The area that two boxes share."""
    width = float(min(a[2], b[2])) - max(a[0], b[0])
    height = float(min(a[3], b[3])) - max(a[1], b[1])
    return float(max(width, 0.0) * max(height, 0.0))


@compiled_for_vectors
def _best_both_ways(
    ious: NDArray[np.float64], values: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """(p, 4) as `pair_objects` returns them, from (q, k) IoUs and values."""
    asked, found = values.shape
    times = np.zeros((asked, found))
    if asked and found:
        for i in range(asked):
            times[i, values[i].argmax()] += 1
        for j in range(found):
            times[values[:, j].argmax(), j] += 1
    pairs = np.empty((asked * found, 4))
    count = 0
    for i in range(asked):
        for j in range(found):
            if times[i, j] > 0 and values[i, j] > 0:
                pairs[count, 0], pairs[count, 1], pairs[count, 2] = i, j, ious[i, j]
                pairs[count, 3] = times[i, j] * values[i, j] / total
                count += 1
    return pairs[:count]
