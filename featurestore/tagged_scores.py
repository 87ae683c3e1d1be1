"""Scores of images for queries some of whose things may also be told by tags.

A tag says with some probability that a thing is there, as an object does, and is taken to be
independent of them: P = 1 - (1 - P of the objects)·(1 - P of the tag). All else is as
`condition_scores` has it, which gives the probability of each condition here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featurestore.condition_kernels import EPSILON
from featurestore.condition_scores import index_condition_scores
from featurestore.conditions import Alternative, Condition, ObjectQuery, Only, Presence, Relation
from featurestore.index import Index

Scores = NDArray[np.float32]


def index_tagged_scores(
    index: Index,
    query: ObjectQuery,
    tags: Mapping[str, Scores],
    allowed: NDArray[np.bool_] | None = None,
    *,
    floor: float = 0.0,
) -> Scores:
    """Score of every row of an index for a query, 0 for dead rows.

    Args:
        tags: (rows,) how probable each of the query's tags is of each row, 0..1.
        allowed: (rows,) rows that are to be scored, None for all; others score 0.
        floor: scores below it may come out as 0, which is quicker.
    """
    tagged = [one for one in query.alternatives if tags_asked(one)]
    if not tagged:
        return index_condition_scores(index, query, allowed, floor=floor)
    counted = index.alive if allowed is None else index.alive & allowed
    plain = tuple(one for one in query.alternatives if not tags_asked(one))
    scores = (
        index_condition_scores(index, ObjectQuery(plain), allowed, floor=floor)
        if plain
        else np.zeros(index.rows, np.float32)
    )
    for alternative in tagged:
        np.maximum(scores, _scores(index, alternative, tags), out=scores, where=counted)
    return scores


def tags_asked(alternative: Alternative) -> set[str]:
    """The tags that conditions of an alternative may be told by."""
    return {one.tag for one in alternative if isinstance(one, Presence) and one.tag}


def tag_chance(condition: Presence, probability: float) -> float:
    """What a tag's probability counts for a condition."""
    return probability if probability >= condition.asked.min_score else 0.0


def _scores(index: Index, alternative: Alternative, tags: Mapping[str, Scores]) -> Scores:
    product = np.ones(index.rows)
    factor = np.ones(index.rows)
    something = np.zeros(index.rows, np.bool_)
    terms = 0
    for condition in alternative:
        chance = _chance(index, condition, tags)
        if isinstance(condition, Only):
            factor *= chance
        elif condition.negated:
            factor *= 1 - chance
        else:
            of_condition = 2 if isinstance(condition, Relation) else 1
            terms += of_condition
            something |= chance >= EPSILON**of_condition
            product *= np.maximum(chance, EPSILON**of_condition)
    if terms == 0:
        return factor.astype(np.float32)
    return np.where(something, product ** (1 / terms) * factor, 0).astype(np.float32)


def _chance(index: Index, condition: Condition, tags: Mapping[str, Scores]) -> NDArray[np.float64]:
    """(rows,) that a condition holds, before it is negated."""
    if isinstance(condition, Only):
        return _alone(index, condition)
    alone = _alone(index, replace(condition, negated=False))
    if isinstance(condition, Relation):
        # A relation counts as two terms, of which the root was drawn.
        return alone**2
    if not condition.tag:
        return alone
    told = tags[condition.tag].astype(np.float64)
    told[told < condition.asked.min_score] = 0
    return np.asarray(1 - (1 - alone) * (1 - told))


def _alone(index: Index, condition: Condition) -> NDArray[np.float64]:
    return index_condition_scores(index, ObjectQuery(((condition,),))).astype(np.float64)
