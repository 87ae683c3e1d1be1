"""Layouts: named boxes and areas that photos are searched with, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from detector.labels import ID_BY_NAME, NAME_BY_ID
from featurestore.packing import FRAME_SIDE
from gallery.errors import QueryRefused

MAX_LAYOUT_OBJECTS = 20
MAX_REGION_POINTS = 500
# Objects that are all fainter than this are more likely none; measured with `manage.py evaluate`.
FAINT_SCORE = 0.15
# Less of an object than this within a part of a photo belongs to what is outside.
PART_OF_OBJECT = 0.5
# Boxes with a shorter side, in 0..1 of the photo's, are less than a pixel of the frame: they say
# nothing about a place.
MIN_SIDE = 0.003

Unit = Annotated[float, Field(ge=0, le=1)]
Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in 0..1 of the photo's sides."""


@dataclass(frozen=True)
class Layout:
    """Objects and their places."""

    objects: NDArray[np.float32]
    """(m, 6) rows of [class_id, score, xmin, ymin, xmax, ymax] in the 300×300 frame."""
    region: NDArray[np.float32] | None = None
    """(p, 2) corners, in 0..1 of the sides, of an area that one object has in place of its box."""
    region_row: int = -1
    """The object that has it."""

    @property
    def is_faint(self) -> bool:
        """Whether there is no object that is halfway sure."""
        return bool(self.objects[:, 1].max(initial=0) < FAINT_SCORE)

    def within(self, part: Box) -> Layout:
        """The objects that lie in a part of the photo, where they are."""
        boxes = self.objects[:, 2:] / FRAME_SIDE
        low = np.maximum(boxes[:, :2], part[:2])
        high = np.minimum(boxes[:, 2:], part[2:])
        inside = np.clip(high - low, 0, None).prod(axis=1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        kept = (areas > 0) & (inside >= PART_OF_OBJECT * areas)
        if self.region is None or not kept[self.region_row]:
            return Layout(self.objects[kept])
        return Layout(self.objects[kept], self.region, int(kept[: self.region_row].sum()))

    def to_json(self) -> str:
        """What `parse_layout` reads, to a hundredth of a per cent of the sides.

        Boxes that `parse_layout` refuses for being thin are left out, and so are all after the
        first `MAX_LAYOUT_OBJECTS`.
        """
        items = [
            LayoutObject(
                object=NAME_BY_ID[int(class_id)],
                score=round(float(score), 4),
                box=None if row == self.region_row else _rounded(box),
                region=[(round(x, 4), round(y, 4)) for x, y in self.region.tolist()]
                if self.region is not None and row == self.region_row
                else None,
            )
            for row, (class_id, score, *box) in enumerate(self.objects.tolist())
            if not _is_thin(_rounded(box))
        ]
        return _LAYOUT.dump_json(items[:MAX_LAYOUT_OBJECTS], exclude_defaults=True).decode()


class LayoutObject(BaseModel):
    """A named box or area, in 0..1 of the photo's sides."""

    model_config = ConfigDict(extra="forbid")

    object: str
    box: tuple[Unit, Unit, Unit, Unit] | None = None
    """xmin, ymin, xmax, ymax"""
    region: Annotated[
        list[tuple[Unit, Unit]] | None, Field(min_length=3, max_length=MAX_REGION_POINTS)
    ] = None
    """Corners of an area, in the place of a box; one object of a layout may have one."""
    score: Unit = 1.0

    @model_validator(mode="after")
    def _has_one_place(self) -> LayoutObject:
        if (self.box is None) == (self.region is None):
            raise ValueError("should have a box or a region, one of them")
        return self


LayoutObjects = Annotated[list[LayoutObject], Field(min_length=1, max_length=MAX_LAYOUT_OBJECTS)]
_LAYOUT = TypeAdapter(LayoutObjects)


def parse_layout(text: str) -> Layout:
    """Read `[{"object": "dog", "box": [0.1, 0.2, 0.5, 0.9]}, …]`. Raises QueryRefused."""
    try:
        items = _LAYOUT.validate_json(text)
    except ValidationError as error:
        raise QueryRefused(layout_problem(error.errors()[0])) from None
    return layout_of(items)


def layout_problem(error: Mapping[str, Any]) -> str:
    """A sentence for what pydantic says of a layout; its `loc` begins within the layout."""
    kind, place, where = error["type"], tuple(error["loc"]), _("This layout")
    match kind, place:
        case "json_invalid", _place:
            return _("This layout is not JSON.")
        case "too_short", ():
            return _("This layout has no object in it. Draw or name one at least.")
        case "too_long", ():
            return _("A layout has at most %(most)s objects.") % {"most": MAX_LAYOUT_OBJECTS}
        case _kind, ():
            return _("A layout is a list of objects, each with its name and its box.")
    if isinstance(place[0], int):
        where = _("Object %(number)s of this layout") % {"number": place[0] + 1}
    facts: dict[str, object] = {"where": where, "most": MAX_REGION_POINTS}
    match kind, place[1:]:
        case (("greater_than_equal" | "less_than_equal"), ("box" | "region", *_rest)):
            sentence = _(
                "%(where)s should lie within the photo: its places are numbers from 0 to 1."
            )
        case (("greater_than_equal" | "less_than_equal"), ("score",)):
            sentence = _("%(where)s should have a score from 0 to 1.")
        case _kind, ("box", *_rest):
            sentence = _("%(where)s should have four numbers as its box: left, top, right, bottom.")
        case _kind, ("region", *_rest):
            sentence = _("%(where)s should have from 3 to %(most)s corners as its region.")
        case "missing", (str(name),):
            sentence = _("%(where)s lacks its %(name)s.")
            facts["name"] = name
        case "extra_forbidden", (str(name),):
            sentence = _("%(where)s has “%(name)s”, which no layout has.")
            facts["name"] = name[:50]
        case _kind, ():
            sentence = _("%(where)s should have a name and a box or a region, one of them.")
        case _rest:
            sentence = _("%(where)s cannot be read: %(why)s.")
            facts["why"] = error["msg"]
    return sentence % facts


def layout_of(items: list[LayoutObject]) -> Layout:
    """Raises QueryRefused on an unknown object, an empty box or a second region."""
    rows = []
    region, region_row = None, -1
    for row, item in enumerate(items):
        class_id = ID_BY_NAME.get(item.object.strip().lower())
        if class_id is None:
            raise QueryRefused(
                _("The gallery knows no object “%(name)s”.") % {"name": item.object[:50]}
            )
        box = item.box
        if item.region is not None:
            if region is not None:
                raise QueryRefused(_("Only one object of a layout can have a region."))
            region, region_row = np.array(item.region, np.float32), row
            box = (*region.min(axis=0).tolist(), *region.max(axis=0).tolist())
        xmin, ymin, xmax, ymax = (side * FRAME_SIDE for side in box or ())
        if xmin >= xmax or ymin >= ymax:
            raise QueryRefused(
                _("A box should have its first corner above and left of its second.")
            )
        if _is_thin(_rounded(np.array([xmin, ymin, xmax, ymax], np.float32).tolist())):
            raise QueryRefused(
                _("The box of “%(name)s” is too thin to be compared. Draw it larger.")
                % {"name": item.object[:50]}
            )
        rows.append((class_id, item.score, xmin, ymin, xmax, ymax))
    return Layout(np.array(rows, np.float32).reshape(-1, 6), region, region_row)


def parse_part(text: str) -> Box:
    """Read "xmin,ymin,xmax,ymax" in 0..1 of a photo's sides. Raises QueryRefused."""
    try:
        xmin, ymin, xmax, ymax = (float(number) for number in text.split(","))
    except ValueError:
        raise QueryRefused(
            _("A part of a photo is four numbers: left, top, right, bottom.")
        ) from None
    if not (0 <= xmin < xmax <= 1 and 0 <= ymin < ymax <= 1):
        raise QueryRefused(
            _("A part of a photo lies within it: four numbers that rise from 0 to 1.")
        )
    return xmin, ymin, xmax, ymax


def _rounded(box: list[float]) -> Box:
    xmin, ymin, xmax, ymax = (min(max(round(side / FRAME_SIDE, 4), 0.0), 1.0) for side in box)
    return xmin, ymin, xmax, ymax


def _is_thin(box: Box) -> bool:
    xmin, ymin, xmax, ymax = box
    return round(min(xmax - xmin, ymax - ymin), 4) < MIN_SIDE


def unit_box(row: NDArray[np.float32]) -> Box:
    """The box of a detector's row as xyxy in 0..1 of the photo's sides."""
    xmin, ymin, xmax, ymax = (float(side) / FRAME_SIDE for side in row[2:6])
    return xmin, ymin, xmax, ymax
