"""The judge of photo search: how much the ground-truth layouts of two images resemble each other.

Two objects of one class are worth M·W together, where M is the IoU of their boxes and W the
square root of their mean area. Objects are assigned one to one so that the sum is greatest, and
the gain is that sum as a part of what two equal layouts would reach:

    gain = Σ M·W / mean of both images' Σ √area

Boxes lie in the unit square, so that size and shape of the photos do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gallery.evaluation.truth import TrueImage


def layout_gains(images: Sequence[TrueImage]) -> NDArray[np.float64]:
    """(n, n) symmetric gains of all pairs of images, each in 0..1.

    0 where two images share no class or no place; 1 on the diagonal, save for images without an
    object.
    """
    gains = np.zeros((len(images), len(images)), np.float64)
    for row, image in enumerate(images):
        for other_row in range(row, len(images)):
            gains[row, other_row] = layout_gain(image, images[other_row])
    return np.maximum(gains, gains.T)


def layout_gain(a: TrueImage, b: TrueImage) -> float:
    """The gain of one pair of images, 0..1."""
    if not np.isin(a.class_ids, b.class_ids).any():
        return 0.0
    worth = _worth(a, b)
    if not worth.any():
        return 0.0
    matched = linear_sum_assignment(worth, maximize=True)
    full = (np.sqrt(_areas(a.unit_boxes)).sum() + np.sqrt(_areas(b.unit_boxes)).sum()) / 2
    return float(worth[matched].sum() / full)


def share_a_class(images: Sequence[TrueImage]) -> NDArray[np.bool_]:
    """(n,) which images hold an object of a class that another image holds too."""
    classes = [set(image.class_ids.tolist()) for image in images]
    images_by_class: dict[int, int] = {}
    for held in classes:
        for class_id in held:
            images_by_class[class_id] = images_by_class.get(class_id, 0) + 1
    return np.array([any(images_by_class[c] > 1 for c in held) for held in classes], np.bool_)


def _worth(a: TrueImage, b: TrueImage) -> NDArray[np.float64]:
    """(m, k) M·W of each object of one image with each of the other."""
    first, second = a.unit_boxes[:, None, :], b.unit_boxes[None, :, :]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    overlap = np.clip(sides, 0, None).prod(axis=2)
    areas = _areas(a.unit_boxes)[:, None], _areas(b.unit_boxes)[None, :]
    union = areas[0] + areas[1] - overlap
    iou = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    same_class = a.class_ids[:, None] == b.class_ids[None, :]
    worth: NDArray[np.float64] = np.where(same_class, iou, 0) * np.sqrt((areas[0] + areas[1]) / 2)
    return worth


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas
