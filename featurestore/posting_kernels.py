"""Compiled loops that make, merge and read the packed objects of `postings`.

Objects lie by class, then by rising image row, then by falling score; `class_starts` is (92,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.packing import BOX_UNIT, FRAME_SIDE, SCORE_UNIT, STEPS

MAX_CLASS_ID = 90

# A detector finds at most 20 objects in an image; people may say that there are more.
MOST_OBJECTS = 100

# An object this sure is in the photo; `emptiness` looks at no others.
SURE_SCORE = 0.3
SURE_STEPS = round(SURE_SCORE * STEPS)

# A score of 1 is one that rounds to it: without this rest its image would be empty of nothing.
LEAST_DOUBT = SCORE_UNIT / 2


@compiled
def count_objects(detections: NDArray[np.float32]) -> NDArray[np.int64]:
    """(92,) class starts of the objects of (n, k, 6) detections."""
    starts = np.zeros(MAX_CLASS_ID + 2, np.int64)
    for image in range(detections.shape[0]):
        for place in range(detections.shape[1]):
            class_id = int(detections[image, place, 0])
            if 1 <= class_id <= MAX_CLASS_ID:
                starts[class_id + 1] += 1
    return np.cumsum(starts)


@compiled
def pack_objects(
    detections: NDArray[np.float32],
    order: NDArray[np.int64],
    class_starts: NDArray[np.int64],
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    boxes: NDArray[np.uint16],
) -> None:
    """Sort the objects of (n, k, 6) detections, taken in `order`, into (m,) and (4, m) columns."""
    free = class_starts.copy()
    for row in range(len(order)):
        image = detections[order[row]]
        for place in range(image.shape[0]):
            class_id = int(image[place, 0])
            if not 1 <= class_id <= MAX_CLASS_ID:
                continue
            score = np.uint16(_rounded(image[place, 1], 1.0))
            to = free[class_id]
            free[class_id] += 1
            # Detectors give falling scores, so this hardly ever turns round.
            while (
                to > class_starts[class_id] and image_rows[to - 1] == row and scores[to - 1] < score
            ):
                image_rows[to] = image_rows[to - 1]
                scores[to] = scores[to - 1]
                for side in range(4):
                    boxes[side, to] = boxes[side, to - 1]
                to -= 1
            image_rows[to] = row
            scores[to] = score
            for side in range(4):
                boxes[side, to] = np.uint16(_rounded(image[place, 2 + side], FRAME_SIDE))


@compiled
def _rounded(value: float, highest: float) -> float:
    """A value of 0 to the highest in steps, as `packing` rounds it."""
    steps = float(np.rint(np.float64(value) * (STEPS / highest)))
    return min(max(steps, 0.0), float(STEPS))


@compiled
def sum_images(
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    boxes: NDArray[np.uint16],
    layout_weights: NDArray[np.float64],
    emptiness: NDArray[np.float64],
) -> None:
    """Add up the columns of images over all objects; they should hold 0 and 1 before."""
    for place in range(len(image_rows)):
        row = image_rows[place]
        score = scores[place] * SCORE_UNIT
        width = max(0.0, (float(boxes[2, place]) - float(boxes[0, place])) * (1 / STEPS))
        height = max(0.0, (float(boxes[3, place]) - float(boxes[1, place])) * (1 / STEPS))
        layout_weights[row] += np.sqrt(np.sqrt(width * height)) * score * np.sqrt(score)
        if scores[place] >= SURE_STEPS:
            emptiness[row] *= max(1 - score, LEAST_DOUBT)


@compiled
def merge_objects(
    left_starts: NDArray[np.int64],
    left_image_rows: NDArray[np.int32],
    left_scores: NDArray[np.uint16],
    left_boxes: NDArray[np.uint16],
    left_new_rows: NDArray[np.int32],
    right_starts: NDArray[np.int64],
    right_image_rows: NDArray[np.int32],
    right_scores: NDArray[np.uint16],
    right_boxes: NDArray[np.uint16],
    right_new_rows: NDArray[np.int32],
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    boxes: NDArray[np.uint16],
) -> NDArray[np.int64]:
    """Merge two sets of objects class by class; returns the class starts of what was written.

    Args:
        left_new_rows: the row that each image gets, rising; below 0 where it is left out.
        image_rows: (m,) room for all objects of both; the number written is the last start.
    """
    starts = np.zeros(MAX_CLASS_ID + 2, np.int64)
    to = 0
    for class_id in range(MAX_CLASS_ID + 1):
        left, left_stop = left_starts[class_id], left_starts[class_id + 1]
        right, right_stop = right_starts[class_id], right_starts[class_id + 1]
        while left < left_stop or right < right_stop:
            if left < left_stop and left_new_rows[left_image_rows[left]] < 0:
                left += 1
                continue
            if right < right_stop and right_new_rows[right_image_rows[right]] < 0:
                right += 1
                continue
            if right == right_stop or (
                left < left_stop
                and left_new_rows[left_image_rows[left]] < right_new_rows[right_image_rows[right]]
            ):
                image_rows[to] = left_new_rows[left_image_rows[left]]
                scores[to] = left_scores[left]
                for side in range(4):
                    boxes[side, to] = left_boxes[side, left]
                left += 1
            else:
                image_rows[to] = right_new_rows[right_image_rows[right]]
                scores[to] = right_scores[right]
                for side in range(4):
                    boxes[side, to] = right_boxes[side, right]
                right += 1
            to += 1
        starts[class_id + 1] = to
    return starts


@compiled
def copy_rows(
    values: NDArray[np.float32], new_rows: NDArray[np.int32], copy: NDArray[np.float32]
) -> None:
    """Copy each row of (n, d) values to its new place; those below 0 are left out."""
    for row in range(len(new_rows)):
        if new_rows[row] >= 0:
            copy[new_rows[row]] = values[row]


@compiled
def first_at(image_rows: NDArray[np.int32], start: int, stop: int, row: int) -> int:
    """The first place from start to stop whose image row is not below `row`, else stop."""
    while start < stop:
        middle = (start + stop) >> 1
        if image_rows[middle] < row:
            start = middle + 1
        else:
            stop = middle
    return start


@compiled
def find_objects(
    class_starts: NDArray[np.int64],
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    boxes: NDArray[np.uint16],
    row: int,
    class_ids: NDArray[np.int64],
    found: NDArray[np.float32],
) -> int:
    """Write objects of some classes of an image into (k, 6) `found`, by falling score.

    Returns how many there are; not more than k are written.
    """
    count = 0
    for class_id in class_ids:
        stop = class_starts[class_id + 1]
        place = first_at(image_rows, class_starts[class_id], stop, row)
        while place < stop and image_rows[place] == row and count < len(found):
            score = np.float32(scores[place] * SCORE_UNIT)
            to = count
            while to > 0 and found[to - 1, 1] < score:
                found[to] = found[to - 1]
                to -= 1
            found[to, 0] = class_id
            found[to, 1] = score
            for side in range(4):
                found[to, 2 + side] = np.float32(boxes[side, place] * BOX_UNIT)
            count += 1
            place += 1
    return count


@compiled
def objects_in_place(
    class_starts: NDArray[np.int64], image_rows: NDArray[np.int32], images: int
) -> bool:
    """Whether classes follow each other without a gap, and their rows rise and are of images."""
    if class_starts[0] != 0 or class_starts[-1] != len(image_rows):
        return False
    for class_id in range(len(class_starts) - 1):
        start, stop = class_starts[class_id], class_starts[class_id + 1]
        if not 0 <= start <= stop <= len(image_rows):
            return False
        previous = 0
        for place in range(start, stop):
            row = image_rows[place]
            if row < previous:
                return False
            previous = row
        if previous >= images and stop > start:
            return False
    return True
