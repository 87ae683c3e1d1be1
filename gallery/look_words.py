"""Which of an appearance model's classes a word stands for, beside the object classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from detector.look_labels import LOOK_NAMES
from gallery.lexicon import Lexicon

# All of these were measured with `manage.py evaluate`.
# What a photo looks like counts so much for an object that the detector could have found as well.
BESIDE_OBJECTS = 0.05
# A dog counts so much for a labrador, of which only the look can tell.
BROADER_OBJECT = 0.3
# A word that means no more classes than this means those; a hound is rather any dog.
MOST_NARROW = 8
# Objects that a word is merely near to, where its look is known and more classes than this are akin
# to it, as pizza is to espresso. Others count as much as they are near.
CLOSELY_AKIN = 6
LOOSELY_NEAR_OBJECT = 0.04
# A class that is further from a word than this is meant in some other sense of it ("sam").
LEAST_SIMILARITY = 0.2
# A class of one word that is so near to a word stands in for it: an espresso for a cappuccino.
NEAR_LOOK = 0.88
NEAR_LOOK_WEIGHT = 0.5
# Of "Labrador retriever" the first word is enough where it is no more usual than this.
UNUSUAL_WORD = 10_000
# What photos of a thing look like rather than not, where WordNet sees no kinship between the two.
LOOKS_WITH_WORD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "beer": ("beer glass", "beer bottle"),
        "bride": ("groom",),
        "diver": ("scuba diver", "snorkel"),
        "firefighter": ("fire engine",),
        "harbor": ("dock", "pier", "breakwater"),
        "jacket": ("trench coat", "cardigan", "fur coat"),
        "ocean": ("seashore", "coral reef", "promontory"),
        "sea": ("seashore", "promontory", "breakwater"),
        "shorts": ("swimming trunks",),
        "soldier": ("military uniform",),
        "space suit": ("space shuttle",),
        "spacesuit": ("space shuttle",),
        "tea": ("teapot", "cup"),
        "temple": ("stupa", "monastery", "mosque", "palace"),
    }
)


class LookWords:
    """The names of the look classes among word vectors."""

    def __init__(
        self,
        lexicon: Lexicon,
        place_of: Mapping[str, int],
        direction_of: Callable[[str], NDArray[np.float32]],
    ) -> None:
        """
        Args:
            place_of: of each word that has a vector, its place by use.
            direction_of: (50,) unit vector of some known words with blanks between them.
        """
        self._lexicon = lexicon
        self._place_of = place_of
        self._direction_of = direction_of
        self._class_looks: dict[int, frozenset[int]] = {}

    def of_object(self, class_id: int) -> frozenset[int]:
        """What photos of an object class look like."""
        if class_id not in self._class_looks:
            facts = self._lexicon.facts(NAME_BY_ID[class_id])
            self._class_looks[class_id] = frozenset(facts.looks if facts else ())
        return self._class_looks[class_id]

    def named(self, forms: Iterable[str]) -> dict[int, float]:
        """The class that a phrase, in one of several forms, is the very name of."""
        return {self._by_name[form]: 1.0 for form in forms if form in self._by_name}

    def meant(self, forms: Iterable[str]) -> dict[int, float]:
        """Classes that a phrase, in one of several forms, stands for, the surest with 1."""
        for form in forms:
            found = self._stood_for(form)
            if found:
                most = max(found.values())
                weights = {number: likelihood / most for number, likelihood in found.items()}
                # Whoever says a class's very name hardly means another.
                return weights | self.named([form])
        for form in forms:
            if form in LOOKS_WITH_WORD:
                names = (name.lower() for name in LOOKS_WITH_WORD[form])
                return {self._by_name[name]: NEAR_LOOK_WEIGHT for name in names}
        return {}

    def begun(self, forms: Iterable[str]) -> str | None:
        """The name of the animal of which everybody knows what the second word would be."""
        for form in forms:
            if self._place_of.get(form, 0) >= UNUSUAL_WORD and form in self._by_first_word:
                return self._by_first_word[form]
        return None

    def near(self, forms: Iterable[str]) -> dict[int, float]:
        """The class that is so near to a noun that it may stand in for it."""
        for form in forms:
            facts = self._lexicon.facts(form)
            if facts is None or not facts.is_usual or form not in self._place_of:
                continue
            similarities = self._unit_vectors @ self._direction_of(form)
            similarities[~self._of_one_word] = 0
            best = int(similarities.argmax())
            if similarities[best] >= NEAR_LOOK:
                return {best: NEAR_LOOK_WEIGHT}
        return {}

    def _stood_for(self, form: str) -> dict[int, float]:
        """Those that WordNet says, if the word is near to one of them."""
        facts = self._lexicon.facts(form)
        if facts is None or not facts.looks:
            return {}
        if all(word in self._place_of for word in form.split(" ")):
            similarities = self._unit_vectors[list(facts.looks)] @ self._direction_of(form)
            if similarities.max() < LEAST_SIMILARITY:
                return {}
        return dict(facts.looks)

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {name.lower(): number for number, name in enumerate(LOOK_NAMES)}

    @cached_property
    def _by_first_word(self) -> dict[str, str]:
        """Names in lower case, of those that no other begins like."""
        animals = self._lexicon.facts("animal")
        names = [LOOK_NAMES[number] for number in (animals.looks if animals else ())]
        firsts = Counter(name.split(" ")[0] for name in names)
        return {
            first.lower(): name.lower()
            for name in names
            for first, *others in [name.split(" ")]
            if len(others) == 1 and first[0].isupper() and firsts[first] == 1
        }

    @cached_property
    def _unit_vectors(self) -> NDArray[np.float32]:
        """(1000, 50)"""
        return np.stack([self._direction_of(" ".join(_words(name))) for name in LOOK_NAMES])

    @cached_property
    def _of_one_word(self) -> NDArray[np.bool_]:
        """(1000,)"""
        words = [_words(name) for name in LOOK_NAMES]
        return np.array([len(each) == 1 and each[0] in self._place_of for each in words])


def _words(name: str) -> list[str]:
    return re.sub(r"\(.*\)", "", name).lower().replace("-", " ").split()
