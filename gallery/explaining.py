"""Why an image is a hit, in words and boxes; what each reason adds up to is the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from detector.look_labels import LOOK_NAMES
from featurestore.conditions import Condition, ObjectQuery, Only, Presence, Relation
from featurestore.explanations import NO_LOOKS, NO_TAGS, ConditionPart, Explainer
from featurestore.layout_scores import LayoutQuery
from gallery.layouts import Box, Layout, unit_box
from gallery.sentences import (
    Found,
    Seen,
    company_sentence,
    condition_sentence,
    is_met,
    pair_sentence,
)
from gallery.text_query import TextQuery

# A pair of boxes that share so much is in one place.
SAME_PLACE = 0.5


@dataclass(frozen=True)
class Reason:
    """How the image answers one part of the query."""

    asked: str
    """A condition as the query language writes it, or the class of a query's object."""
    sentence: str
    part: float
    """What it adds to the image's score; the parts of all reasons are the score."""
    is_met: bool
    objects: tuple[Found, ...] = ()
    looks: tuple[Seen, ...] = ()
    query_box: Box | None = None
    """The query's object, in a search by photo or layout."""
    mirrored: bool = False
    """Whether the query's object is met with left and right exchanged."""

    def scaled(self, scale: float) -> Reason:
        """The same with all of its parts multiplied, as of a score that is a product."""
        return replace(
            self,
            part=self.part * scale,
            objects=tuple(replace(found, part=found.part * scale) for found in self.objects),
            looks=tuple(replace(seen, part=seen.part * scale) for seen in self.looks),
        )


class TextReasons:
    """Explains hits of a text query."""

    def __init__(
        self,
        query: TextQuery,
        scored: ObjectQuery | None = None,
        scale: Callable[[float], float] = lambda score: 1.0,
    ) -> None:
        """
        Args:
            scored: what gave the scores, where it is not `query.objects`: the same with their usual
                company.
            scale: what each of its scores was multiplied with.
        """
        self._query = query
        self._scale = scale
        self._explainer = Explainer(query.objects if scored is None else scored)

    @property
    def class_ids(self) -> NDArray[np.int64]:
        """(c,) classes whose objects are needed."""
        return self._explainer.class_ids

    @property
    def look_ids(self) -> NDArray[np.int64]:
        """(l,) classes of looks whose scores are needed."""
        return self._explainer.look_ids

    def of(
        self,
        detections: NDArray[np.float32],
        looks: Mapping[int, float] = NO_LOOKS,
        tags: Mapping[str, float] = NO_TAGS,
    ) -> tuple[Reason, ...]:
        """The reasons of an image, in the query's order.

        Args:
            detections: (k, 6) its objects of `class_ids` at least.
            looks: how probably it shows each look class, of `look_ids` at least.
            tags: how probable each of the query's tags is.
        """
        explanation = self._explainer.explain(detections, looks, tags)
        if not explanation.conditions:
            return ()
        alternative = explanation.alternative
        asked = zip(
            self._query.labels[alternative],
            self._query.said[alternative],
            self._query.objects.alternatives[alternative],
            explanation.conditions,
            strict=True,
        )
        scale = self._scale(explanation.score)
        return tuple(
            _reason(label, said, condition, part, detections, scale)
            for label, said, condition, part in asked
        )


def filter_reasons(query: TextQuery, score: float) -> tuple[Reason, ...]:
    """Of a query that asks for no object: each filter, which lets nothing else through."""
    labels = [chip.text for chip in query.chips]
    return tuple(
        Reason(
            asked=label,
            sentence=_("%(asked)s: yes") % {"asked": label},
            part=score / len(labels),
            is_met=True,
        )
        for label in labels
    )


def layout_reasons(
    layout: Layout,
    query: LayoutQuery,
    detections: NDArray[np.float32],
    image_weight: float | None = None,
) -> tuple[Reason, ...]:
    """The pairs of objects of query and image that make up its score, greatest part first.

    Args:
        query: `layout` made ready.
        detections: (k, 6) objects of the image, without padding: all, or those of the query's
            classes.
        image_weight: of all of the image's objects, where those are not all.
    """
    reasons = []
    for pair in query.pairs(detections, image_weight):
        asked, found = layout.objects[pair.query_object], detections[pair.image_object]
        name, score = NAME_BY_ID[int(found[0])], float(found[1])
        reasons.append(
            Reason(
                asked=name,
                sentence=pair_sentence(name, pair.iou, score, mirrored=pair.mirrored),
                part=pair.part,
                is_met=pair.iou >= SAME_PLACE,
                objects=(_found(found, pair.part),),
                query_box=unit_box(asked),
                mirrored=pair.mirrored,
            )
        )
    return tuple(reasons)


def original_reason(asked: str, formula: str, score: float) -> Reason:
    """A score of the original system, whose formulas do not come apart."""
    return Reason(asked=asked, sentence=f"{formula}: {score:.2f}", part=score, is_met=True)


def _reason(
    label: str,
    said: str,
    asked: Condition,
    part: ConditionPart,
    detections: NDArray[np.float32],
    scale: float,
) -> Reason:
    objects = tuple(_found(detections[one.object], one.part * scale) for one in part.objects)
    looks = tuple(Seen(LOOK_NAMES[one.look_id], one.score, one.part * scale) for one in part.looks)
    companions = [
        found
        for place, (found, one) in enumerate(zip(objects, part.objects, strict=True))
        if _is_company(asked, place, int(detections[one.object, 0]))
    ]
    # Of a kind of which each class counts as much as it is one, what is rather another thing.
    named = [
        found
        for found, one in zip(objects, part.objects, strict=True)
        if found not in companions
        and not (isinstance(asked, Only) and one.probability < found.score / 2)
    ]
    if isinstance(asked, Relation) and companions:
        # One of the two at most was found.
        named = []
    is_told_otherwise = bool(looks) or part.tagged > 0
    only_company = companions and len(companions) == len(objects) and not is_told_otherwise
    return Reason(
        asked=label,
        sentence=company_sentence(said, companions)
        if only_company
        else condition_sentence(said, part, named, looks),
        part=part.part * scale,
        is_met=(not companions or is_told_otherwise) and is_met(part),
        objects=objects,
        looks=looks,
    )


def _found(row: NDArray[np.float32], part: float) -> Found:
    return Found(NAME_BY_ID[int(row[0])], float(row[1]), unit_box(row), part)


def _is_company(asked: Condition, place: int, class_id: int) -> bool:
    """Whether a class is not what a condition asks for at some place of its objects."""
    match asked:
        case Presence():
            kind = asked.asked.kind
        case Relation():
            kind = (asked.subject, asked.object)[place].kind
        case Only():
            return False
    return class_id not in kind.class_ids
