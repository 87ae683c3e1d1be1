"""Objects that keep company: where one was not found, what often lies beside it hints at it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featurestore.conditions import (
    HINT_WEIGHT,
    Asked,
    Condition,
    ObjectQuery,
    Presence,
    Relation,
)

# The most that an object's usual company counts: enough to order the photos that nothing better
# was found in. This and the next two were measured with `manage.py evaluate`.
COMPANY_WEIGHT = HINT_WEIGHT
# Company that is not the closest counts less than in proportion, ...
CLOSENESS_POWER = 2
# ... and company that was met in a photo or two may be chance.
CHANCE_PHOTOS = 1


def with_company(query: ObjectQuery, cooccurrence: NDArray[np.float64]) -> ObjectQuery:
    """The query with the usual company of each class that it asks for, at next to no weight.

    Args:
        cooccurrence: (91, 91) Σ over images of P(a) · P(b), from `Index.cooccurrence`.
    """
    lengths = np.sqrt(np.diag(cooccurrence))
    closeness = cooccurrence / (np.outer(lengths, lengths) + CHANCE_PHOTOS)
    np.fill_diagonal(closeness, 0)
    greatest = np.maximum(closeness.max(axis=1, keepdims=True), 1e-9)
    company = (closeness / greatest) ** CLOSENESS_POWER

    def widened(asked: Asked) -> Asked:
        kind = asked.kind
        if len(kind.class_ids) == 0:
            return asked
        weights = (company[kind.class_ids] * kind.weights[:, None]).max(axis=0) * COMPANY_WEIGHT
        weights[kind.class_ids] = kind.weights
        class_ids = np.flatnonzero(weights)
        widened_kind = replace(
            kind, class_ids=class_ids, weights=weights[class_ids].astype(np.float32)
        )
        return replace(asked, kind=widened_kind)

    def with_it(condition: Condition) -> Condition:
        match condition:
            case Presence(negated=False):
                return replace(condition, asked=widened(condition.asked))
            case Relation(negated=False):
                return replace(
                    condition, subject=widened(condition.subject), object=widened(condition.object)
                )
            case _:
                return condition

    return ObjectQuery(
        tuple(tuple(map(with_it, alternative)) for alternative in query.alternatives)
    )
