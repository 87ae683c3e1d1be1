"""A photo in one short sentence, from the objects in it and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from gallery.counted_objects import counted_object, number_in_words
from gallery.layouts import Box

# Where the middle of a photo begins and ends, in 0..1 of a side; left and right are told sooner.
MIDDLE_ACROSS = (0.4, 0.6)
MIDDLE_DOWN = (0.3, 0.7)
# What covers this much of a side lies on neither end of it.
SPANNING = 0.7
# Of a class that is in many places only the count is told.
PLACES_OF_A_CLASS = 2
# A listener keeps no more in mind; what else there is is counted.
MOST_PHRASES = 4
# All over the photo, or in too many places of it.
EVERYWHERE = "everywhere"
# What is in the middle of a photo, or all over it, comes first.
ORDER = (EVERYWHERE, "centre", "left", "right", "top", "bottom")


@dataclass
class _Group:
    """Objects of one class in one place."""

    name: str
    place: str
    count: int
    area: float


def alt_text(objects: Sequence[tuple[str, Box]]) -> str:
    """What a photo shows, like "Two dogs left, a person right"; "" where it shows nothing.

    Args:
        objects: class names with their boxes (xmin, ymin, xmax, ymax) in 0..1 of the sides.
    """
    groups = _groups(objects)
    # What is largest is most likely what the photo is about.
    told = sorted(groups, key=lambda group: -group.area)[:MOST_PHRASES]
    places = sorted({group.place for group in told}, key=ORDER.index)
    phrases = [
        _placed(
            _listed([counted_object(one.name, one.count) for one in told if one.place == place]),
            place if len(places) > 1 or place != "centre" else EVERYWHERE,
        )
        for place in places
    ]
    untold = sum(group.count for group in groups) - sum(group.count for group in told)
    if untold:
        more = ngettext("one more thing", "%(number)s more things", untold)
        phrases.append(more % {"number": number_in_words(untold)})
    sentence = gettext(", ").join(phrases)
    return sentence[:1].upper() + sentence[1:]


def place_of(box: Box) -> str:
    """Where in a photo a box lies, one of `ORDER`."""
    xmin, ymin, xmax, ymax = box
    if xmax - xmin >= SPANNING and ymax - ymin >= SPANNING:
        return EVERYWHERE
    across = _end(xmin, xmax, MIDDLE_ACROSS, ("left", "right"))
    return across or _end(ymin, ymax, MIDDLE_DOWN, ("top", "bottom")) or "centre"


def _end(low: float, high: float, middle: tuple[float, float], ends: tuple[str, str]) -> str:
    """At which end of a side something lies, "" for none."""
    centre = (low + high) / 2
    if high - low >= SPANNING or middle[0] <= centre <= middle[1]:
        return ""
    return ends[0] if centre < middle[0] else ends[1]


def _groups(objects: Sequence[tuple[str, Box]]) -> list[_Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for name, box in objects:
        place = place_of(box)
        group = groups.setdefault((name, place), _Group(name, place, 0, 0.0))
        group.count += 1
        group.area += (box[2] - box[0]) * (box[3] - box[1])
    by_class: dict[str, list[_Group]] = {}
    for group in groups.values():
        by_class.setdefault(group.name, []).append(group)
    return [group for of_class in by_class.values() for group in _together(of_class)]


def _together(groups: list[_Group]) -> list[_Group]:
    """The groups of a class: as they are where they are few, else as one of no place."""
    if len(groups) <= PLACES_OF_A_CLASS:
        return groups
    count, area = sum(one.count for one in groups), sum(one.area for one in groups)
    return [_Group(groups[0].name, EVERYWHERE, count, area)]


def _listed(phrases: Sequence[str]) -> str:
    *first, last = phrases
    if not first:
        return last
    # Translators: the last two things of a list, like "a cup, a fork" and "a knife".
    return gettext("%(first)s and %(last)s") % {"first": gettext(", ").join(first), "last": last}


def _placed(things: str, place: str) -> str:
    match place:
        case "left":
            return gettext("%(things)s left") % {"things": things}
        case "right":
            return gettext("%(things)s right") % {"things": things}
        case "top":
            return gettext("%(things)s at the top") % {"things": things}
        case "bottom":
            return gettext("%(things)s at the bottom") % {"things": things}
        case "centre":
            return gettext("%(things)s in the centre") % {"things": things}
        case _:
            return things
