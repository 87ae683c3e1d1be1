"""What the canvas offers to draw: all object classes, the most usual first."""

from __future__ import annotations

from dataclasses import dataclass

from detector.labels import NAME_BY_ID
from gallery import components
from gallery.class_counts import class_counts

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
    counts = class_counts.of(components.index())
    objects = [DrawableObject(name, counts.get(id_, 0)) for id_, name in NAME_BY_ID.items()]
    return sorted(objects, key=lambda thing: (-thing.images, thing.name))


def nearest_shape(width: int, height: int) -> str:
    """The frame that is most like a photo."""
    return min(SHAPES, key=lambda shape: abs(_ratio(shape) / (width / height) - 1))


def _ratio(shape: str) -> float:
    width, height = shape.split(":")
    return int(width) / int(height)
