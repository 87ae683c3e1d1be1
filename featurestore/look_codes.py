"""Looks in a byte a number along the directions in which they differ most, and their cosines.

Principal components (K. Pearson 1901), of the looks themselves and not of what they differ from
their mean by: that keeps cosines best. Each has steps of its own, so that a product with a query,
which is multiplied with the steps, is an estimate of the cosine. What an estimate is worth is
measured in `docs/decisions/0011-similar-looks.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.row_ranges import for_row_ranges

CODE_DIMENSIONS = 192
# More photos hardly change the directions.
FITTED_ROWS = 20_000

CODE_STEPS = 127
# Sums of 192 products with codes stay within 32 bits.
QUERY_STEPS = 32767


@dataclass(frozen=True)
class LookCoder:
    """Turns unit vectors into codes."""

    basis: NDArray[np.float32]
    """(d, k) orthonormal columns."""
    steps: NDArray[np.float32]
    """(k,) what one step of each code stands for."""

    @classmethod
    def fitted(cls, vectors: NDArray[np.float32]) -> LookCoder:
        """For (n, d) vectors like these, of which there is one at least."""
        _, directions = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
        basis = np.ascontiguousarray(directions[:, ::-1][:, :CODE_DIMENSIONS], np.float32)
        greatest = np.abs(vectors @ basis).max(axis=0)
        return cls(basis, np.maximum(greatest / CODE_STEPS, 1e-9).astype(np.float32))

    def codes(self, vectors: NDArray[np.float32]) -> NDArray[np.int8]:
        """(n, k) of (n, d) vectors."""
        steps = np.rint(vectors @ self.basis / self.steps)
        codes: NDArray[np.int8] = np.clip(steps, -CODE_STEPS, CODE_STEPS).astype(np.int8)
        return codes

    def cosines(self, codes: NDArray[np.int8], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) estimated cosines of (n, k) codes with a (d,) vector, all of length 1."""
        asked = vector @ self.basis * self.steps
        scale = max(float(np.abs(asked).max()), 1e-9) / QUERY_STEPS
        query = np.rint(asked / scale).astype(np.int16)
        found = np.empty(len(codes), np.float32)

        def score(first: int, stop: int) -> None:
            multiply_codes(codes, query, np.float32(scale), found, first, stop)

        for_row_ranges(len(codes), score)
        return found


@compiled
def multiply_codes(
    codes: NDArray[np.int8],
    query: NDArray[np.int16],
    scale: np.float32,
    found: NDArray[np.float32],
    first: int,
    stop: int,
) -> None:
    """Products of (n, k) codes with a (k,) query, for some rows.

    In whole numbers, which vector instructions may add in any order.
    """
    for row in range(first, stop):
        total = np.int32(0)
        for place in range(len(query)):
            total += np.int32(codes[row, place]) * np.int32(query[place])
        found[row] = np.float32(total) * scale
