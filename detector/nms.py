"""Non-maximum suppression: from the network's raw boxes and scores to at most 20 detections.

Soft-NMS (Bodla et al. 2017, Gaussian decay) with a hard cut at high overlap, and box voting
(Gidaris & Komodakis 2015). Classes do not disturb each other; one anchor may stand for several.
Repeat, until no score is above `score_threshold` or all rows are filled:

1. take the candidate with the highest remaining score, the k-th of its class for score / k: the
   twelfth faint person of a crowd leaves its row to the only cup on the table;
2. report as its box the mean of the boxes of its class that overlap it by at least `vote_iou`,
   weighted by raw score · IoU, which places the box better than any single anchor does;
3. multiply the remaining scores of its class by exp(-IoU² / sigma), or by 0 above
   `iou_threshold`.

`detector/export/tf_nms.py` says the same in TensorFlow operations; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from detector.detections import IMAGE_SIZE, MAX_DETECTIONS, ROW_LENGTH, Detections
from detector.nms_settings import DEFAULT_SETTINGS, NmsSettings

Floats = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., object])


def _compiled(function: Function) -> Function:
    """A function that numba makes machine code of at its first call, once for all processes."""
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:
        # There is no folder that the code could be kept in.
        return cast(Function, numba.njit(nogil=True)(function))


def suppress(
    boxes: Floats,
    scores: Floats,
    settings: NmsSettings = DEFAULT_SETTINGS,
    rows: int = MAX_DETECTIONS,
) -> Detections:
    """Return float32 (n, rows, 6) detections in the 300 frame, by falling score, zero-padded.

    `boxes` is float32 (n, anchors, 4), [ymin, xmin, ymax, xmax] with the frame as unit square,
    as the network gives them; `scores` is float32 (n, anchors, 90), the column of category id c
    being c - 1.
    """
    detections = np.zeros((len(boxes), rows, ROW_LENGTH), np.float32)
    for image_boxes, image_scores, image_rows in zip(boxes, scores, detections, strict=True):
        found = _suppress_one(
            *_candidates(image_boxes, image_scores, settings),
            np.float32(settings.score_threshold),
            np.float32(settings.iou_threshold),
            np.float32(settings.sigma),
            np.float32(settings.vote_iou),
            image_rows,
        )
        image_rows[:found] = image_rows[np.argsort(-image_rows[:found, 1], kind="stable")]
    return detections


def _candidates(
    boxes: Floats, scores: Floats, settings: NmsSettings
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return boxes (k, 4) xyxy in the 300 frame, scores (k,) falling, and class ids (k,)."""
    flat = scores.ravel()
    pairs = np.flatnonzero(flat > settings.score_threshold)
    pairs = pairs[np.argsort(-flat[pairs], kind="stable")][: settings.max_candidates]
    anchors, columns = np.divmod(pairs, scores.shape[1])
    frame = np.clip(boxes[anchors], 0.0, 1.0)[:, [1, 0, 3, 2]] * np.float32(IMAGE_SIZE)
    return frame, flat[pairs], columns + 1


@_compiled
def iou(box: Floats, other: Floats) -> np.float32:
    """Intersection over union of two boxes, xyxy; 0 where the union is empty."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    shared = max(width, np.float32(0)) * max(height, np.float32(0))
    union = (
        (box[2] - box[0]) * (box[3] - box[1])
        + (other[2] - other[0]) * (other[3] - other[1])
        - shared
    )
    return np.float32(shared / union if union > 0 else 0)


@_compiled
def _suppress_one(
    boxes: Floats,
    scores: Floats,
    class_ids: NDArray[np.int64],
    score_threshold: np.float32,
    iou_threshold: np.float32,
    sigma: np.float32,
    vote_iou: np.float32,
    rows: Floats,
) -> int:
    """Fill `rows`, zeros (rows, 6), with the detections of one image; return how many."""
    remaining = scores.copy()
    turns = np.ones_like(scores)
    for number in range(len(rows)):
        best, best_value = -1, np.float32(0)
        for other in range(len(scores)):
            value = remaining[other] / turns[other]
            if value > best_value:
                best, best_value = other, value
        if best < 0:
            return number
        row = rows[number]
        row[0] = class_ids[best]
        row[1] = remaining[best]
        total = 0.0
        xmin, ymin, xmax, ymax = 0.0, 0.0, 0.0, 0.0
        for other in range(len(scores)):
            if class_ids[other] != class_ids[best]:
                continue
            turns[other] += np.float32(1)
            # A box without area overlaps nothing, not even itself: say that it does.
            overlap = np.float32(1) if other == best else iou(boxes[best], boxes[other])
            if overlap >= vote_iou:
                vote = scores[other] * overlap
                total += vote
                xmin += vote * boxes[other, 0]
                ymin += vote * boxes[other, 1]
                xmax += vote * boxes[other, 2]
                ymax += vote * boxes[other, 3]
            if overlap > iou_threshold:
                remaining[other] = 0
            else:
                remaining[other] *= np.exp(-overlap * overlap / sigma)
            if remaining[other] <= score_threshold:
                remaining[other] = 0
        row[2], row[3], row[4], row[5] = xmin / total, ymin / total, xmax / total, ymax / total
    return len(rows)


def choose_rows(detections: Detections, limit: int = MAX_DETECTIONS) -> Detections:
    """Return float32 (n, limit, 6): the rows that `suppress` keeps of many, by falling score.

    `detections` is float32 (n, k, 6) of all that suppression left, by falling score.
    """
    chosen = np.zeros((len(detections), limit, ROW_LENGTH), np.float32)
    for rows, kept in zip(detections, chosen, strict=True):
        class_ids = rows[:, 0]
        before = np.tril(class_ids[:, None] == class_ids[None, :]).sum(axis=1)
        best = np.argsort(-rows[:, 1] / before, kind="stable")[:limit]
        kept[: len(best)] = rows[np.sort(best)]
    return chosen
