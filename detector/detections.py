"""Detections: what a detector answers, and the checks on both ends of it.

An array of detections is float32 (n, 20, 6): for each image up to 20 rows
`[class_id, score, xmin, ymin, xmax, ymax]` by falling score, the rest zeros. `class_id` is the
COCO category id (0 marks an empty row), `score` lies in (0, 1], boxes are xyxy in pixels of the
300×300 frame that the photo was squeezed into.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import BadDetectorAnswer
from detector.labels import CLASS_IDS

#: uint8 (n, 300, 300, 3), RGB.
Images: TypeAlias = NDArray[np.uint8]
#: float32 (n, 20, 6), rows as told above.
Detections: TypeAlias = NDArray[np.float32]

IMAGE_SIZE = 300
MAX_DETECTIONS = 20
ROW_LENGTH = 6
CLASS_ID, SCORE, XMIN, YMIN, XMAX, YMAX = range(ROW_LENGTH)

#: Boxes are clipped to the frame in float32, so a border may be off by rounding.
BORDER_TOLERANCE = 1e-3


def check_images(images: NDArray[Any]) -> Images:
    """Return `images` if they are uint8 (n, 300, 300, 3), else raise ValueError."""
    expected = f"uint8 (n, {IMAGE_SIZE}, {IMAGE_SIZE}, 3)"
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(f"images: expected {expected}, got {images.dtype} {images.shape}")
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE, 3):
        raise ValueError(f"images: expected {expected}, got {images.dtype} {images.shape}")
    return images


def check_detections(
    detections: NDArray[Any], count: int | None = None, rows: int = MAX_DETECTIONS
) -> Detections:
    """Return `detections` if they are what this module describes.

    `count` is the number of images asked about (None: any), `rows` the rows per image. Raises
    `BadDetectorAnswer`, which is a ValueError, naming what was expected and what came.
    """
    expected_shape = ("n" if count is None else count, rows, ROW_LENGTH)
    shape_fits = detections.ndim == 3 and detections.shape[1:] == expected_shape[1:]
    if count is not None and shape_fits:
        shape_fits = detections.shape[0] == count
    if detections.dtype != np.float32 or not shape_fits:
        expected = "({}, {}, {})".format(*expected_shape)
        raise BadDetectorAnswer(
            f"detections: expected float32 {expected}, got {detections.dtype} {detections.shape}"
        )
    _check_values(detections)
    return detections


def _check_values(detections: Detections) -> None:
    if not np.isfinite(detections).all():
        raise BadDetectorAnswer("detections: expected finite numbers, got NaN or infinity")
    class_ids, scores = detections[..., CLASS_ID], detections[..., SCORE]
    if not np.isin(class_ids, (0, *CLASS_IDS)).all():
        raise BadDetectorAnswer("detections: expected class ids of COCO, or 0")
    if ((scores < 0) | (scores > 1)).any():
        raise BadDetectorAnswer(
            f"detections: expected scores in 0..1, got {scores.min():g}..{scores.max():g}"
        )
    if (np.diff(scores, axis=1) > 0).any():
        raise BadDetectorAnswer("detections: expected rows by falling score")
    if detections[class_ids == 0].any():
        raise BadDetectorAnswer("detections: expected zeros in rows of class 0")
    corners = detections[..., XMIN:]
    low, high = -BORDER_TOLERANCE, IMAGE_SIZE + BORDER_TOLERANCE
    if ((corners < low) | (corners > high)).any():
        raise BadDetectorAnswer(f"detections: expected boxes inside 0..{IMAGE_SIZE}")
    if (corners[..., :2] > corners[..., 2:]).any():
        raise BadDetectorAnswer("detections: expected boxes with xmin <= xmax and ymin <= ymax")
