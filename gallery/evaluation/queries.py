"""The words that text search is measured with.

They measure. The product must not know them, or it would be measured by its own answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gallery.evaluation.truth import Truth

CLASS_NAME_BY_SYNONYM: Mapping[str, str] = MappingProxyType(
    {
        "puppy": "dog",
        "kitten": "cat",
        "automobile": "car",
        "bike": "bicycle",
        "sofa": "couch",
        "television": "tv",
        "plane": "airplane",
        "motorbike": "motorcycle",
        "man": "person",
        "woman": "person",
        "doughnut": "donut",
        "fridge": "refrigerator",
        "cellphone": "cell phone",
        "lorry": "truck",
        "cattle": "cow",
        "ship": "boat",
        "desk": "dining table",
        "mug": "cup",
        "pony": "horse",
        "jet": "airplane",
        "minivan": "car",
        "hound": "dog",
        "racquet": "tennis racket",
        "surfer": "surfboard",
        "stove": "oven",
        "armchair": "chair",
        "lamb": "sheep",
        "pup": "dog",
        "girl": "person",
        "wristwatch": "clock",
        "backpacks": "backpack",
        "freezer": "refrigerator",
    }
)


def name_queries(truth: Truth) -> dict[str, int]:
    """Category id by query term: each class name as it is, of classes that some image holds."""
    return {name: id_ for id_, name in truth.class_names.items() if truth.holds(id_).any()}


def synonym_queries(truth: Truth) -> dict[str, int]:
    """Category id by query term: words that people use for a class that some image holds."""
    held = name_queries(truth)
    return {synonym: held[name] for synonym, name in CLASS_NAME_BY_SYNONYM.items() if name in held}
