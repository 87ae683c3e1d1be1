"""Boxes as they are drawn over a photo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from gallery.features import SURE_SCORE
from gallery.reasons import Reason, unit_box

# The stylesheet has this many colours for boxes.
COLOURS = 8
# A pair of boxes that overlaps less explains nothing to the eye.
TELLING_IOU = 0.1


@dataclass(frozen=True)
class DrawnBox:
    """A named rectangle in the pixels of the upright photo."""

    label: str
    score: float
    colour: int
    """0..COLOURS - 1"""
    x: float
    y: float
    width: float
    height: float


def drawn_detections(detections: NDArray[np.float32], width: int, height: int) -> list[DrawnBox]:
    """The sure objects of an image of width × height pixels, one colour a class.

    Args:
        detections: (20, 6) with or without padding.
    """
    sure = detections[(detections[:, 0] > 0) & (detections[:, 1] >= SURE_SCORE)]
    return [
        _drawn(NAME_BY_ID[int(row[0])], float(row[1]), int(row[0]), unit_box(row), width, height)
        for row in sure
    ]


def telling_reasons(reasons: list[Reason]) -> list[Reason]:
    """The reasons that a person can see: sure and overlapping, each object once, a colour for each.

    There is at least one where there is any.
    """
    telling: dict[tuple[float, float, float, float], Reason] = {}
    for reason in reasons:
        sure = reason.score >= SURE_SCORE and reason.similarity >= TELLING_IOU
        if reason.query_box is None or sure:
            telling.setdefault(reason.box, reason)
    return (list(telling.values()) or reasons[:1])[:COLOURS]


def drawn_reasons(reasons: Iterable[Reason], width: int, height: int) -> list[DrawnBox]:
    """The image's objects of a hit's reasons, one colour a reason."""
    return [
        _drawn(reason.object, reason.score, place, reason.box, width, height)
        for place, reason in enumerate(reasons)
    ]


def drawn_query(reasons: Iterable[Reason], width: int, height: int) -> list[DrawnBox]:
    """The query's objects of the same reasons, in the colours of their partners."""
    return [
        _drawn(reason.asked, reason.score, place, reason.query_box, width, height)
        for place, reason in enumerate(reasons)
        if reason.query_box is not None
    ]


def _drawn(
    label: str,
    score: float,
    colour: int,
    box: tuple[float, float, float, float],
    width: int,
    height: int,
) -> DrawnBox:
    xmin, ymin, xmax, ymax = box
    return DrawnBox(
        label=label,
        score=score,
        colour=colour % COLOURS,
        x=round(xmin * width, 1),
        y=round(ymin * height, 1),
        width=round((xmax - xmin) * width, 1),
        height=round((ymax - ymin) * height, 1),
    )
