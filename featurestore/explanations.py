"""Why an image has its score for a text query: what each condition and each object adds to it.

This is the definition of the score, on one image and in plain Python; `condition_scores` computes
the same of all images. Object scores are probabilities, so conditions are probabilities as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from featurestore.condition_answers import (
    Answer,
    FoundObject,
    found_objects,
    other,
    present,
    related,
    seen_as_well,
    tagged_as_well,
)
from featurestore.condition_kernels import EPSILON
from featurestore.conditions import (
    HINT_WEIGHT,
    Alternative,
    Asked,
    Condition,
    Kind,
    ObjectQuery,
    Only,
    Presence,
    Relation,
)
from featurestore.encoded_query import Limits, united
from featurestore.packing import SCORE_UNIT
from featurestore.postings import ALL_CLASS_IDS

NO_TAGS: Mapping[str, float] = MappingProxyType({})
NO_LOOKS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True)
class MatchedObject:
    """An object of the image that a condition is about."""

    object: int
    """Row of the image's detections."""
    probability: float
    """That it is there and of the kind: weight · score, 0..1."""
    part: float
    """What it adds to the image's score; 0 for an object that counts against it."""


@dataclass(frozen=True)
class MatchedLook:
    """A class that the image as a whole looks like."""

    look_id: int
    score: float
    """How probably it shows that, 0..1."""
    part: float
    """What it adds to the image's score; 0 for one that counts against it."""


@dataclass(frozen=True)
class ConditionPart:
    """How an image answers a condition of the alternative that suits it best."""

    condition: Condition
    probability: float
    """That the condition holds, as it is asked: of "no dog", that there is none. 0..1."""
    part: float
    """What it adds to the image's score, the parts of its objects among that."""
    objects: tuple[MatchedObject, ...]
    """Surest first; of a relation subject and object of the best pair. Those of a negated condition
    and of `Only` are objects that should not be there."""
    holds: bool = True
    """Of a relation: whether the pair lies as asked."""
    looks: tuple[MatchedLook, ...] = ()
    """What the image looks like of what is asked for, or should not look like; likeliest first."""
    tagged: float = 0.0
    """How probable its tag is, 0..1."""


@dataclass(frozen=True)
class Explanation:
    score: float
    """0..1, the sum of the parts of its conditions."""
    alternative: int
    """Which of the query's alternatives suits the image best."""
    conditions: tuple[ConditionPart, ...]
    """All of that alternative, in its order."""


class Explainer:
    """Explains the scores of images for one query."""

    def __init__(self, query: ObjectQuery) -> None:
        self._query = query
        conditions = [one for alternative in query.alternatives for one in alternative]
        self._weights = {id(kind): _weights(kind) for one in conditions for kind in _kinds(one)}
        self._look_weights = {
            id(one): _look_weights(one.asked.kind)
            for one in conditions
            if isinstance(one, Presence) and one.may_be_seen
        }
        self._limits = {id(asked): Limits.of(asked) for one in conditions for asked in _asked(one)}
        self._united = {
            id(one): _weights(united(one.kinds)) for one in conditions if isinstance(one, Only)
        }

    @cached_property
    def class_ids(self) -> NDArray[np.int64]:
        """(c,) classes whose objects have to be known; each once."""
        # Whether there is nothing else depends on everything.
        if self._united:
            return ALL_CLASS_IDS
        return np.array(sorted({one for kind in self._weights.values() for one in kind}), np.int64)

    @cached_property
    def look_ids(self) -> NDArray[np.int64]:
        """(l,) look classes whose scores have to be known; each once, rising."""
        return np.array(sorted(set().union(*self._look_weights.values())), np.int64)

    def explain(
        self,
        detections: NDArray[np.float32],
        looks: Mapping[int, float] = NO_LOOKS,
        tags: Mapping[str, float] = NO_TAGS,
    ) -> Explanation:
        """The score of an image and where it comes from.

        Args:
            detections: (k, 6) objects of the image, without padding, as `Postings` gives them; at
                least those of `class_ids`.
            looks: how probably it shows each look class, of `look_ids` at least.
            tags: how probable tags are that the query names, 0..1.
        """
        objects = found_objects(detections)
        best = Explanation(0.0, 0, ())
        for number, alternative in enumerate(self._query.alternatives):
            answers = [self._answer(condition, objects, looks, tags) for condition in alternative]
            score = _score(alternative, answers)
            if number == 0 or score > best.score:
                best = Explanation(score, number, _parts(score, alternative, answers))
        return best

    def _answer(
        self,
        condition: Condition,
        objects: list[FoundObject],
        looks: Mapping[int, float],
        tags: Mapping[str, float],
    ) -> Answer:
        if isinstance(condition, Presence):
            answer = present(condition, self._that_count(condition.asked, objects))
            seen = self._seen(condition, looks) if looks else []
            return tagged_as_well(seen_as_well(answer, seen), condition, tags)
        if isinstance(condition, Relation):
            return related(
                condition,
                self._that_count(condition.subject, objects),
                self._that_count(condition.object, objects),
                self._hints(condition.subject),
                self._hints(condition.object),
            )
        return other(self._united[id(condition)], objects)

    def _seen(
        self, condition: Presence, looks: Mapping[int, float]
    ) -> list[tuple[int, float, float]]:
        """What an image looks like of what is asked for, as `Answer.looks` has it."""
        weights = self._look_weights.get(id(condition), {})
        found = [
            (look_id, score, weights[look_id] * score)
            for look_id, score in looks.items()
            if weights.get(look_id, 0.0) * score > 0
        ]
        least = self._limits[id(condition.asked)].min_score * SCORE_UNIT
        if math.fsum(probability for _, _, probability in found) < least:
            return []
        return sorted(found, key=lambda one: -one[2])

    def _hints(self, asked: Asked) -> set[int]:
        weights = self._weights[id(asked.kind)]
        return {class_id for class_id, weight in weights.items() if weight <= HINT_WEIGHT}

    def _that_count(
        self, asked: Asked, objects: list[FoundObject]
    ) -> list[tuple[FoundObject, float]]:
        """Objects of a kind and within its limits, and how probable each is, surest first."""
        weights, limits = self._weights[id(asked.kind)], self._limits[id(asked)]
        found = [
            (one, weights[one.class_id] * one.score)
            for one in objects
            if weights.get(one.class_id)
            and one.packed_score >= limits.min_score
            and limits.min_area <= one.packed_area <= limits.max_area
        ]
        return sorted(found, key=lambda pair: -pair[1])


