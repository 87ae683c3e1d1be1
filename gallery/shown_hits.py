"""Hits as the results page shows them: boxes, sentences and parts of the score, each coloured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from featurestore.posting_kernels import SURE_SCORE
from gallery.drawing import (
    COLOURS,
    DrawnBox,
    drawn_box,
    drawn_layout_object,
    place_in_layout,
)
from gallery.explaining import Reason
from gallery.hits import Hit
from gallery.layouts import Box, Layout
from gallery.models import Image
from gallery.sentences import Found
from gallery.text_query import TextQuery

# Sentences below a photo; all others are one press away.
REASONS_SHOWN = 3
# Boxes on a photo; more hide it.
MOST_BOXES = 6
# A reason of less than this share of the score is none that anybody sees.
TELLING_SHARE = 0.03


@dataclass(frozen=True)
class Segment:
    """A piece of the bar that shows a score, in per cent of the bar's whole width."""

    colour: int
    start: float
    width: float


@dataclass(frozen=True)
class ShownReason:
    reason: Reason
    colour: int
    percent: int
    """What it adds to the score that is shown."""


@dataclass(frozen=True)
class ShownHit:
    image: Image
    percent: int
    """The score."""
    reasons: list[ShownReason]
    """Those that tell something, by falling part; their percents sum to the score's."""
    segments: list[Segment]
    boxes: list[DrawnBox]
    """On the photo."""
    query_boxes: list[DrawnBox]
    """On what was searched with, in the colours of their partners."""
    asked_boxes: list[DrawnBox] = field(default_factory=list)
    """The same on the photo: where its objects would be if it were just like the query."""

    @property
    def first_reasons(self) -> list[ShownReason]:
        return self.reasons[:REASONS_SHOWN]

    @property
    def more_reasons(self) -> int:
        return len(self.reasons) - len(self.first_reasons)


def text_colours(query: TextQuery) -> dict[str, int]:
    """The colour of each part of a query by its text: that of the chip it belongs to."""
    colours = {
        chip.text: place % COLOURS
        for place, chip in enumerate(query.chips)
        if chip.is_description
        or any(reading.is_understood for reading in chip.readings)
        or not query.asks_for_objects
    }
    wholes = list(colours)
    for label in [label for labels in query.labels for label in labels]:
        # What is asked within a part, like "cats" in "only cats", has the colour of the whole.
        whole = next((text for text in wholes if label in text), None)
        colours.setdefault(label, 0 if whole is None else colours[whole])
    return colours


def shown_for_text(hit: Hit, colours: dict[str, int]) -> ShownHit:
    """A hit of a search by words."""
    reasons = _shown_reasons(hit, lambda reason: colours.get(reason.asked, 0))
    return _shown(hit, reasons, _boxes(hit, reasons), [])


def shown_for_layout(hit: Hit, layout: Layout, width: int, height: int) -> ShownHit:
    """A hit of a search by photo or drawing, which is shown in width × height pixels."""

    def place(reason: Reason) -> int:
        return 0 if reason.query_box is None else place_in_layout(layout, reason.query_box)

    def colour(reason: Reason) -> int:
        # How photos look as a whole has the last colour, which few layouts come to.
        return COLOURS - 1 if reason.query_box is None else place(reason) % COLOURS

    reasons = _shown_reasons(hit, colour)
    pairs = [shown.reason for shown in reasons if shown.reason.query_box is not None][:MOST_BOXES]
    # Partners have the same place in both lists.
    boxes = [_box(pair.objects[0], place(pair), hit.image) for pair in pairs]
    asked = [drawn_layout_object(layout, place(pair), width, height) for pair in pairs]
    wanted = [_asked_on(hit.image, layout, place(pair), mirrored=pair.mirrored) for pair in pairs]
    # One object of a query may have several partners.
    return replace(_shown(hit, reasons, boxes, asked), asked_boxes=list(dict.fromkeys(wanted)))


def _asked_on(image: Image, layout: Layout, place: int, *, mirrored: bool) -> DrawnBox:
    """An object of a layout as it would lie on a photo."""
    box = drawn_layout_object(layout, place, image.width, image.height)
    return box.mirrored(image.width) if mirrored else box


def _shown(
    hit: Hit, reasons: list[ShownReason], boxes: list[DrawnBox], query_boxes: list[DrawnBox]
) -> ShownHit:
    segments = []
    start = 0.0
    for shown, width in zip(reasons, _scaled(_parts(reasons), 100 * hit.score), strict=True):
        segments.append(Segment(shown.colour, round(start, 2), round(width, 2)))
        start += width
    return ShownHit(
        image=hit.image,
        percent=round(100 * hit.score),
        reasons=reasons,
        segments=segments,
        boxes=boxes,
        query_boxes=query_boxes,
    )


def _shown_reasons(hit: Hit, colour_of: Callable[[Reason], int]) -> list[ShownReason]:
    """Reasons worth a sentence: those that add something or were not met, by falling part."""
    worth = [
        reason
        for reason in hit.why
        if reason.part >= TELLING_SHARE * hit.score
        or (not reason.is_met and reason.query_box is None)
    ]
    telling = sorted(worth or hit.why[:1], key=lambda reason: -reason.part)
    shares = percents([reason.part for reason in telling], round(100 * hit.score))
    return [
        ShownReason(reason, colour_of(reason), share)
        for reason, share in zip(telling, shares, strict=True)
    ]


def _boxes(hit: Hit, reasons: list[ShownReason]) -> list[DrawnBox]:
    """The objects of an image that answer, the weightiest first, each once."""
    found = [
        (thing, shown.colour)
        for shown in reasons
        for thing in shown.reason.objects
        if thing.score >= SURE_SCORE
        or (thing.part > 0 and thing is max(shown.reason.objects, key=lambda one: one.part))
    ]
    found.sort(key=lambda each: -each[0].part)
    once: dict[Box, DrawnBox] = {}
    for thing, colour in found:
        once.setdefault(thing.box, _box(thing, colour, hit.image))
    return list(once.values())[:MOST_BOXES]


def _box(thing: Found, colour: int, image: Image) -> DrawnBox:
    return drawn_box(thing.name, thing.score, colour, thing.box, image.width, image.height)


def percents(parts: Sequence[float], total: int) -> list[int]:
    """Whole numbers in the proportions of `parts` that sum to `total` (largest remainders)."""
    exact = _scaled(parts, total)
    whole = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])
    for place in by_remainder[: total - sum(whole)]:
        whole[place] += 1
    return whole


def _parts(reasons: Sequence[ShownReason]) -> list[float]:
    return [shown.reason.part for shown in reasons]


def _scaled(parts: Sequence[float], total: float) -> list[float]:
    """The parts so stretched that they sum to `total`, for what is too small to show."""
    whole = sum(parts)
    return [total * part / whole if whole else 0.0 for part in parts]
