"""Kinds of things that photos as a whole may look like: which of their classes count where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from featurestore.conditions import Kind
from gallery.look_words import BESIDE_OBJECTS

# An object that counts less beside a look is not meant where something is to lie somewhere, ...
LEAST_PLACED = 0.1
# ... and one that counts less is not meant where something is not to be there.
SURELY_MEANT = 0.5


def is_placeless(kind: Kind) -> bool:
    """Whether hardly anything but what a photo as a whole looks like can say that it is there."""
    weights = kind.weights
    return len(weights) == 0 or (len(kind.look_ids) > 0 and bool(weights.max() < LEAST_PLACED))


def surely_meant(kind: Kind) -> Kind:
    """Without objects that only hint at a look: who wants no labrador may want a dog."""
    if len(kind.look_weights) == 0 or kind.look_weights[0] < SURELY_MEANT:
        return kind
    sure = kind.weights >= SURELY_MEANT
    return replace(kind, class_ids=kind.class_ids[sure], weights=kind.weights[sure])


def without_hints(kind: Kind) -> Kind:
    """Without looks that only hint at an object.

    Of several things a hint of one would lift photos that lack it far above others: their score is
    a product.
    """
    if len(kind.look_weights) == 0 or kind.look_weights[0] > np.float32(BESIDE_OBJECTS):
        return kind
    return Kind(kind.class_ids, kind.weights)
