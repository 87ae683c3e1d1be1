"""Layouts as people write them, in JSON."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from detector.labels import ID_BY_NAME
from gallery.decoding import DETECTOR_SIDE
from gallery.errors import QueryRefused

MAX_LAYOUT_OBJECTS = 20

Unit = Annotated[float, Field(ge=0, le=1)]


class LayoutObject(BaseModel):
    """A named box, in 0..1 of the photo's sides."""

    model_config = ConfigDict(extra="forbid")

    object: str
    box: tuple[Unit, Unit, Unit, Unit]
    """xmin, ymin, xmax, ymax"""
    score: Unit = 1.0


_LAYOUT = TypeAdapter(
    Annotated[list[LayoutObject], Field(min_length=1, max_length=MAX_LAYOUT_OBJECTS)]
)


def parse_layout(text: str) -> NDArray[np.float32]:
    """(m, 6) layout from JSON like [{"object": "dog", "box": [0.1, 0.2, 0.5, 0.9]}].

    Raises QueryRefused.
    """
    try:
        objects = _LAYOUT.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise QueryRefused(f"This layout cannot be read: {place} {first['msg']}".strip()) from None
    rows = []
    for item in objects:
        class_id = ID_BY_NAME.get(item.object.strip().lower())
        if class_id is None:
            raise QueryRefused(f"The gallery knows no object “{item.object[:50]}”.")
        xmin, ymin, xmax, ymax = (side * DETECTOR_SIDE for side in item.box)
        if xmin >= xmax or ymin >= ymax:
            raise QueryRefused("A box should have its first corner above and left of its second.")
        rows.append((class_id, item.score, xmin, ymin, xmax, ymax))
    return np.array(rows, np.float32)
