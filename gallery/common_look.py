"""What looks are compared in where a gallery has learnt nothing of its own."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from detector.common_look import read_common_look
from detector.look_model import LOOK_MODEL_ID
from featurestore.look_space import PLAIN, LookSpace
from gallery.tags.discriminant import Floats, Real, rooted, rooted_in


def default_look_space(look_model_id: str) -> LookSpace:
    """Of a model by somebody else nothing is known: its looks are compared as they are."""
    return _APART if look_model_id == LOOK_MODEL_ID else PLAIN


def comparable(embedding: NDArray[np.float16] | NDArray[np.float32], look_model_id: str) -> Floats:
    """(n, 1280) square roots of embeddings, without what all have in common, if that is known."""
    return _apart(np.float64, embedding) if look_model_id == LOOK_MODEL_ID else rooted(embedding)


def _apart(
    dtype: type[Real], embedding: NDArray[np.float16] | NDArray[np.float32]
) -> NDArray[Real]:
    roots, common = rooted_in(dtype, embedding), _common_look().astype(dtype)
    return np.asarray(roots - np.outer(roots @ common, common), dtype)


@cache
def _common_look() -> Floats:
    return read_common_look().astype(np.float64)


_APART = LookSpace(
    "apart-1",
    partial(_apart, np.float32),
    # Measured on all pairs of 302 COCO photos.
    chances=(0.135, 0.304, 0.432),
)
