"""Embeddings of photos that were never taken: classes that differ as those of real photos do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.looks import EMBEDDING_DIMENSIONS


def drawn_looks(
    counts: dict[str, int], *, seed: int = 0, spread: float = 0.6
) -> tuple[NDArray[np.float16], list[str]]:
    """(n, 1280) embeddings and the class of each; a class has the same middle for every seed."""
    generator = np.random.default_rng(seed)
    embeddings, labels = [], []
    for name, count in counts.items():
        middle = np.random.default_rng(sum(name.encode())).gamma(0.5, 1, EMBEDDING_DIMENSIONS)
        noise = generator.gamma(0.5, 1, (count, EMBEDDING_DIMENSIONS))
        embeddings.append((1 - spread) * middle + spread * noise)
        labels += [name] * count
    return np.concatenate(embeddings).astype(np.float16), labels