def _score(alternative: Alternative, answers: list[Answer]) -> float:
    """Geometric mean of what is asked for, times what each condition leaves that asks against."""
    product, terms, factor, something = 1.0, 0, 1.0, False
    for condition, answer in zip(alternative, answers, strict=True):
        if _is_against(condition):
            factor *= 1 - answer.probability
            continue
        of_condition = 2 if isinstance(condition, Relation) else 1
        terms += of_condition
        something |= answer.probability >= EPSILON**of_condition
        product *= max(answer.probability, EPSILON**of_condition)
    if terms == 0:
        return factor
    return float(product ** (1 / terms)) * factor if something else 0.0


def _parts(
    score: float, alternative: Alternative, answers: list[Answer]
) -> tuple[ConditionPart, ...]:
    """The score, shared among conditions by their probabilities, then among objects by theirs."""
    probabilities = [
        1 - answer.probability if _is_against(condition) else answer.probability
        for condition, answer in zip(alternative, answers, strict=True)
    ]
    total = math.fsum(probabilities)
    parts = []
    for condition, answer, probability in zip(alternative, answers, probabilities, strict=True):
        part = score * probability / total if total > 0 else 0.0
        shares = [0.0 if _is_against(condition) else one for _, one in answer.objects]
        seen = [0.0 if _is_against(condition) else one for _, _, one in answer.looks]
        if isinstance(condition, Relation) and not condition.negated:
            shares = [0.5 for _ in shares]
        tagged = 0.0 if _is_against(condition) else answer.tagged
        of_all = math.fsum([*shares, *seen, tagged])
        matched = tuple(
            MatchedObject(one.row, of_object, part * share / of_all if of_all else 0.0)
            for (one, of_object), share in zip(answer.objects, shares, strict=True)
        )
        looks = tuple(
            MatchedLook(look_id, score, part * share / of_all if of_all else 0.0)
            for (look_id, score, _), share in zip(answer.looks, seen, strict=True)
        )
        parts.append(
            ConditionPart(condition, probability, part, matched, answer.holds, looks, answer.tagged)
        )
    return tuple(parts)


def _is_against(condition: Condition) -> bool:
    return isinstance(condition, Only) or condition.negated


def _weights(kind: Kind) -> dict[int, float]:
    return dict(zip(kind.class_ids.tolist(), kind.weights.tolist(), strict=True))


def _look_weights(kind: Kind) -> dict[int, float]:
    return dict(zip(kind.look_ids.tolist(), kind.look_weights.tolist(), strict=True))


def _asked(condition: Condition) -> tuple[Asked, ...]:
    if isinstance(condition, Relation):
        return condition.subject, condition.object
    return (condition.asked,) if isinstance(condition, Presence) else ()


def _kinds(condition: Condition) -> tuple[Kind, ...]:
    return tuple(asked.kind for asked in _asked(condition))
