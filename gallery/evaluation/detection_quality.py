"""How well the detector finds the marked objects: COCO's mAP, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from gallery.evaluation.truth import FRAME_SIDE, TrueImage, Truth


@dataclass(frozen=True)
class DetectionQuality:
    """Detection measures over a set of images."""

    mean_average_precision: float
    """Mean over classes and IoU thresholds 0.50:0.95, 0..1."""
    ap50: float
    """Mean over classes at IoU 0.50, 0..1."""
    images: int


def detection_quality(truth: Truth, detections: NDArray[np.float32]) -> DetectionQuality | None:
    """COCO's measures of detections against the truth.

    Args:
        truth: n images.
        detections: (n, k, 6) rows of [class_id, score, xmin, ymin, xmax, ymax] in the 300×300
            frame; class_id 0 is an empty row.

    Returns:
        None where no image holds an object, for which the measures are undefined.
    """
    objects = _true_objects(truth.images)
    if not objects:
        return None
    results = _found_objects(truth.images, detections)
    if len(results) == 0:
        # pycocotools cannot load an empty list of results.
        return DetectionQuality(0.0, 0.0, len(truth.images))
    # pycocotools reports each of its steps on stdout, where `--json` is to stand alone.
    with contextlib.redirect_stdout(io.StringIO()):
        expected = _coco(truth, objects)
        found = expected.loadRes(results)
        evaluation = COCOeval(expected, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return DetectionQuality(
        mean_average_precision=float(evaluation.stats[0]),
        ap50=float(evaluation.stats[1]),
        images=len(truth.images),
    )


def detection_quality_of_split(
    truth: Truth, detections: NDArray[np.float32], coco_split: str
) -> DetectionQuality | None:
    """The same over the images of one COCO subset alone; None where there are none.

    A detector has seen the images that it was trained on, so train2017 flatters it.
    """
    rows = [row for row, image in enumerate(truth.images) if image.coco_split == coco_split]
    part = Truth([truth.images[row] for row in rows], truth.class_names)
    return detection_quality(part, detections[rows])


def _coco(truth: Truth, objects: list[dict[str, object]]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": number} for number in range(1, len(truth.images) + 1)],
        "categories": [{"id": id_, "name": name} for id_, name in truth.class_names.items()],
        "annotations": objects,
    }
    coco.createIndex()
    return coco


def _true_objects(images: Sequence[TrueImage]) -> list[dict[str, object]]:
    objects: list[dict[str, object]] = []
    for number, image in enumerate(images, start=1):
        for class_id, box in zip(image.class_ids.tolist(), _xywh(image.boxes), strict=True):
            # COCO's area is that of the mask; it only sorts objects into small, medium and large,
            # which neither figure here looks at.
            objects.append(
                {
                    "id": len(objects) + 1,
                    "image_id": number,
                    "category_id": class_id,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    return objects


def _found_objects(
    images: Sequence[TrueImage], detections: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(m, 7) rows of [image number, x, y, width, height, score, class_id], as loadRes takes."""
    rows, places = np.nonzero(detections[:, :, 0] > 0)
    found = detections[rows, places].astype(np.float64)
    sides = np.array([(image.width, image.height) for image in images], np.float64).reshape(-1, 2)
    scale = np.tile(sides, 2)[rows] / FRAME_SIDE
    boxes = np.array(_xywh(found[:, 2:6] * scale), np.float64).reshape(-1, 4)
    return np.column_stack([rows + 1, boxes, found[:, 1], found[:, 0]])


def _xywh(boxes: NDArray[np.float64]) -> list[list[float]]:
    corners: list[list[float]] = np.concatenate(
        [boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1
    ).tolist()
    return corners
