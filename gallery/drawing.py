"""Boxes and areas as they are drawn over a photo or an empty frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from django.utils.safestring import SafeString, mark_safe
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from featurestore.packing import FRAME_SIDE
from featurestore.posting_kernels import SURE_SCORE
from gallery.figures import percentage
from gallery.layouts import Box, Layout, unit_box
from gallery.object_names import shown_name

# The stylesheet has this many colours for boxes.
COLOURS = 8
# A drawing belongs to no photo; its frame is shown in this shape.
DRAWING_WIDTH, DRAWING_HEIGHT = 400, 300


@dataclass(frozen=True)
class DrawnBox:
    """A named rectangle, or an area, in the pixels of the upright photo."""

    label: str
    score: float
    colour: int
    """0..COLOURS - 1"""
    x: float
    y: float
    width: float
    height: float
    points: str = ""
    """The corners of an area as SVG takes them; "" for a rectangle."""
    by_person: bool = False
    """Whether a person drew or changed it."""

    # A page has hundreds of boxes, and templates are slow with numbers.
    @cached_property
    def place(self) -> SafeString:
        """The attributes of an SVG rectangle."""
        # Nothing but numbers.
        return mark_safe(f'x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}"')

    @cached_property
    def corner(self) -> str:
        """Left and top, as SVG translates."""
        return f"{self.x} {self.y}"

    @cached_property
    def shown(self) -> str:
        """Its name as the reader calls it."""
        return shown_name(self.label)

    @cached_property
    def told(self) -> str:
        """Its name and how sure it is: "cat 97%"."""
        return f"{self.shown} {percentage(self.score)}"

    def mirrored(self, width: int) -> DrawnBox:
        """With left and right exchanged on a picture of a width."""
        corners = [corner.split(",") for corner in self.points.split()]
        points = " ".join(f"{round(width - float(x), 1)},{y}" for x, y in corners)
        return replace(self, x=round(width - self.x - self.width, 1), points=points)


def class_colours(class_ids: Iterable[int]) -> dict[int, int]:
    """The colour of each class of one photo, 0..COLOURS - 1, in the order in which it shows them.

    A class has the same colour on most photos. Where one shown before has it already, it has the
    next free one; a photo of more classes than colours has some of them twice.
    """
    colours: dict[int, int] = {}
    for class_id in class_ids:
        if class_id in colours:
            continue
        places = (place % COLOURS for place in range(class_id, class_id + COLOURS))
        free = (colour for colour in places if colour not in colours.values())
        colours[class_id] = next(free, class_id % COLOURS)
    return colours


def sure_objects(detections: NDArray[np.float32]) -> NDArray[np.float32]:
    """(k, 6) those of (m, 6) detections, with or without padding, that are surely there."""
    return detections[(detections[:, 0] > 0) & (detections[:, 1] >= SURE_SCORE)]


def drawn_layout(layout: Layout, width: int, height: int) -> list[DrawnBox]:
    """The sure objects of a query, each in the colour of its place in the layout."""
    return [
        drawn_layout_object(layout, place, width, height)
        for place, score in enumerate(layout.objects[:, 1].tolist())
        if score >= SURE_SCORE
    ]


def drawn_layout_object(layout: Layout, place: int, width: int, height: int) -> DrawnBox:
    """One object of a query, as a rectangle or as the area that it has."""
    row = layout.objects[place]
    points = ""
    if layout.region is not None and place == layout.region_row:
        corners = (layout.region * (width, height)).round(1).tolist()
        points = " ".join(f"{x},{y}" for x, y in corners)
    name = NAME_BY_ID[int(row[0])]
    return drawn_box(name, float(row[1]), place, unit_box(row), width, height, points)


def place_in_layout(layout: Layout, box: Box) -> int:
    """Which object of a layout has this box, in 0..1 of the sides."""
    distances = np.abs(layout.objects[:, 2:] / FRAME_SIDE - np.array(box)).sum(axis=1)
    return int(distances.argmin())


def drawn_box(
    label: str,
    score: float,
    colour: int,
    box: Box,
    width: int,
    height: int,
    points: str = "",
    *,
    by_person: bool = False,
) -> DrawnBox:
    """A box in 0..1 of the sides, drawn over width × height pixels; any colour is taken round."""
    xmin, ymin, xmax, ymax = box
    return DrawnBox(
        label=label,
        score=score,
        colour=colour % COLOURS,
        x=round(xmin * width, 1),
        y=round(ymin * height, 1),
        width=round((xmax - xmin) * width, 1),
        height=round((ymax - ymin) * height, 1),
        points=points,
        by_person=by_person,
    )
