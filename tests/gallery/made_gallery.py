"""A gallery of photos that were never taken: rows and features written as ingestion does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from detector import MAX_DETECTIONS
from detector.labels import ID_BY_NAME
from gallery import components
from gallery.features import features_of
from gallery.models import Image

Object = tuple[str, float, tuple[float, float, float, float]]
"""Class, score and box, xmin, ymin, xmax, ymax in 0..1 of the photo's sides."""

LEFT = (0.05, 0.3, 0.4, 0.9)
RIGHT = (0.6, 0.3, 0.95, 0.9)
MIDDLE = (0.3, 0.2, 0.7, 0.8)


def rows_of(objects: Sequence[Object]) -> NDArray[np.float32]:
    """(20, 6) as the detector gives them: by falling score, padded, in the 300×300 frame."""
    rows = np.zeros((MAX_DETECTIONS, 6), np.float32)
    for row, (name, score, box) in enumerate(sorted(objects, key=lambda one: -one[1])):
        rows[row] = [ID_BY_NAME[name], score, *(300 * side for side in box)]
    return rows


def add_photo(
    name: str,
    objects: Sequence[Object] | None,
    *,
    size: tuple[int, int] = (640, 480),
    media_type: str = "image/jpeg",
    uploaded_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    state: Image.State = Image.State.READY,
) -> Image:
    """A photo of the gallery with these objects; None for one without features."""
    image = Image.objects.create(
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        name=name,
        media_type=media_type,
        size=1,
        width=size[0],
        height=size[1],
        uploaded_at=uploaded_at,
        state=state,
    )
    if objects is not None:
        features = features_of([image.pk], rows_of(objects)[None], components.vocabulary())
        components.store().append_features(components.model_id(), features)
    return image


def row_of_boxes(name: str, count: int, score: float = 0.9) -> list[Object]:
    """So many objects of a class side by side."""
    width = 0.9 / count
    return [
        (name, score, (0.05 + at * width, 0.4, 0.05 + (at + 0.8) * width, 0.7))
        for at in range(count)
    ]
