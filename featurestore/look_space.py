"""What looks are compared in: as the appearance model gives them, or as a gallery has learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The scores of what is alike as are two photos taken by chance, and as one such pair in 20 and in
#: 100 is: the same in every space.
CHANCE_SCORES = (0.0, 0.15, 0.3)
#: Percentiles of the cosines of such pairs, after their mean.
CHANCE_PERCENTILES = (95, 99)

Chances = tuple[float, float, float]
"""Cosines that are to be scored with `CHANCE_SCORES`."""


@dataclass(frozen=True)
class LookSpace:
    """A space whose cosines say how alike two photos look."""

    name: str
    """Of two spaces that compare differently no two have one name: indexes are kept by it."""
    projection: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None
    """From (n, 1280) embeddings to (n, d) vectors of any length; None keeps them as they are."""
    chances: Chances = CHANCE_SCORES
    """Rising, below 1."""

    def vectors(self, embedding: NDArray[np.float16] | NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, d) of length 1, or 0 where a photo looks like nothing.

        Args:
            embedding: (n, 1280).
        """
        # A flipped bit on the disk may have made a number that is none.
        plain = np.nan_to_num(np.asarray(embedding, np.float32), posinf=0, neginf=0)
        found = plain if self.projection is None else self.projection(plain)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        units: NDArray[np.float32] = (found / np.maximum(lengths, 1e-9)).astype(np.float32)
        return units

    def scores(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) 0 for what is not more alike than photos taken by chance, 1 for the same."""
        scores = np.interp(cosines, (*self.chances, 1.0), (*CHANCE_SCORES, 1.0))
        return scores.astype(np.float32)


def chances_of(cosines: NDArray[np.float32]) -> Chances:
    """What (n,) cosines of pairs of photos say that were taken by chance; n is at least 1."""
    rare, rarer = np.percentile(cosines, CHANCE_PERCENTILES).tolist()
    # They rise, whatever few photos say.
    mean = float(np.clip(cosines.mean(), 0, 0.96))
    rare = float(np.clip(rare, mean + 0.01, 0.97))
    return mean, rare, float(np.clip(rarer, rare + 0.01, 0.98))


def chances_in(numbers: Sequence[float]) -> Chances:
    """Chances that were kept as numbers. Raises ValueError for what are none."""
    unrelated, rare, rarer = map(float, numbers)
    if not unrelated < rare < rarer < 1:
        raise ValueError(f"chances are {numbers}, not three rising numbers below 1")
    return unrelated, rare, rarer


# Measured on all pairs of 302 COCO photos.
PLAIN = LookSpace("plain", chances=(0.264, 0.404, 0.499))
