"""Sentences that say how a photo answers a part of a query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from featurestore.conditions import Only, Presence, Relation
from featurestore.explanations import ConditionPart
from featurestore.posting_kernels import SURE_SCORE
from gallery.figures import percentage
from gallery.layouts import Box
from gallery.look_names import shown_look
from gallery.object_names import plainly, shown_count, shown_name
from gallery.plurals import plural

# Of more objects than this the range of their scores is told.
MOST_LISTED = 5
# Boxes that share less than this lie in different places.
LEAST_OVERLAP = 0.005
# Sentences that depend on how many were found.
FOUND = MappingProxyType(
    {
        "%(number)s found, %(sure)s": ngettext_lazy(
            "%(number)s found, %(sure)s", "%(number)s found, %(sure)s", "number"
        ),
        "%(asked)s, %(number)s found, %(found)s": ngettext_lazy(
            "%(asked)s, %(number)s found, %(found)s",
            "%(asked)s, %(number)s found, %(found)s",
            "number",
        ),
        "%(asked)s, %(number)s found: %(found)s": ngettext_lazy(
            "%(asked)s, %(number)s found: %(found)s",
            "%(asked)s, %(number)s found: %(found)s",
            "number",
        ),
    }
)
# So many classes are told that a photo looks like, those that are this probable.
MOST_LOOKS = 2
LEAST_LOOK = 0.05


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


@dataclass(frozen=True)
class Seen:
    """A class that the image as a whole looks like."""

    name: str
    score: float
    """How probably it shows that, 0..1."""
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


def condition_sentence(
    label: str, part: ConditionPart, objects: Sequence[Found], looks: Sequence[Seen] = ()
) -> str:
    """How a condition of a text query is answered, such as "2 dogs asked, 1 found, 91% sure".

    Args:
        label: the condition, as the query language writes it or as it was typed.
        objects: those that answer it, or that should not be there, surest first.
        looks: what the photo as a whole looks like of what is asked for, likeliest first.
    """
    text = _("no") + f" {label[1:]}" if label.startswith("-") else label
    text = text.replace('"', "")
    seen = _looks(looks)
    if part.tagged or (isinstance(part.condition, Presence) and is_told_by_tag(part.condition)):
        return _said(text, _tagged(text, part, objects, seen))
    sure = [found for found in objects if found.score >= SURE_SCORE]
    facts: dict[str, object] = {"asked": text, "number": len(sure)}
    match part.condition:
        case Only():
            if not sure:
                return _("%(asked)s: nothing else found") % facts
            facts |= {"things": _names(sure), "sure": _sureness(sure)}
            return _("%(asked)s: but %(things)s too, %(sure)s") % facts
        case Relation():
            return _said(text, _relation(text, part, objects))
        case Presence(at_least=1, at_most=None, negated=True):
            if sure:
                return _("%(asked)s: but %(found)s") % (facts | {"found": _some(sure, text)})
            if seen:
                return _("%(asked)s: but it %(look)s") % (facts | {"look": seen})
            return _said(text, _("none is sure") if objects else _("none found"))
        case Presence(at_least=1, at_most=None):
            if sure and seen:
                return _said(text, f"{_some(sure, text)}; {seen}")
            if seen:
                return _said(text, seen)
            return _said(text, _some(sure, text) if sure else _perhaps(text, part, objects))
        case Presence(negated=negated, at_least=at_least):
            if not negated:
                facts["asked"] = _("%(asked)s asked") % facts
            if sure:
                facts["found"] = _described(sure, text)
                if _are_named(sure, text):
                    return _found_sentence("%(asked)s, %(number)s found, %(found)s", facts)
                return _found_sentence("%(asked)s, %(number)s found: %(found)s", facts)
            if objects and at_least > 0 and not negated:
                facts["found"] = _described(objects[:1], text)
                return _("%(asked)s, none found, perhaps %(found)s") % facts
            return _("%(asked)s, none found") % facts


def is_told_by_tag(condition: Presence) -> bool:
    """Whether neither an object nor a look can answer a condition, only a tag."""
    kind = condition.asked.kind
    return bool(condition.tag) and len(kind.class_ids) == len(kind.look_ids) == 0


def company_sentence(label: str, companions: Sequence[Found]) -> str:
    """That nothing of a condition was found, but what often lies beside it."""
    return _("%(asked)s: not found, only its usual company: %(things)s") % {
        "asked": label.replace('"', ""),
        "things": _names(companions),
    }


def pair_sentence(name: str, iou: float, score: float, *, mirrored: bool) -> str:
    """How an object of a photo answers one of a layout."""
    place = _("in another place")
    if iou >= LEAST_OVERLAP:
        place = _("boxes overlap %(share)s") % {"share": percentage(iou)}
    facts = {"thing": shown_name(name), "place": place, "sure": _sure([percentage(score)])}
    if mirrored:
        return _("%(thing)s: mirrored, %(place)s, %(sure)s") % facts
    return _("%(thing)s: %(place)s, %(sure)s") % facts


def _said(text: str, answer: str) -> str:
    # Translators: what was asked for, and how a photo answers it.
    return _("%(asked)s: %(answer)s") % {"asked": text, "answer": answer}


def _looks(looks: Sequence[Seen]) -> str:
    """ "looks like Labrador retriever (83%)", nothing where that is hardly so."""
    told = [
        f"{shown_look(seen.name)} ({percentage(seen.score)})"
        for seen in looks
        if seen.score >= LEAST_LOOK
    ]
    if not told:
        return ""
    return _("looks like %(things)s") % {"things": _(" or ").join(told[:MOST_LOOKS])}


def _tagged(text: str, part: ConditionPart, objects: Sequence[Found], seen: str) -> str:
    """ "tagged dress 93%", "tagged beach" of what a person said, with what was seen besides.

    Args:
        seen: what the photo as a whole looks like, as `_looks` says it.
    """
    assert isinstance(part.condition, Presence)
    if not part.tagged:
        return _("not tagged so")
    facts = {"tag": part.condition.tag, "share": percentage(part.tagged)}
    tagged = (_("tagged %(tag)s") if part.tagged >= 1 else _("tagged %(tag)s %(share)s")) % facts
    if part.condition.negated:
        tagged = _("but %(found)s") % {"found": tagged}
    sure = [found for found in objects if found.score >= SURE_SCORE]
    if sure:
        tagged = _("%(tagged)s; seen: %(found)s") % {"tagged": tagged, "found": _some(sure, text)}
    return f"{tagged}; {seen}" if seen else tagged


def _perhaps(text: str, part: ConditionPart, objects: Sequence[Found]) -> str:
    if not objects:
        return _("not found")
    if len(objects) > 1 and part.probability >= SURE_SCORE:
        # Many faint ones together make it probable that one of them is there.
        facts = {"number": len(objects), "share": percentage(objects[0].score)}
        return _("perhaps one of %(number)s, each at most %(share)s sure") % facts
    return _("perhaps %(found)s") % {"found": _described(objects[:1], text)}


def _relation(text: str, part: ConditionPart, objects: Sequence[Found]) -> str:
    assert isinstance(part.condition, Relation)
    if not objects:
        return _("none found") if part.condition.negated else _("not both found")
    are_sure = all(found.score >= SURE_SCORE for found in objects)
    facts = {"found": _described(objects, text)}
    if part.condition.negated:
        if not are_sure:
            return _("none is sure")
        if part.holds:
            return _("but there is one, %(found)s") % facts
        return _("both are there, but not so")
    if part.holds:
        return (_("yes, %(found)s") if are_sure else _("perhaps, %(found)s")) % facts
    if are_sure:
        return _("no, but both are there, %(found)s") % facts
    return _("no, but perhaps both are there, %(found)s") % facts


def _some(objects: Sequence[Found], text: str) -> str:
    """ "91% sure", "2 found, 91% and 78% sure" or, of what the text does not name, "2 dogs, …"."""
    if len(objects) > 1 and _are_named(objects, text) and len({one.name for one in objects}) == 1:
        facts = {"number": len(objects), "sure": _sureness(objects)}
        return _found_sentence("%(number)s found, %(sure)s", facts)
    return _described(objects, text)


def _found_sentence(sentence: str, facts: Mapping[str, object]) -> str:
    """One of `FOUND`, by how many were found."""
    return str(FOUND[sentence] % facts)


def _described(objects: Sequence[Found], text: str) -> str:
    """ "91% sure", "dog, 91% sure" where the text calls it otherwise, "cat (80%) and dog (70%)"."""
    if _are_named(objects, text):
        return _sureness(objects)
    names = dict.fromkeys(found.name for found in objects)
    if len(names) == 1:
        things = shown_count(len(objects), objects[0].name)
        return _("%(things)s, %(sure)s") % {"things": things, "sure": _sureness(objects)}
    groups = [[found for found in objects if found.name == name] for name in names]
    return _list(
        [f"{shown_count(len(each), each[0].name)} ({_percentages(each)})" for each in groups]
    )


def _names(objects: Sequence[Found]) -> str:
    """ "2 dogs and car": each class once, with its number."""
    numbers = {found.name: 0 for found in objects}
    for found in objects:
        numbers[found.name] += 1
    return _list([shown_count(number, name) for name, number in numbers.items()])


def _are_named(objects: Sequence[Found], text: str) -> bool:
    """Whether the text calls all objects by the names of their classes, in the reader's words."""

    def is_named(name: str) -> bool:
        called = {name, plural(name), shown_name(name), shown_name(name, 2)}
        anyhow = "|".join(re.escape(plainly(each)) for each in called)
        return re.search(rf"(?<!\w)(?:{anyhow})(?!\w)", plainly(text)) is not None

    return all(is_named(name) for name in {found.name for found in objects})


def _sureness(objects: Sequence[Found]) -> str:
    return _sure([percentage(found.score) for found in objects])


def _sure(shares: Sequence[str]) -> str:
    return _("%(shares)s sure") % {"shares": _shares(shares)}


def _percentages(objects: Sequence[Found]) -> str:
    """ "91% and 78%", or "55% to 91%" of many, surest first."""
    return _shares([percentage(found.score) for found in objects])


def _shares(shares: Sequence[str]) -> str:
    if len(shares) <= MOST_LISTED:
        return _list(shares)
    if shares[0] == shares[-1]:
        return _("each %(share)s") % {"share": shares[0]}
    return _("%(least)s to %(most)s") % {"least": shares[-1], "most": shares[0]}


def _list(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": _(", ").join(words[:-1]), "last": words[-1]}
