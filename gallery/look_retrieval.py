"""How well photos of one kind find each other by their look, and how alike others are by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from featurestore.look_space import Chances, chances_of
from gallery.tags.discriminant import Integers

NEIGHBOURS = 10
#: At most so many photos are paired, which makes two million pairs.
PAIRED_PHOTOS = 2000


@dataclass(frozen=True)
class Retrieval:
    """How often photos that are found by their look are of the class of what is searched with."""

    at_1: float
    at_10: float


def retrieval(
    asked: NDArray[np.floating],
    asked_labels: Integers,
    known: NDArray[np.floating],
    known_labels: Integers,
) -> Retrieval:
    """P@1 and P@10 of (m, d) unit vectors asked among (n, d) known ones; of equals the first."""
    closeness = asked @ known.T
    nearest = np.argsort(-closeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    right = known_labels[nearest] == asked_labels[:, np.newaxis]
    return Retrieval(float(right[:, 0].mean()), float(right.mean()))


def cross_validated(
    parts: Integers, labels: Integers, vectors_without: Callable[[int], NDArray[np.float32]]
) -> tuple[Retrieval, Chances]:
    """What each part of the photos finds among the others, and how alike its kinds are by chance.

    Args:
        parts: (n,) from 0 on, none of which is empty.
        labels: (n,)
        vectors_without: tells (n, d) unit vectors by what was learnt without a part.
    """
    found, cosines = [], []
    for part in range(int(parts.max()) + 1):
        left, seen = parts == part, parts != part
        vectors = vectors_without(part)
        found.append(retrieval(vectors[left], labels[left], vectors[seen], labels[seen]))
        cosines.append(cosines_of_others(vectors[left], labels[left]))
    return (
        Retrieval(
            float(np.mean([one.at_1 for one in found])),
            float(np.mean([one.at_10 for one in found])),
        ),
        chances_of(np.concatenate(cosines)),
    )


def cosines_of_others(vectors: NDArray[np.float32], labels: Integers) -> NDArray[np.float32]:
    """Cosines of pairs of (n, d) unit vectors that are of two classes.

    Of many photos some stand for all, among which no class is passed over for being small.
    """
    rare_first = np.lexsort((labels, np.bincount(labels)[labels]))
    chosen = rare_first[:: ceil(len(vectors) / PAIRED_PHOTOS)]
    vectors, labels = vectors[chosen], labels[chosen]
    first, second = np.triu_indices(len(vectors), 1)
    apart = labels[first] != labels[second]
    cosines: NDArray[np.float32] = (vectors @ vectors.T)[first[apart], second[apart]]
    return cosines
