"""The original system's text score: how near a sentence vector is to that of the query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cosines(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each of (n, d) vectors with a (d,) query; 0 where either is all zero."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    products: NDArray[np.float32] = vectors @ query
    np.divide(products, lengths, out=products, where=lengths > 0)
    return products
