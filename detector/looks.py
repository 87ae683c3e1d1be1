"""Looks: what an embedder sees and answers, and the checks on both ends of it.

A look is how a photo looks as a whole, apart from which objects are where: an embedding, whose
cosine with another says how alike two photos look, and how sure the network is of each class of
ImageNet. `look_frame` says which part of a photo goes in, squeezed to 224×224.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import BadDetectorAnswer

#: uint8 (n, 224, 224, 3), RGB, values as they come out of a decoder.
LookImages: TypeAlias = NDArray[np.uint8]

LOOK_SIZE = 224
EMBEDDING_DIMENSIONS = 1280
#: The classes of ILSVRC 2012 in their usual order.
LOOK_CLASSES = 1000

#: Probabilities come out of float32 arithmetic.
SUM_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Looks:
    """What an embedder says of n photos."""

    embedding: NDArray[np.float32]
    """(n, 1280), each number 0 to 6; of an image–text model (n, d), each row of length 1."""
    scores: NDArray[np.float32]
    """(n, 1000), 0..1, the probability of each class; they sum to 1. Of an image–text model, which
    knows no classes, (n, 0)."""

    def __len__(self) -> int:
        return len(self.embedding)

    @classmethod
    def empty(cls, count: int = 0) -> Looks:
        """Room for `count` of them, unfilled."""
        return cls(
            np.empty((count, EMBEDDING_DIMENSIONS), np.float32),
            np.empty((count, LOOK_CLASSES), np.float32),
        )


def look_frame(width: int, height: int) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of the part of a photo to squeeze into 224×224, in pixels.

    Of the longer side it is the middle, as long as the geometric mean of both sides: half way
    between cutting all that is not square, which loses what lies at the borders, and squeezing all
    of it, which alters shapes. `docs/decisions/0010-looks.md` has what each is worth.
    """
    side = math.sqrt(width * height)
    across, down = (side, height) if width > height else (width, side)
    left, top = (width - across) / 2, (height - down) / 2
    return left, top, left + across, top + down


@dataclass(frozen=True)
class LookInput:
    """What an embedder is to see of a photo: a part of it, squeezed into a square."""

    side: int
    """Pixels."""
    frame: Callable[[int, int], tuple[float, float, float, float]]
    """The part, as `look_frame` says it, for a width and a height."""
    bicubic: bool = False
    """Whether pixels are made by cubic curves in place of means of boxes."""


LOOK_INPUT = LookInput(LOOK_SIZE, look_frame)


def check_look_images(images: NDArray[Any], side: int = LOOK_SIZE) -> LookImages:
    """Return `images` if they are uint8 (n, side, side, 3), else raise ValueError."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (side, side, 3):
        raise ValueError(
            f"images: expected uint8 (n, {side}, {side}, 3), got {images.dtype} {images.shape}"
        )
    return images


def check_looks(looks: Looks, count: int) -> Looks:
    """Return `looks` if they are what this module says of `count` photos.

    Raises `BadDetectorAnswer`, naming what was expected and what came.
    """
    for name, array, columns in (
        ("embedding", looks.embedding, EMBEDDING_DIMENSIONS),
        ("scores", looks.scores, LOOK_CLASSES),
    ):
        if array.dtype != np.float32 or array.shape != (count, columns):
            raise BadDetectorAnswer(
                f"{name}: expected float32 ({count}, {columns}), got {array.dtype} {array.shape}"
            )
        if not np.isfinite(array).all():
            raise BadDetectorAnswer(f"{name}: expected finite numbers, got NaN or infinity")
    off = np.abs(looks.scores.sum(axis=1) - 1).max(initial=0)
    if (looks.scores < 0).any() or off > SUM_TOLERANCE:
        raise BadDetectorAnswer("scores: expected probabilities that sum to 1")
    return looks
