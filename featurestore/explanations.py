"""Why an image has its score for a text query: what each condition and each object adds to it.

This is the definition of the score, on one image and in plain Python; `condition_scores` computes
the same of all images. Object scores are probabilities, so conditions are probabilities as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

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
from featurestore.packing import SCORE_UNIT, pack_objects
from featurestore.posting_kernels import LEAST_DOUBT, SURE_STEPS
from featurestore.postings import ALL_CLASS_IDS
from featurestore.relation_misses import RELATION_MISSED
from featurestore.relations import RELATIONS, holds
from featurestore.tagged_scores import tag_chance

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


@dataclass(frozen=True)
class _Object:
    row: int
    class_id: int
    score: float
    box: tuple[float, ...]
    packed_score: int
    packed_area: float


@dataclass(frozen=True)
class _Answer:
    """What a condition finds in an image, before it is negated."""

    probability: float
    objects: list[tuple[_Object, float]]
    holds: bool = True
    looks: tuple[tuple[int, float, float], ...] = ()
    """Class, score, and the probability that it is of the kind, likeliest first."""
    tagged: float = 0.0


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
        objects = _objects(detections)
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
        objects: list[_Object],
        looks: Mapping[int, float],
        tags: Mapping[str, float],
    ) -> _Answer:
        if isinstance(condition, Presence):
            answer = _present(condition, self._that_count(condition.asked, objects))
            seen = self._seen(condition, looks) if looks else []
            return _tagged_as_well(_seen_as_well(answer, seen), condition, tags)
        if isinstance(condition, Relation):
            return _related(
                condition,
                self._that_count(condition.subject, objects),
                self._that_count(condition.object, objects),
                self._hints(condition.subject),
                self._hints(condition.object),
            )
        return _other(self._united[id(condition)], objects)

    def _seen(
        self, condition: Presence, looks: Mapping[int, float]
    ) -> list[tuple[int, float, float]]:
        """What an image looks like of what is asked for, as `_Answer.looks` has it."""
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

    def _that_count(self, asked: Asked, objects: list[_Object]) -> list[tuple[_Object, float]]:
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


def _present(condition: Presence, found: list[tuple[_Object, float]]) -> _Answer:
    """Poisson binomial: how many of independent things, each with a probability, are so."""
    chances = [1.0]
    for _, probability in found:
        none, one_more = 1 - probability, probability
        chances = [
            before * one_more + now * none
            for before, now in zip([0.0, *chances], [*chances, 0.0], strict=True)
        ]
    at_least = max(condition.at_least, 0)
    if condition.at_most is None:
        return _Answer(max(0.0, 1 - math.fsum(chances[:at_least])), found)
    return _Answer(min(1.0, math.fsum(chances[at_least : condition.at_most + 1])), found)


def _seen_as_well(answer: _Answer, seen: list[tuple[int, float, float]]) -> _Answer:
    """Noisy-or of objects and looks. A photo has one look, so those of several classes add up."""
    if not seen:
        return answer
    of_looks = min(math.fsum(probability for _, _, probability in seen), 1.0)
    probability = 1 - (1 - answer.probability) * (1 - of_looks)
    return replace(answer, probability=probability, looks=tuple(seen))


def _tagged_as_well(answer: _Answer, condition: Presence, tags: Mapping[str, float]) -> _Answer:
    """Noisy-or of what was seen and what a tag says."""
    told = tag_chance(condition, tags.get(condition.tag, 0.0)) if condition.tag else 0.0
    if not told:
        return answer
    return replace(answer, probability=1 - (1 - answer.probability) * (1 - told), tagged=told)


def _related(
    condition: Relation,
    subjects: list[tuple[_Object, float]],
    objects: list[tuple[_Object, float]],
    subject_hints: set[int],
    object_hints: set[int],
) -> _Answer:
    """The most probable pair of two objects, where one that lies otherwise is worth a tenth.

    Pairs of two hints (class ids whose weights are low) count for nothing.
    """
    best = _Answer(0.0, [])
    for subject, of_subject in subjects:
        for other, of_other in objects:
            probability = of_subject * of_other
            if subject.row == other.row or probability <= best.probability:
                continue
            if subject.class_id in subject_hints and other.class_id in object_hints:
                continue
            as_asked = bool(holds(RELATIONS[condition.name], subject.box, other.box))
            probability *= 1 if as_asked else RELATION_MISSED
            if probability > best.probability:
                pair = [(subject, of_subject), (other, of_other)]
                best = _Answer(probability, pair, as_asked)
    return best


def _other(weights: dict[int, float], objects: list[_Object]) -> _Answer:
    """That there is a sure object of another kind, as far as its class counts as another."""
    none, others = 1.0, []
    for one in objects:
        if one.packed_score >= SURE_STEPS:
            there = 1 - max(1 - one.score, LEAST_DOUBT)
            probability = there * (1 - weights.get(one.class_id, 0.0))
            none *= 1 - probability
            if probability > 0:
                others.append((one, probability))
    return _Answer(1 - none, sorted(others, key=lambda pair: -pair[1]))


def _score(alternative: Alternative, answers: list[_Answer]) -> float:
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
    score: float, alternative: Alternative, answers: list[_Answer]
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


def _objects(detections: NDArray[np.float32]) -> list[_Object]:
    return [
        _Object(row, int(class_id), score, tuple(box), packed_score, _area(*packed_box))
        for row, ((class_id, score, *box), (packed_score, *packed_box)) in enumerate(
            zip(detections.tolist(), pack_objects(detections).tolist(), strict=True)
        )
    ]


def _area(xmin: int, ymin: int, xmax: int, ymax: int) -> float:
    return float(max(xmax - xmin, 0) * max(ymax - ymin, 0))
