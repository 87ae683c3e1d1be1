"""Layouts as somebody would draw them from memory, and what they should find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.layout_gain import layout_gain
from gallery.evaluation.queries import SEED
from gallery.evaluation.truth import FRAME_SIDE, TrueImage, Truth

FEWEST_OBJECTS = 2
MOST_OBJECTS = 5
# How far an edge may be off, as a part of the box's side.
JITTER = 0.05


@dataclass(frozen=True)
class DrawnLayout:
    """The largest objects of an image, each edge a little off, and nothing else of it."""

    row: int
    """The image that was drawn."""
    objects: NDArray[np.float32]
    """(m, 6) rows of [class_id, 1, xmin, ymin, xmax, ymax] in the 300×300 frame."""

    def gains(self, images: Sequence[TrueImage]) -> NDArray[np.float64]:
        """(n,) layout gain of each image with the drawing, as if it were a photo."""
        drawn = TrueImage(
            file_name="",
            width=int(FRAME_SIDE),
            height=int(FRAME_SIDE),
            coco_split="",
            class_ids=self.objects[:, 0].astype(np.int64),
            boxes=self.objects[:, 2:].astype(np.float64),
        )
        return np.array([layout_gain(drawn, image) for image in images], np.float64)


def drawn_layouts(truth: Truth, seed: int = SEED) -> list[DrawnLayout]:
    """One drawing of every image with at least two objects.

    How many objects are drawn is chosen evenly from 2 to 5, or to as many as there are; they are
    the largest by area, largest first. Each edge moves by up to `JITTER` of its box's width or
    height, evenly distributed, but not out of the frame.
    """
    generator = np.random.default_rng(seed)
    layouts = []
    for row, image in enumerate(truth.images):
        most = min(len(image.class_ids), MOST_OBJECTS)
        if most < FEWEST_OBJECTS:
            continue
        count = int(generator.integers(FEWEST_OBJECTS, most, endpoint=True))
        boxes = image.unit_boxes * FRAME_SIDE
        sides = boxes[:, 2:] - boxes[:, :2]
        largest = np.argsort(-sides.prod(axis=1), kind="stable")[:count]
        objects = np.ones((count, 6), np.float32)
        objects[:, 0] = image.class_ids[largest]
        moves = generator.uniform(-JITTER, JITTER, (count, 4)) * np.tile(sides[largest], 2)
        objects[:, 2:] = np.clip(boxes[largest] + moves, 0, FRAME_SIDE)
        layouts.append(DrawnLayout(row, objects))
    return layouts
