"""Small hand-made truths."""

from __future__ import annotations

import numpy as np

from gallery.evaluation.truth import TrueImage, Truth

PERSON, CAR, CAT, DOG, TOOTHBRUSH = 1, 3, 17, 18, 90
CLASS_NAMES = {PERSON: "person", CAR: "car", CAT: "cat", DOG: "dog", TOOTHBRUSH: "toothbrush"}

FULL = [0.0, 0.0, 100.0, 100.0]
LEFT = [0.0, 0.0, 50.0, 100.0]
CORNER = [0.0, 0.0, 50.0, 50.0]

Object = tuple[int, list[float]]


def truth_of(*layouts: list[Object]) -> Truth:
    """Photos of 100×100 pixels with (class id, xyxy box) objects."""
    return Truth(
        [
            TrueImage(
                file_name=f"{number}.jpg",
                width=100,
                height=100,
                coco_split="",
                class_ids=np.array([class_id for class_id, _ in layout], np.int64),
                boxes=np.array([box for _, box in layout], np.float64).reshape(-1, 4),
            )
            for number, layout in enumerate(layouts)
        ],
        CLASS_NAMES,
    )


def holding(*classes_of_images: list[int]) -> Truth:
    """Photos with objects of these classes, wherever they are."""
    return truth_of(*([(class_id, FULL) for class_id in held] for held in classes_of_images))
