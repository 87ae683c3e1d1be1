"""Sentences that say how a photo answers a part of a query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from featurestore.conditions import Only, Presence, Relation
from featurestore.explanations import ConditionPart
from featurestore.posting_kernels import SURE_SCORE
from gallery.layouts import Box
from gallery.plurals import counted, plural

# Of more objects than this the range of their scores is told.
MOST_LISTED = 5
# Boxes that share less than this lie in different places.
LEAST_OVERLAP = 0.005


@dataclass(frozen=True)
class Found:
    """An object of the image that a reason is about."""

    name: str
    """Its class."""
    score: float
    """How sure the detector is of it, 0..1."""
    box: Box
    part: float
    """What it adds to the image's score."""


def is_met(part: ConditionPart) -> bool:
    """Whether a photo answers a condition, as far as one can be sure."""
    condition = part.condition
    if isinstance(condition, Only) or condition.negated:
        return part.probability > 1 - SURE_SCORE
    if isinstance(condition, Relation):
        are_sure = all(one.probability >= SURE_SCORE for one in part.objects)
        return bool(part.objects) and are_sure and part.holds
    return part.probability >= SURE_SCORE


def condition_sentence(label: str, part: ConditionPart, objects: Sequence[Found]) -> str:
    """How a condition of a text query is answered, such as "2 dogs asked, 1 found, 91% sure".

    Args:
        label: the condition, as the query language writes it.
        objects: those that answer it, or that should not be there, surest first.
    """
    text = re.sub("^-", "no ", label).replace('"', "")
    sure = [found for found in objects if found.score >= SURE_SCORE]
    match part.condition:
        case Only():
            if not sure:
                return f"{text}: nothing else found"
            return f"{text}: but {_names(sure)} too, {_sureness(sure)}"
        case Relation():
            return f"{text}: {_relation(text, part, objects)}"
        case Presence(at_least=1, at_most=None, negated=True):
            if sure:
                return f"{text}: but {_some(sure, text)}"
            return f"{text}: none {'is sure' if objects else 'found'}"
        case Presence(at_least=1, at_most=None):
            if sure:
                return f"{text}: {_some(sure, text)}"
            return f"{text}: {_perhaps(text, part, objects)}"
        case Presence(negated=negated, at_least=at_least):
            asked = text if negated else f"{text} asked"
            if sure:
                separator = ", " if _are_named(sure, text) else ": "
                return f"{asked}, {len(sure)} found{separator}{_described(sure, text)}"
            if objects and at_least > 0 and not negated:
                return f"{asked}, none found, perhaps {_described(objects[:1], text)}"
            return f"{asked}, none found"


def company_sentence(label: str, companions: Sequence[Found]) -> str:
    """That nothing of a condition was found, but what often lies beside it."""
    text = label.replace('"', "")
    return f"{text}: not found, only its usual company: {_names(companions)}"


def pair_sentence(name: str, iou: float, score: float, *, mirrored: bool) -> str:
    """How an object of a photo answers one of a layout."""
    place = f"boxes overlap {iou:.0%}" if iou >= LEAST_OVERLAP else "in another place"
    return f"{name}: {'mirrored, ' if mirrored else ''}{place}, {score:.0%} sure"


def _perhaps(text: str, part: ConditionPart, objects: Sequence[Found]) -> str:
    if not objects:
        return "not found"
    if len(objects) > 1 and part.probability >= SURE_SCORE:
        # Many faint ones together make it probable that one of them is there.
        return f"perhaps one of {len(objects)}, each at most {objects[0].score:.0%} sure"
    return f"perhaps {_described(objects[:1], text)}"


def _relation(text: str, part: ConditionPart, objects: Sequence[Found]) -> str:
    assert isinstance(part.condition, Relation)
    if not objects:
        return "none found" if part.condition.negated else "not both found"
    are_sure = all(found.score >= SURE_SCORE for found in objects)
    described = _described(objects, text)
    if part.condition.negated:
        if not are_sure:
            return "none is sure"
        return f"but there is one, {described}" if part.holds else "both are there, but not so"
    if part.holds:
        return f"{'yes' if are_sure else 'perhaps'}, {described}"
    return f"no, but {'' if are_sure else 'perhaps '}both are there, {described}"


def _some(objects: Sequence[Found], text: str) -> str:
    """ "91% sure", "2 found, 91% and 78% sure" or, of what the text does not name, "2 dogs, …"."""
    if len(objects) > 1 and _are_named(objects, text) and len({one.name for one in objects}) == 1:
        return f"{len(objects)} found, {_sureness(objects)}"
    return _described(objects, text)


def _described(objects: Sequence[Found], text: str) -> str:
    """ "91% sure", "dog, 91% sure" where the text calls it otherwise, "cat (80%) and dog (70%)"."""
    if _are_named(objects, text):
        return _sureness(objects)
    names = dict.fromkeys(found.name for found in objects)
    if len(names) == 1:
        return f"{counted(len(objects), objects[0].name)}, {_sureness(objects)}"
    groups = [[found for found in objects if found.name == name] for name in names]
    return _list([f"{counted(len(each), each[0].name)} ({_percentages(each)})" for each in groups])


def _names(objects: Sequence[Found]) -> str:
    """ "2 dogs and car": each class once, with its number."""
    numbers = {found.name: 0 for found in objects}
    for found in objects:
        numbers[found.name] += 1
    return _list([counted(number, name) for name, number in numbers.items()])


def _are_named(objects: Sequence[Found], text: str) -> bool:
    """Whether the text calls all objects by the names of their classes."""
    names = {found.name for found in objects}
    return all(
        re.search(rf"(?<!\w)(?:{re.escape(name)}|{re.escape(plural(name))})(?!\w)", text)
        for name in names
    )


def _sureness(objects: Sequence[Found]) -> str:
    return f"{_percentages(objects)} sure"


def _percentages(objects: Sequence[Found]) -> str:
    """ "91% and 78%", or "55% to 91%" of many."""
    if len(objects) <= MOST_LISTED:
        return _list([f"{found.score:.0%}" for found in objects])
    least, most = (f"{of(found.score for found in objects):.0%}" for of in (min, max))
    return f"{least} to {most}" if least != most else f"each {most}"


def _list(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
