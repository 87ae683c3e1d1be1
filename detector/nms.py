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

Why these numbers: bbox mAP on 302 COCO photos, 76 of them val2017 (20 detections an image):

    hard NMS, IoU 0.6                      0.250   val2017 0.309
    hard NMS, IoU 0.6, box voting 0.7      0.254           0.316
    soft-NMS 0.5, hard from IoU 0.7        0.254           0.312
    both                                   0.257           0.319
    both and score / k, as below           0.255           0.320

What score / k costs there it gives back in search: text mAP rises from 0.685 to 0.715.

Against a score threshold of 0.001, 0.03 costs 0.001, 0.1 costs 0.005 and 0.3 costs 0.030. So rows
below 0.3 or so carry ranking, not certainty: they are not objects to count or to show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.detections import IMAGE_SIZE, MAX_DETECTIONS, ROW_LENGTH, Detections

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NmsSettings:
    """Thresholds of the suppression. Scores and IoU lie in 0..1; `sigma` is an IoU squared."""

    score_threshold: float = 0.03
    iou_threshold: float = 0.7
    sigma: float = 0.5
    vote_iou: float = 0.7
    #: Best (anchor, class) pairs of an image that take part: bounds the work on busy photos.
    max_candidates: int = 300


DEFAULT_SETTINGS = NmsSettings()


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
        candidates = _candidates(image_boxes, image_scores, settings)
        _suppress_one(*candidates, settings, image_rows)
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


def _suppress_one(
    boxes: Floats,
    scores: Floats,
    class_ids: NDArray[np.int64],
    settings: NmsSettings,
    rows: Floats,
) -> None:
    """Fill `rows`, zeros (rows, 6), with the detections of one image."""
    remaining = scores.copy()
    turns = np.ones_like(scores)
    for row in rows if len(scores) else ():
        best = int((remaining / turns).argmax())
        score = remaining[best]
        if score == 0:
            break
        rivals = np.flatnonzero(class_ids == class_ids[best])
        turns[rivals] += 1
        overlaps = iou(boxes[best], boxes[rivals])
        # A box without area overlaps nothing, not even itself: say that it does.
        overlaps[rivals == best] = 1.0
        votes = np.where(overlaps >= settings.vote_iou, scores[rivals] * overlaps, np.float32(0))
        row[0] = class_ids[best]
        row[1] = score
        row[2:] = votes @ boxes[rivals] / votes.sum()
        decay = np.exp(-(overlaps**2) / np.float32(settings.sigma))
        remaining[rivals] *= np.where(overlaps > settings.iou_threshold, np.float32(0), decay)
        remaining[remaining <= settings.score_threshold] = 0
    rows[:] = rows[np.argsort(-rows[:, 1], kind="stable")]


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


def iou(box: Floats, boxes: Floats) -> Floats:
    """Return intersection over union, float32 (k,), of `box` (4,) with `boxes` (k, 4), xyxy."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared: Floats = np.maximum(sides, np.float32(0)).prod(axis=1)
    areas: Floats = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    area: np.float32 = (box[2:] - box[:2]).prod()
    # Where the union is empty so is the intersection, and 0 / 1 is the answer wanted.
    union = area + areas - shared
    union[union == 0] = 1
    return shared / union
