"""Filters for templates that show pictures: their shape, their words, the scale of labels."""

from __future__ import annotations

import base64
import json
from typing import Protocol

from django import template
from django.http import HttpRequest
from django.utils.translation import gettext

from detector.labels import NAME_BY_ID
from featurestore.index import Index
from gallery.alt_text import alt_text
from gallery.drawing import DrawnBox, sure_objects
from gallery.figures import grouped, percentage
from gallery.layouts import Box, unit_box
from gallery.look_names import shown_look
from gallery.meanings import Meaning
from gallery.models import Image
from gallery.neighbours import Origin, address_in_results
from gallery.object_names import shown_name
from gallery.search import detections_of
from gallery.tags.names import tag_query

register = template.Library()

# The stylesheet has a class for each tenth between these.
NARROWEST, WIDEST = 5, 30
# The shapes of grid.css, in hundredths: each 4.5% wider than the one before.
GRID_SHAPES = sorted({round(40 * 1.045**step) for step in range(69)})
# A label is drawn for a picture that is shown this many pixels wide; boxes.js refines it.
USUAL_SHOWN_WIDTH = 800
# Classes of a word that are named; more are counted.
CLASSES_NAMED = 3
# Beside what a whole photo looks like, an object class that counts less is a hint, no meaning.
LEAST_NAMED_WEIGHT = 0.05
# Originals that every browser shows, upright, and that are soon there.
SHOWN_BY_BROWSERS = {"image/jpeg", "image/png", "image/webp"}
LARGEST_SHOWN = 40 * 2**20


class Sized(Protocol):
    """Anything of a width and a height in pixels."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


@register.filter
def ratio_class(picture: Sized) -> str:
    """Width to height in tenths as a class of the stylesheet, which a strict CSP lets pass."""
    tenths = round(10 * picture.width / max(picture.height, 1))
    return f"ratio-{min(max(tenths, NARROWEST), WIDEST)}"


@register.filter
def shape_class(picture: Sized) -> str:
    """Width to height for the grid as a class of grid.css, from which it differs by 2% at most.

    Panoramas of more than 8:1 and pictures narrower than 2:5 are shown cut.
    """
    ratio = 100 * picture.width / max(picture.height, 1)
    return f"shape-{min(GRID_SHAPES, key=lambda shape: abs(shape - ratio))}"


@register.filter
def preview_text(image: Image) -> str:
    """The tiny WebP that stands in for a picture until it comes, as base64; "" without one."""
    return base64.b64encode(image.preview or b"").decode()


@register.filter
def label_scale(width: int, height: int) -> float:
    """How many of a photo's pixels one pixel of a label covers."""
    return round(max(width, height) / USUAL_SHOWN_WIDTH, 3)


@register.filter
def label_width(text: str) -> int:
    """About how many pixels a label of 13 pixels' type takes, in any font."""
    return 12 + round(7.4 * len(text))


@register.filter
def percent(share: float) -> str:
    """0..1 as percent without decimals."""
    return percentage(share)


@register.filter
def megapixels(image: Image) -> str:
    """Like 12.2, or 0.02 for small ones."""
    millions = image.width * image.height / 1e6
    return grouped(millions, 1) if millions >= 1 else grouped(max(millions, 0.01), 2)


@register.filter
def described(image: Image, index: Index) -> str:
    """What the photo surely shows and where, like "Two dogs left, a person right", else its name.

    Args:
        index: where to look, which `gallery.context` gives to all templates.
    """
    objects = sure_objects(detections_of(image.pk, index))
    return alt_text([(NAME_BY_ID[int(row[0])], unit_box(row)) for row in objects]) or image.name


@register.filter
def is_shown_by_browsers(image: Image) -> bool:
    """Whether a page may show the original itself, where its small picture is too coarse."""
    return image.media_type in SHOWN_BY_BROWSERS and image.size <= LARGEST_SHOWN


@register.simple_tag(takes_context=True)
def address_of_hit(context: template.Context, image: Image, place: int) -> str:
    """Where the photo at a place of these results is shown, its neighbours being theirs."""
    request: HttpRequest = context["request"]
    facts = request.GET.copy()
    facts.pop("offset", None)
    query = facts.urlencode(safe=",:[]")
    address = f"{request.path}?{query}" if query else request.path
    return address_in_results(image, Origin(address, place))


@register.filter
def as_objects(boxes: list[DrawnBox], picture: Sized) -> str:
    """Drawn boxes as JSON for scripts: their names, and their sides in 0..1 of the picture's."""
    return json.dumps(
        [
            {
                "name": box.shown,
                "box": [
                    round(box.x / picture.width, 4),
                    round(box.y / picture.height, 4),
                    round((box.x + box.width) / picture.width, 4),
                    round((box.y + box.height) / picture.height, 4),
                ],
            }
            for box in boxes
        ]
    )


@register.filter
def part_in_pixels(part: Box, picture: Sized) -> dict[str, float]:
    """A part of a picture in 0..1 of its sides as x, y, width and height in its pixels."""
    xmin, ymin, xmax, ymax = part
    return {
        "x": round(xmin * picture.width, 1),
        "y": round(ymin * picture.height, 1),
        "width": round((xmax - xmin) * picture.width, 1),
        "height": round((ymax - ymin) * picture.height, 1),
    }


@register.filter
def finding_tag(name: str) -> str:
    """The search for a tag."""
    return tag_query(name)


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def at_key(values: dict[str, int], key: str) -> int | None:
    return values.get(key)


@register.filter
def meaning_in_words(meaning: Meaning) -> str:
    """The classes that a word stands for: "dog", "car, truck, motorcycle and 4 more"."""
    names = [shown_name(name) for name in meaning.class_names]
    if meaning.is_look:
        telling = int((meaning.kind.weights >= LEAST_NAMED_WEIGHT).sum())
        names = [*map(shown_look, meaning.look_names), *names[:telling]]
    named = ", ".join(names[:CLASSES_NAMED])
    if len(names) <= CLASSES_NAMED:
        return named
    return gettext("%(names)s and %(number)s more") % {
        "names": named,
        "number": len(names) - CLASSES_NAMED,
    }
