"""What each condition of a query finds in one image, and with which probability.

The definition of what `condition_scores` computes of all images, in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from featurestore.conditions import Presence, Relation
from featurestore.packing import pack_objects
from featurestore.posting_kernels import LEAST_DOUBT, SURE_STEPS
from featurestore.relation_misses import RELATION_MISSED
from featurestore.relations import RELATIONS, holds
from featurestore.tagged_scores import tag_chance


@dataclass(frozen=True)
class FoundObject:
    """An object of the image, in the packed numbers that an index keeps."""

    row: int
    """Of the image's detections."""
    class_id: int
    score: float
    box: tuple[float, ...]
    """xyxy in the 300×300 frame."""
    packed_score: int
    packed_area: float
    """In squares of packed steps."""


@dataclass(frozen=True)
class Answer:
    """What a condition finds in an image, before it is negated."""

    probability: float
    objects: list[tuple[FoundObject, float]]
    holds: bool = True
    looks: tuple[tuple[int, float, float], ...] = ()
    """Class, score, and the probability that it is of the kind, likeliest first."""
    tagged: float = 0.0


def found_objects(detections: NDArray[np.float32]) -> list[FoundObject]:
    """Those of (k, 6) detections without padding."""
    return [
        FoundObject(row, int(class_id), score, tuple(box), packed_score, _area(*packed_box))
        for row, ((class_id, score, *box), (packed_score, *packed_box)) in enumerate(
            zip(detections.tolist(), pack_objects(detections).tolist(), strict=True)
        )
    ]


def _area(xmin: int, ymin: int, xmax: int, ymax: int) -> float:
    return float(max(xmax - xmin, 0) * max(ymax - ymin, 0))


def present(condition: Presence, found: list[tuple[FoundObject, float]]) -> Answer:
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
        return Answer(max(0.0, 1 - math.fsum(chances[:at_least])), found)
    return Answer(min(1.0, math.fsum(chances[at_least : condition.at_most + 1])), found)


def seen_as_well(answer: Answer, seen: list[tuple[int, float, float]]) -> Answer:
    """Noisy-or of objects and looks. A photo has one look, so those of several classes add up."""
    if not seen:
        return answer
    of_looks = min(math.fsum(probability for _, _, probability in seen), 1.0)
    probability = 1 - (1 - answer.probability) * (1 - of_looks)
    return replace(answer, probability=probability, looks=tuple(seen))


def tagged_as_well(answer: Answer, condition: Presence, tags: Mapping[str, float]) -> Answer:
    """Noisy-or of what was seen and what a tag says."""
    told = tag_chance(condition, tags.get(condition.tag, 0.0)) if condition.tag else 0.0
    if not told:
        return answer
    return replace(answer, probability=1 - (1 - answer.probability) * (1 - told), tagged=told)


def related(
    condition: Relation,
    subjects: list[tuple[FoundObject, float]],
    objects: list[tuple[FoundObject, float]],
    subject_hints: set[int],
    object_hints: set[int],
) -> Answer:
    """The most probable pair of two objects, where one that lies otherwise is worth a tenth.

    Pairs of two hints (class ids whose weights are low) count for nothing.
    """
    best = Answer(0.0, [])
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
                best = Answer(probability, pair, as_asked)
    return best


def other(weights: dict[int, float], objects: list[FoundObject]) -> Answer:
    """That there is a sure object of another kind, as far as its class counts as another."""
    none, others = 1.0, []
    for one in objects:
        if one.packed_score >= SURE_STEPS:
            there = 1 - max(1 - one.score, LEAST_DOUBT)
            probability = there * (1 - weights.get(one.class_id, 0.0))
            none *= 1 - probability
            if probability > 0:
                others.append((one, probability))
    return Answer(1 - none, sorted(others, key=lambda pair: -pair[1]))
