"""What a text query asks of the objects of an image, without words: weighted classes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# A class of no greater weight only hints at a kind. Pairs of two hints count for nothing in a
# relation: of a kind with many hints they would be nearly all pairs of nearly all images.
HINT_WEIGHT = 0.01


@dataclass(frozen=True)
class Kind:
    """Weighted object classes, such as those that a word may stand for."""

    class_ids: NDArray[np.int64]
    """(c,) COCO category ids, each once."""
    weights: NDArray[np.float32]
    """(c,) in 0..1: how much each class counts as one of the kind."""
    look_ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """(l,) classes that a photo as a whole may look like, each once. They have no place and no
    number, so that only a `Presence` of at least one thing of any size asks for them."""
    look_weights: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(l,) in 0..1"""


NOTHING = Kind(np.empty(0, np.int64), np.empty(0, np.float32))


@dataclass(frozen=True)
class Asked:
    """The objects of a kind that count."""

    kind: Kind
    min_score: float = 0.0
    """Only objects that the detector is at least so sure of, 0..1."""
    min_area: float = 0.0
    """Only objects whose box covers at least this part of the frame, 0..1."""
    max_area: float = 1.0
    """Only objects whose box covers at most this part of the frame, 0..1."""


@dataclass(frozen=True)
class Presence:
    """So many objects, from `at_least` to `at_most` (None: or more)."""

    asked: Asked
    at_least: int = 1
    at_most: int | None = None
    negated: bool = False
    tag: str = ""
    """A tag that says as well that it is there (see `tagged_scores`); "" for none."""

    @property
    def may_be_seen(self) -> bool:
        """Whether what the photo as a whole looks like can answer it as well."""
        asked = self.asked
        whole = asked.min_area <= 0 and asked.max_area >= 1
        return self.at_least == 1 and self.at_most is None and whole


@dataclass(frozen=True)
class Relation:
    """Two objects, the first of which lies so to the second; one at least is no mere hint."""

    subject: Asked
    name: str
    """One of `relations.RELATIONS`."""
    object: Asked
    negated: bool = False


@dataclass(frozen=True)
class Only:
    """No sure object of any other kind."""

    kinds: tuple[Kind, ...]


Condition = Presence | Relation | Only
Alternative = tuple[Condition, ...]


@dataclass(frozen=True)
class ObjectQuery:
    """Alternatives, of which an image should answer one with all of its conditions."""

    alternatives: tuple[Alternative, ...]
