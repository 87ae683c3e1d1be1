"""What a detector would find in photos that there are not: any number of them, drawn by chance.

Without real photos, classes come with the frequencies of the objects in COCO's training photos,
but for persons, which a detector finds more often: they are 40 % of all. An image has 7 objects on
average (Poisson, 1 to 20). Scores are U-shaped, as a detector's are: many faint objects, many sure
ones, few between. Boxes have log-normal areas (median 4 % of the frame) and aspects, and any place.
Classes of one image are drawn without regard to each other.

With real photos, each made one has the objects of one of them, scores and boxes moved a little and
half of them mirrored, so that classes come together as they do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from detector.labels import CLASS_IDS
from featurestore.packing import FRAME_SIDE
from featurestore.posting_kernels import SURE_SCORE
from featurestore.segments import MAX_OBJECTS, Features

Rows = NDArray[np.float32]
Source = Callable[[np.random.Generator, int], Rows]
"""Takes a number of images and gives (n, 20, 6) detections of them."""

MEAN_OBJECTS = 7
PERSON_SHARE = 0.4

# Objects of each class in COCO's training photos, in hundreds, by rising class id.
COCO_HUNDREDS = """
    2625 71 439 87 51 61 46 100 108 129 19 20 13 98 108 48 55 66 95 81
    55 13 53 51 87 114 124 65 62 27 66 27 63 91 33 37 55 61 48 243
    79 207 55 78 62 144 95 59 44 64 73 79 29 58 72 64 385 58 87 42
    157 42 58 50 23 57 29 64 17 33 2 56 26 247 63 66 15 48 2 20
"""


def class_shares() -> NDArray[np.float64]:
    """(80,) how much of all objects each class is, by rising class id."""
    shares = np.array(COCO_HUNDREDS.split(), np.float64)
    shares[1:] *= (1 - PERSON_SHARE) / shares[1:].sum()
    shares[0] = PERSON_SHARE
    return shares


def drawn_detections(random: np.random.Generator, images: int) -> Rows:
    """Detections of photos that resemble none: see above."""
    count = images * MAX_OBJECTS
    rows = np.empty((count, 6), np.float32)
    rows[:, 0] = random.choice(np.array(CLASS_IDS), count, p=class_shares())
    rows[:, 1] = 0.03 + 0.97 * random.beta(0.5, 0.7, count)
    rows[:, 2:] = drawn_boxes(random, count)
    detections = rows.reshape(images, MAX_OBJECTS, 6)
    counts = np.clip(random.poisson(MEAN_OBJECTS, images), 1, MAX_OBJECTS)
    return _by_falling_score(detections, np.arange(MAX_OBJECTS) < counts[:, None])


def drawn_boxes(random: np.random.Generator, count: int) -> Rows:
    """(count, 4) xyxy in the frame."""
    areas = np.minimum(np.exp(random.normal(np.log(0.04), 1.5, count)), 0.9)
    aspects = np.exp(random.normal(0, 0.5, count) / 2)
    sizes = np.clip(np.stack([np.sqrt(areas) / aspects, np.sqrt(areas) * aspects]), 0.01, 1)
    corners = random.random((2, count)) * (1 - sizes)
    boxes = np.concatenate([corners, corners + sizes]).T * FRAME_SIDE
    return boxes.astype(np.float32)


def like(found: Rows) -> Source:
    """Made photos like real ones, whose (p, 20, 6) detections are given."""

    def source(random: np.random.Generator, images: int) -> Rows:
        detections = found[random.integers(0, len(found), images)]
        there = detections[:, :, 0] > 0
        boxes = detections[:, :, 2:]
        turned = random.random(images) < 0.5
        boxes[turned] = boxes[turned][:, :, [2, 1, 0, 3]]
        boxes[turned, :, ::2] = FRAME_SIDE - boxes[turned, :, ::2]
        sizes = np.tile(boxes[:, :, 2:] - boxes[:, :, :2], 2)
        boxes += random.standard_normal(boxes.shape, np.float32) * 0.05 * sizes
        np.clip(boxes, 0, FRAME_SIDE, out=boxes)
        boxes[:, :, 2:] = np.maximum(boxes[:, :, 2:], boxes[:, :, :2])
        noise = random.standard_normal(there.shape, np.float32)
        detections[:, :, 1] = np.clip(detections[:, :, 1] * (1 + 0.1 * noise), 0.03, 1)
        detections[:, :, 2:] = boxes
        return _by_falling_score(detections, there)

    return source


def made_features(
    source: Source,
    random: np.random.Generator,
    images: int,
    class_vectors: NDArray[np.float32],
    *,
    first_id: int = 1,
    batch: int = 50_000,
) -> Iterator[Features]:
    """Features of made photos, batch by batch.

    Args:
        class_vectors: (80, 50) vector of each class's name, by rising class id.
    """
    for start in range(0, images, batch):
        count = min(batch, images - start)
        detections = source(random, count)
        yield Features(
            image_ids=np.arange(first_id + start, first_id + start + count),
            ssd=detections,
            nlp=_sentence_vectors(detections, class_vectors),
            written_at=np.full(count, time.time_ns()),
        )


def _sentence_vectors(detections: Rows, class_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 50) mean vector of the classes that are surely there, as `features_of` has it."""
    images, places = np.nonzero(detections[:, :, 1] >= SURE_SCORE)
    classes = np.searchsorted(CLASS_IDS, detections[images, places, 0].astype(np.int64))
    counts = np.zeros((len(detections), len(class_vectors)), np.float32)
    np.add.at(counts, (images, classes), 1)
    sums: NDArray[np.float32] = counts @ class_vectors
    sums /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return sums


def _by_falling_score(detections: Rows, there: NDArray[np.bool_]) -> Rows:
    """Detections with the rows that are not there all 0, and last."""
    detections[~there] = 0
    order = np.argsort(-detections[:, :, 1], axis=1, kind="stable")
    sorted_rows: Rows = np.take_along_axis(detections, order[:, :, None], axis=1)
    return sorted_rows
