"""What a search by look goes through: codes mapped from a file, and what was written since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featurestore.best_rows import best_of
from featurestore.look_codes import LookCoder
from featurestore.look_space import LookSpace

# By codes the best few hundred are found, and ordered by the looks themselves.
RERANKED = 400


@dataclass(frozen=True)
class LookPart:
    """Looks of n images, some of which no longer count: hidden, or written anew in a later part."""

    image_ids: NDArray[np.int64]
    """(n,) rising."""
    alive: NDArray[np.bool_]
    """(n,)"""
    looks: NDArray[np.int8] | NDArray[np.float32]
    """(n, k) codes, or (n, d) the looks themselves."""


@dataclass(frozen=True)
class LookIndex:
    """The looks of all images by one model, in one space, at one moment.

    A "row" counts through the parts one after the other. No image is alive in two parts.
    """

    space: LookSpace
    coder: LookCoder | None
    """What the codes of parts were made with; None where no part holds codes."""
    parts: tuple[LookPart, ...]
    read: Callable[[NDArray[np.int64]], NDArray[np.float16]]
    """(k, 1280) embeddings of rising image ids."""

    def __len__(self) -> int:
        """How many images can be found."""
        return sum(int(np.count_nonzero(part.alive)) for part in self.parts)

    @cached_property
    def image_ids(self) -> NDArray[np.int64]:
        """(rows,)"""
        return np.concatenate([np.empty(0, np.int64), *(part.image_ids for part in self.parts)])

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        """(rows,)"""
        return np.concatenate([np.empty(0, np.bool_), *(part.alive for part in self.parts)])

    def vector_of(self, image_id: int) -> NDArray[np.float32] | None:
        """(d,) how an image looks, None where there is no look of it."""
        embedding = self.read(np.array([image_id], np.int64))
        vector = self.space.vectors(embedding)[0]
        return vector if vector.any() else None

    def estimates(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows,) cosines with a (d,) unit vector: exact for looks, within 0.02 or so for codes."""
        return np.concatenate(
            [np.empty(0, np.float32), *(self._estimates(part, vector) for part in self.parts)]
        )

    def cosines(
        self, image_ids: NDArray[np.int64], vector: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(k,) cosines of some images with a (d,) unit vector, by their looks themselves."""
        rising, places = np.unique(image_ids, return_inverse=True)
        found: NDArray[np.float32] = (self.space.vectors(self.read(rising)) @ vector)[places]
        return found

    def similar(
        self, vector: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids of the k images that look most like a (d,) unit vector, best first, and cosines.

        Args:
            among: (rows,) which rows may be found; None for all.
        """
        allowed = self.alive if among is None else self.alive & among
        # From 0 on, since the best are found by the bits of their numbers.
        above = np.where(allowed, self.estimates(vector) + np.float32(1), np.float32(0))
        rows = best_of(above, k + RERANKED, np.float32(1e-6))
        ids = self.image_ids[rows]
        exact = self.cosines(ids, vector)
        # Of photos that look the same the newest comes first.
        best = np.lexsort((-ids, -exact))[:k]
        return ids[best], exact[best]

    def _estimates(self, part: LookPart, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.coder is not None and part.looks.dtype == np.int8:
            return self.coder.cosines(part.looks.view(np.int8), vector)
        found: NDArray[np.float32] = part.looks.astype(np.float32, copy=False) @ vector
        return found
