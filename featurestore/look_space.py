"""What looks are compared in: as the appearance model gives them, or as a gallery has learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The cosine that photos of different things have on average, as measured on clothes.
UNRELATED_COSINE = 0.36


@dataclass(frozen=True)
class LookSpace:
    """A space whose cosines say how alike two photos look."""

    name: str
    """Of two spaces that compare differently no two have one name: indexes are kept by it."""
    projection: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None
    """From (n, 1280) embeddings to (n, d) vectors of any length; None keeps them as they are."""
    unrelated: float = 0.0
    """The cosine that photos of different things have on average."""

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
        """(n,) 0 for what is not more alike than photos of different things, 1 for the same."""
        above = (cosines - np.float32(self.unrelated)) / np.float32(1 - self.unrelated)
        scores: NDArray[np.float32] = np.clip(above, 0, 1).astype(np.float32)
        return scores


PLAIN = LookSpace("plain", unrelated=UNRELATED_COSINE)
