"""How much the layout of images resembles that of a query: pure functions over arrays.

A query layout is (m, 6) float32, rows of [class_id, score, xmin, ymin, xmax, ymax] like a
detector's, without padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.postings import Postings

# What a right object in a wrong place is worth beside one in the right place;
# measured on the photo set with `manage.py evaluate`.
PRESENCE = 0.02

FRAME_SIDE = 300.0


@dataclass(frozen=True)
class Pair:
    """An object of the query and the object of the image that answers it best."""

    query_object: int
    """Row of the query layout."""
    image_object: int
    """Row of the image's layout."""
    iou: float
    """Intersection over union of the boxes, 0..1."""
    agreement: float
    """(IoU + presence) · √(score · score) / (1 + presence), 0..1."""


def pairwise_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m) intersection over union of (n, 4) and (m, 4) xyxy boxes; 0 where both are empty."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - overlap
    iou = np.zeros(overlap.shape, np.float32)
    np.divide(overlap, union, out=iou, where=union > 0)
    return iou


def box_areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) areas of (n, 4) xyxy boxes."""
    areas: NDArray[np.float32] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas


def object_weights(scores: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m,) how much each object counts: ⁴√area · score, with the frame's area as 1.

    A large object counts more, but not so much that it alone decides.
    """
    sides = np.sqrt(np.sqrt(box_areas(boxes) / FRAME_SIDE**2))
    weights: NDArray[np.float32] = (sides * scores).astype(np.float32, copy=False)
    return weights


def layout_scores(postings: Postings, layout: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resemblance of every image to a query layout.

    Each object of the query is answered by the image's best object of its class, each object of
    the image by the query's best; an answer is worth (IoU + presence) · √(score · score). Each
    direction is averaged with `object_weights`; the score is the geometric mean of the two, which
    neither a photo full of other things nor one that lacks most of the query can please. It is
    divided by what the query scores against itself.

    Returns:
        (n,) in 0..1: 0 where no class is shared, 1 for the query itself.
    """
    n = len(postings)
    own = _own_score(layout)
    given, received = np.zeros(n, np.float32), np.zeros(n, np.float32)
    query_weights = object_weights(layout[:, 1], layout[:, 2:])
    for class_id in np.unique(layout[:, 0]).astype(int).tolist():
        asked = np.flatnonzero(layout[:, 0] == class_id)
        objects = postings.of_class(class_id)
        if len(objects.image_rows) == 0:
            continue
        agreement = _agreement(layout[asked, 1], layout[asked, 2:], objects.scores, objects.boxes)
        rows, starts = np.unique(objects.image_rows, return_index=True)
        best_answers = np.maximum.reduceat(agreement, starts, axis=1)
        given[rows] += query_weights[asked] @ best_answers
        weights = object_weights(objects.scores, objects.boxes)
        received[rows] += np.add.reduceat(weights * agreement.max(axis=0), starts)
    image_weights = np.zeros(n, np.float32)
    everything = postings.objects
    np.add.at(
        image_weights,
        everything.image_rows,
        object_weights(everything.scores, everything.boxes),
    )
    forward = given / max(float(query_weights.sum()), 1e-9)
    backward = received / np.maximum(image_weights, 1e-9)
    scores: NDArray[np.float32] = (np.sqrt(forward * backward) / max(own, 1e-9)).astype(np.float32)
    # Surer objects in the same places give more than 1: as far from the query as less sure ones.
    return np.where(scores > 1, 1 / np.maximum(scores, 1), scores)


def matched_pairs(layout: NDArray[np.float32], image: NDArray[np.float32]) -> list[Pair]:
    """For each object of the query, the image's best answer, if it has one; best agreement first.

    Args:
        layout: (m, 6) the query.
        image: (k, 6) the image's objects, without padding.
    """
    agreement = _agreement(layout[:, 1], layout[:, 2:], image[:, 1], image[:, 2:])
    agreement[layout[:, 0][:, None] != image[:, 0][None, :]] = 0
    iou = pairwise_iou(layout[:, 2:], image[:, 2:])
    pairs = []
    for asked in range(len(layout)):
        if len(image) and agreement[asked].max() > 0:
            answer = int(agreement[asked].argmax())
            pairs.append(
                Pair(asked, answer, float(iou[asked, answer]), float(agreement[asked, answer]))
            )
    return sorted(pairs, key=lambda pair: -pair.agreement)


def original_layout_scores(postings: Postings, layout: NDArray[np.float32]) -> NDArray[np.float32]:
    """The original system's photo score: mean of score and relative area over same-class pairs.

    It never looks at overlap; kept as a baseline for every figure.
    """
    n = len(postings)
    totals, counts = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for class_id, score, *box in layout.tolist():
        objects = postings.of_class(int(class_id))
        query_area = box_areas(np.array([box], np.float32))[0] / FRAME_SIDE**2
        areas = box_areas(objects.boxes) / FRAME_SIDE**2
        worth = (score + objects.scores + query_area + areas) / 4
        np.add.at(totals, objects.image_rows, worth)
        np.add.at(counts, objects.image_rows, 1)
    return np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)


def _own_score(layout: NDArray[np.float32]) -> float:
    """What `layout_scores` would give a layout for itself, before that division."""
    agreement = _agreement(layout[:, 1], layout[:, 2:], layout[:, 1], layout[:, 2:])
    agreement[layout[:, 0][:, None] != layout[:, 0][None, :]] = 0
    weights = object_weights(layout[:, 1], layout[:, 2:])
    # The agreement of a layout with itself is symmetric, so both directions are one.
    return float((weights @ agreement.max(axis=1, initial=0)) / max(float(weights.sum()), 1e-9))


def _agreement(
    query_scores: NDArray[np.float32],
    query_boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    boxes: NDArray[np.float32],
) -> NDArray[np.float32]:
    iou = pairwise_iou(query_boxes, boxes)
    sureness = np.sqrt(query_scores[:, None] * scores[None, :])
    agreement: NDArray[np.float32] = (iou + PRESENCE) * sureness / (1 + PRESENCE)
    return agreement
