"""Different queries to measure with, drawn by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detector.labels import CLASS_IDS, CLASS_NAMES
from featurestore.relations import RELATIONS
from gallery.benchmarks.made_photos import class_shares, drawn_boxes

# Words that are no class's name, but stand for classes.
OTHER_WORDS = """
    animal puppy kitten sofa bike automobile lorry aircraft fruit vehicle furniture food fridge
    people man woman child boy girl mug plant flower television computer phone meal vegetable
"""
SIZES = ("", "big ", "small ")

TEXT_KINDS = ("one term", "two terms", "three terms, one relation", "count", "negation")


def text_queries(kind: str, random: np.random.Generator, count: int) -> list[str]:
    """Different texts of one of `TEXT_KINDS`, with words that a gallery of photos may be asked."""
    shares = class_shares()

    def name() -> str:
        # Half of them as often as they are in photos, half any, so that rare ones come as well.
        if random.random() < 0.5:
            return CLASS_NAMES[int(random.choice(len(CLASS_NAMES), p=shares))]
        words = (*CLASS_NAMES, *OTHER_WORDS.split())
        return words[int(random.integers(len(words)))]

    def text() -> str:
        first, second, third = name(), name(), name()
        match kind:
            case "one term":
                return f"{SIZES[int(random.integers(3))]}{first}"
            case "two terms":
                return f"{first} and {second}"
            case "three terms, one relation":
                relation = list(RELATIONS)[int(random.integers(len(RELATIONS)))]
                return f"{first} {relation} {second} and {third}"
            case "count":
                number = int(random.integers(2, 5))
                return f"{number}{'+' if random.random() < 0.5 else ''} {first}"
            case "negation":
                return f"{first} -{second}"
        raise ValueError(f"there is no kind of query {kind!r}")

    return _different(text, count)


def layouts(
    random: np.random.Generator, count: int, fewest: int, most: int
) -> list[NDArray[np.float32]]:
    """(m, 6) drawn layouts of so many boxes, with a score of 1."""
    drawn = []
    for _ in range(count):
        boxes = int(random.integers(fewest, most + 1))
        layout = np.ones((boxes, 6), np.float32)
        layout[:, 0] = random.choice(np.array(CLASS_IDS), boxes, p=class_shares())
        layout[:, 2:] = drawn_boxes(random, boxes)
        drawn.append(layout)
    return drawn


def _different(text: Callable[[], str], count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[text()] = None
    return list(found)
