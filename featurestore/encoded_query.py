"""An `ObjectQuery` as arrays of numbers, which is what compiled code takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from featurestore.conditions import (
    NOTHING,
    Asked,
    Condition,
    Kind,
    ObjectQuery,
    Presence,
    Relation,
)
from featurestore.packing import STEPS
from featurestore.posting_kernels import MAX_CLASS_ID, MOST_OBJECTS, SURE_SCORE
from featurestore.relations import RELATIONS

# What a condition is. One object is enough for the first, which is so common and so simple that it
# is computed by itself.
ANY: Final = 0
COUNT: Final = 1
RELATION: Final = 2
ONLY: Final = 3

# Columns of the table of conditions. The last is the first of its rows in the table of what is
# asked for; a relation has two, subject and object.
WHAT: Final = 0
NEGATED: Final = 1
AT_LEAST: Final = 2
# -1 for no limit.
AT_MOST: Final = 3
RELATION_CODE: Final = 4
ASKED: Final = 5

FULL_AREA = float(STEPS**2)


class EncodedQuery(NamedTuple):
    """A conditions with t conditions in all, which ask for k times something, of c classes."""

    alternative_starts: NDArray[np.int64]
    """(a + 1,) conditions of alternative i: alternative_starts[i]:alternative_starts[i + 1]."""
    conditions: NDArray[np.int64]
    """(t, 6) the columns above."""
    asked_starts: NDArray[np.int64]
    """(k + 1,) classes asked for: asked_starts[i]:asked_starts[i + 1]."""
    min_scores: NDArray[np.int64]
    """(k,) packed; objects below it do not count."""
    areas: NDArray[np.float64]
    """(k, 2) least and greatest area, in squares of packed steps."""
    class_ids: NDArray[np.int64]
    """(c,)"""
    weights: NDArray[np.float64]
    """(c,) in 0..1."""
    look_starts: NDArray[np.int64]
    """(k + 1,) looks asked for: look_starts[i]:look_starts[i + 1]."""
    look_ids: NDArray[np.int64]
    """(l,)"""
    look_weights: NDArray[np.float64]
    """(l,) in 0..1."""


@dataclass(frozen=True)
class Limits:
    """Which objects count, in packed numbers, so that all ways to compute agree."""

    min_score: int
    min_area: float
    max_area: float

    @classmethod
    def of(cls, asked: Asked) -> Limits:
        return cls(
            # A limit of 20 % lets an object pass that is shown with 20 %.
            min_score=math.ceil(asked.min_score * STEPS - 0.5),
            min_area=asked.min_area * FULL_AREA,
            max_area=asked.max_area * FULL_AREA,
        )


def encode(query: ObjectQuery) -> EncodedQuery:
    """Raises KeyError for a relation of an unknown name, ValueError for class ids past the last."""
    conditions: list[tuple[int, int, int, int, int, int]] = []
    asked: list[Asked] = []
    seen: list[Kind] = []
    alternative_starts = [0]
    for alternative in query.alternatives:
        for condition in alternative:
            conditions.append((*_numbers(condition), len(asked)))
            asked += _asked(condition)
            seen += _seen(condition)
        alternative_starts.append(len(conditions))
    for one in asked:
        class_ids = one.kind.class_ids
        if len(class_ids) and not 0 <= class_ids.min() <= class_ids.max() <= MAX_CLASS_ID:
            raise ValueError(f"class ids should be 0 to {MAX_CLASS_ID}, are {class_ids.tolist()}")
    limits = [Limits.of(one) for one in asked]
    kinds = [one.kind for one in asked]
    return EncodedQuery(
        alternative_starts=np.array(alternative_starts, np.int64),
        conditions=np.array(conditions, np.int64).reshape(-1, ASKED + 1),
        asked_starts=np.cumsum([0, *(len(kind.class_ids) for kind in kinds)], dtype=np.int64),
        min_scores=np.array([limit.min_score for limit in limits], np.int64),
        areas=np.array([(one.min_area, one.max_area) for one in limits], np.float64).reshape(-1, 2),
        class_ids=np.concatenate([np.empty(0, np.int64), *(kind.class_ids for kind in kinds)]),
        weights=np.concatenate([np.empty(0, np.float64), *(kind.weights for kind in kinds)]),
        look_starts=np.cumsum([0, *(len(kind.look_ids) for kind in seen)], dtype=np.int64),
        look_ids=np.concatenate([np.empty(0, np.int64), *(kind.look_ids for kind in seen)]),
        look_weights=np.concatenate(
            [np.empty(0, np.float64), *(kind.look_weights for kind in seen)]
        ),
    )


def united(kinds: tuple[Kind, ...]) -> Kind:
    """All classes of several kinds, each with its greatest weight."""
    weights: dict[int, float] = {}
    for kind in kinds:
        for class_id, weight in zip(kind.class_ids.tolist(), kind.weights.tolist(), strict=True):
            weights[class_id] = max(weight, weights.get(class_id, 0.0))
    return Kind(np.array(list(weights), np.int64), np.array(list(weights.values()), np.float32))


def _numbers(condition: Condition) -> tuple[int, int, int, int, int]:
    if isinstance(condition, Relation):
        return RELATION, int(condition.negated), 0, 0, RELATIONS[condition.name]
    if isinstance(condition, Presence):
        if condition.at_least == 1 and condition.at_most is None:
            return ANY, int(condition.negated), 1, -1, 0
        # No image has more objects, so numbers above them are all the same.
        at_least = min(max(condition.at_least, 0), MOST_OBJECTS + 1)
        at_most = -1 if condition.at_most is None else min(condition.at_most, MOST_OBJECTS)
        return COUNT, int(condition.negated), at_least, at_most, 0
    # What it says is that there is nothing else, so it is negated.
    return ONLY, 1, 0, 0, 0


def _seen(condition: Condition) -> tuple[Kind, ...]:
    """For each of `_asked`, the kind whose looks count; one without looks where none do."""
    if isinstance(condition, Presence) and condition.may_be_seen:
        return (condition.asked.kind,)
    return (NOTHING,) * len(_asked(condition))


def _asked(condition: Condition) -> tuple[Asked, ...]:
    if isinstance(condition, Relation):
        return condition.subject, condition.object
    if isinstance(condition, Presence):
        return (condition.asked,)
    return (Asked(united(condition.kinds), min_score=SURE_SCORE),)
