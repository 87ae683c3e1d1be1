"""Text queries about several things at once, and which images answer them by the ground truth."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray

from featurestore.relations import holds
from gallery.evaluation.queries import MIN_RELEVANT, JudgedQuery, sample
from gallery.evaluation.truth import FRAME_SIDE, TrueImage, Truth

MIN_RELEVANT_NEGATED = 5
MIN_REJECTED = 3


def together_queries(truth: Truth, number: int) -> list[JudgedQuery]:
    """ "dog and bicycle": images that hold an object of each of so many classes."""
    held_together = Counter(
        classes for image in truth.images for classes in combinations(_classes(image), number)
    )
    often = sorted(classes for classes, count in held_together.items() if count >= MIN_RELEVANT)
    return [
        JudgedQuery(" and ".join(_names(truth, classes)), _hold_all(truth, classes))
        for classes in sample(often)
    ]


def negation_queries(truth: Truth) -> list[JudgedQuery]:
    """ "person -chair": images that hold a person and no chair.

    Only pairs where the negation matters: images with both are to be rejected.
    """
    held = {class_id: truth.holds(class_id) for class_id in sorted(truth.class_names)}
    often = []
    for wanted, unwanted in permutations(held, 2):
        rejected = int((held[wanted] & held[unwanted]).sum())
        relevant = int(held[wanted].sum()) - rejected
        if relevant >= MIN_RELEVANT_NEGATED and rejected >= MIN_REJECTED:
            often.append((wanted, unwanted))
    return [
        JudgedQuery(" -".join(_names(truth, pair)), held[pair[0]] & ~held[pair[1]])
        for pair in sample(often)
    ]


def only_queries(truth: Truth) -> list[JudgedQuery]:
    """ "only dog", "only dog and person": images that hold these classes and no other.

    For two classes, an image has to hold both.
    """
    of_images = [_classes(image) for image in truth.images]
    counts = Counter(classes for classes in of_images if len(classes) in (1, 2))
    often = sorted(classes for classes, count in counts.items() if count >= MIN_RELEVANT)
    return [
        JudgedQuery(
            "only " + " and ".join(_names(truth, classes)),
            np.array([held == classes for held in of_images], np.bool_),
        )
        for classes in sample(often)
    ]


def relation_queries(truth: Truth, name: str, code: int) -> list[JudgedQuery]:
    """ "person left of car": images where some person lies so to some car.

    Args:
        name: the relation as it is typed.
        code: what `featurestore.relations.holds` calls it.
    """
    related = [_related_classes(image, code) for image in truth.images]
    counts = Counter(pair for pairs in related for pair in pairs)
    often = sorted(pair for pair, count in counts.items() if count >= MIN_RELEVANT)
    return [
        JudgedQuery(
            f" {name} ".join(_names(truth, pair)),
            np.array([pair in pairs for pairs in related], np.bool_),
        )
        for pair in sample(often)
    ]


def _related_classes(image: TrueImage, code: int) -> set[tuple[int, int]]:
    """The classes of every two objects of which the first lies so to the second."""
    boxes = (image.unit_boxes * FRAME_SIDE).astype(np.float32)
    class_ids = image.class_ids.tolist()
    return {
        (class_ids[a], class_ids[b])
        for a, b in product(range(len(boxes)), repeat=2)
        if a != b and holds(code, boxes[a], boxes[b])
    }


def _classes(image: TrueImage) -> tuple[int, ...]:
    return tuple(np.unique(image.class_ids).tolist())


def _hold_all(truth: Truth, classes: tuple[int, ...]) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = np.all([truth.holds(class_id) for class_id in classes], axis=0)
    return held


def _names(truth: Truth, classes: tuple[int, ...]) -> list[str]:
    return [truth.class_names[class_id] for class_id in classes]
