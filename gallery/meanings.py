"""The object classes and looks that words stand for, and how surely: from facts and nearness.

WordNet says which nouns are kinds of a class or the other way round; word vectors say how near
they are, and stand in where WordNet knows no such relation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from detector.look_labels import LOOK_NAMES
from featurestore.conditions import Kind
from gallery.lexicon import NounFacts
from gallery.look_words import BESIDE_OBJECTS, CLOSELY_AKIN, LOOSELY_NEAR_OBJECT

# All of these were measured with `manage.py evaluate`.
# A class that is further from a word than this says nothing about it, ...
NEAR_SIMILARITY = 0.45
# ... or than this, where WordNet sees nothing that the two share, or does not know the word.
UNRELATED_SIMILARITY = 0.7
# Classes within a few hundredths of the nearest cosine count as the same thing.
SIMILARITY_SCALE = 0.02
# Of the senses of a word, those further from it count less, but count.
SENSE_SCALE = 0.5
# How fast the faith in WordNet falls where a class that it does not name is nearer.
FAITH_SCALE = 0.5
# A class that counts less is left out.
LEAST_WEIGHT = 0.01


@dataclass(frozen=True)
class Meaning:
    """The classes that a word stands for."""

    kind: Kind
    """By falling weight; the first is the best."""
    similarity: float
    """Cosine of the word and its best class, 1 where it names it."""
    is_named: bool
    """Whether the word is a class's own name."""

    @property
    def class_names(self) -> list[str]:
        return [NAME_BY_ID[class_id] for class_id in self.kind.class_ids.tolist()]

    @property
    def look_names(self) -> list[str]:
        """Of the classes that a photo as a whole may look like, by falling weight."""
        return [LOOK_NAMES[number] for number in self.kind.look_ids.tolist()]

    @property
    def is_look(self) -> bool:
        """Whether what a photo looks like can say it by itself, without an object."""
        looks = self.kind.look_weights
        return len(looks) > 0 and bool(looks[0] > BESIDE_OBJECTS)


def meaning_of_noun(facts: NounFacts, similarities: Mapping[int, float]) -> Meaning | None:
    """What a noun of WordNet means.

    Args:
        similarities: cosine with each class, by category id.
    """
    if not facts.is_usual:
        # "red" is near to orange, and "very" to hair drier.
        return None
    if facts.meant or max(similarities.values()) < UNRELATED_SIMILARITY:
        similarities = {class_id: similarities[class_id] for class_id in facts.akin}
    if facts.meant:
        return _kind_meaning(facts, similarities)
    if max(similarities.values(), default=0.0) < NEAR_SIMILARITY:
        return None
    return meaning_by_nearness(similarities)


def _kind_meaning(facts: NounFacts, similarities: Mapping[int, float]) -> Meaning:
    """What a noun means that stands for some classes, which are among those of `similarities`."""
    nearest = max(similarities.values())
    nearest_meant = max(similarities[class_id] for class_id in facts.meant)
    faith = max(
        likelihood * float(np.exp((similarities[class_id] - nearest) / FAITH_SCALE))
        for class_id, likelihood in facts.meant.items()
    )
    weights = {
        class_id: (1 - faith) * weight for class_id, weight in _near_weights(similarities).items()
    }
    for sense in facts.senses:
        # All kinds of a thing are that thing, so they count alike: a bear is no less of an animal
        # than a cat. The sense that is nearer is rather meant.
        distance = nearest_meant - max(similarities[class_id] for class_id in sense)
        of_sense = faith * float(np.exp(-distance / SENSE_SCALE))
        for class_id in sense:
            weights[class_id] = max(weights[class_id], of_sense)
    best = max(weights, key=lambda class_id: (weights[class_id], similarities[class_id]))
    # A kind of a thing is that thing; what is merely near counts as much as it is near.
    most = weights[best] if best in facts.meant else 1.0
    # Those that are nearer first, where they count alike.
    nearest_first = sorted(weights, key=lambda class_id: -similarities[class_id])
    return meaning_of({id_: weights[id_] / most for id_ in nearest_first}, similarities[best])


def meaning_by_nearness(similarities: Mapping[int, float]) -> Meaning:
    """What a word means of which nothing is known but the classes that it is near to."""
    return meaning_of(_near_weights(similarities), max(similarities.values()))


def _near_weights(similarities: Mapping[int, float]) -> dict[int, float]:
    """How much each class counts for being near."""
    nearest = max(similarities.values())
    return {
        class_id: float(np.exp((similarity - nearest) / SIMILARITY_SCALE)) * max(nearest, 0)
        for class_id, similarity in similarities.items()
    }


def weight_beside_look(found: Meaning, facts: NounFacts | None) -> float:
    """How much the objects count that a word is merely near to, where its look is known."""
    if found.similarity >= UNRELATED_SIMILARITY or facts is None:
        return 1.0
    return LOOSELY_NEAR_OBJECT if len(facts.akin) > CLOSELY_AKIN else 1.0


def with_looks(meaning: Meaning, looks: Mapping[int, float], *, objects: float = 1.0) -> Meaning:
    """A meaning that photos as a whole may look like as well.

    Args:
        objects: how much its objects still count.
    """
    kind = meaning.kind
    ids, weights = _by_weight(looks)
    kind = Kind(kind.class_ids, (kind.weights * objects).astype(np.float32), ids, weights)
    return replace(meaning, kind=kind)


def meaning_of(
    weights: Mapping[int, float],
    similarity: float,
    *,
    looks: Mapping[int, float] = MappingProxyType({}),
    is_named: bool = False,
) -> Meaning:
    return Meaning(Kind(*_by_weight(weights), *_by_weight(looks)), similarity, is_named)


def _by_weight(weights: Mapping[int, float]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ids and weights by falling weight, without those that weigh next to nothing."""
    ids = [
        id_
        for id_ in sorted(weights, key=lambda id_: -weights[id_])
        if weights[id_] >= LEAST_WEIGHT
    ]
    return np.array(ids, np.int64), np.array([weights[id_] for id_ in ids], np.float32)
