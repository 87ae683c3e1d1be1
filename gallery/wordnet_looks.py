"""What nouns have to do with the classes of an appearance model, which are synsets of WordNet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from detector.look_labels import LOOK_NAMES, LOOK_SYNSETS

# A kind of more things than this says too little ("device"), unless they are animals.
MOST_LOOKS_MEANT = 120
# A kind of which the classes are hardly any, like "work" of which only the comic book is known, is
# not what they show.
LEAST_SHARE = 0.005
# A class counts so much for its own name where that is rather used for something else: "boxer".
RARE_NAME = 0.5

# What photos of an object look like besides, where WordNet has it as a part or under another name.
LOOKS_WITH_CLASS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "train": ("electric locomotive", "steam locomotive", "passenger car", "freight car"),
        "toilet": ("toilet seat",),
        "potted plant": ("pot",),
        "cup": ("coffee mug",),
        "sink": ("washbasin",),
        "handbag": ("purse",),
    }
)


class LookDescriber:
    """Looks at nouns with the synsets of all look classes at hand."""

    def __init__(self, is_a: Mapping[int, frozenset[int]], animals: Iterable[int]) -> None:
        """
        Args:
            is_a: each synset with itself and everything that it is a kind of.
            animals: synsets whose kinds are animals.
        """
        self._classes_of: dict[int, set[int]] = {}
        self._classes_under: dict[int, set[int]] = {}
        for number, synset in enumerate(LOOK_SYNSETS):
            self._classes_of.setdefault(synset, set()).add(number)
            for kind in is_a.get(synset, ()):
                self._classes_under.setdefault(kind, set()).add(number)
        self._kinds_under = Counter(kind for kinds in is_a.values() for kind in kinds)
        self._animals = set().union(*(self._classes_under.get(one, ()) for one in animals))

    def of_synset(self, synset: int, kinds: Iterable[int]) -> set[int]:
        """Classes that are kinds of a synset, and those that it is a kind of.

        Args:
            kinds: all that the synset is a kind of, itself among them.
        """
        under = self._classes_under.get(synset, set())
        too_many = len(under) > MOST_LOOKS_MEANT and not under <= self._animals
        if too_many or len(under) < LEAST_SHARE * self._kinds_under[synset]:
            under = set()
        return under.union(*(self._classes_of.get(kind, ()) for kind in kinds))

    def of_object(self, name: str, synset: int, kinds: Iterable[int]) -> set[int]:
        """Those of an object class, which is a synset."""
        besides = {LOOK_NAMES.index(look) for look in LOOKS_WITH_CLASS.get(name, ())}
        return self.of_synset(synset, kinds) | besides

    def named(self, synset: int) -> set[int]:
        """The classes that a synset is."""
        return self._classes_of.get(synset, set())
