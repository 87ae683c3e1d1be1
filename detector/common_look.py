"""What all looks have in common: the part of an embedding that the classifier makes nothing of.

Along one direction the scores of all classes rise alike, so that none becomes more probable. It
says nothing of what a photo shows, and yet is a great part of what any two embeddings share.
`common_look.npy` holds it for the weights of `look_model`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_common_look() -> NDArray[np.float32]:
    """(1280,) of length 1."""
    direction: NDArray[np.float32] = np.load(Path(__file__).with_suffix(".npy"), allow_pickle=False)
    return direction


def common_look(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(d,) of length 1, at right angles to all differences between classes.

    Args:
        weights: (c, d) the rows that a classifier multiplies embeddings with.
    """
    wide = weights.astype(np.float64)
    mean = wide.mean(axis=0)
    differences = wide - mean
    along = differences.T @ np.linalg.lstsq(differences.T, mean, rcond=None)[0]
    rest = mean - along
    direction: NDArray[np.float32] = (rest / np.linalg.norm(rest)).astype(np.float32)
    return direction
