"""What the canvas offers to draw: all object classes, the most usual first."""

from __future__ import annotations

from dataclasses import dataclass

from detector.labels import NAME_BY_ID
from featurestore.posting_kernels import SURE_SCORE
from gallery import components

SHAPES = ("4:3", "3:4", "1:1", "16:9")
# Objects that can be chosen with one press.
QUICK_OBJECTS = 8


@dataclass(frozen=True)
class DrawableObject:
    name: str
    images: int
    """How many photos surely show one."""


def drawable_objects() -> list[DrawableObject]:
    """All classes, those that most photos show first, then by name."""
    counts = components.index().images_per_class(SURE_SCORE)
    objects = [DrawableObject(name, int(counts[id_])) for id_, name in NAME_BY_ID.items()]
    return sorted(objects, key=lambda thing: (-thing.images, thing.name))


def nearest_shape(width: int, height: int) -> str:
    """The frame that is most like a photo."""
    return min(SHAPES, key=lambda shape: abs(_ratio(shape) / (width / height) - 1))


def _ratio(shape: str) -> float:
    width, height = shape.split(":")
    return int(width) / int(height)
