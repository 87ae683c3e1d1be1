"""Words of the gallery: what they mean, which ones are like them, and where they lie."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from detector.labels import CLASS_IDS, CLASS_NAMES, ID_BY_NAME
from gallery.lexicon import Lexicon, NounFacts
from gallery.look_words import BESIDE_OBJECTS, BROADER_OBJECT, MOST_NARROW, LookWords
from gallery.meanings import (
    UNRELATED_SIMILARITY,
    Meaning,
    meaning_by_nearness,
    meaning_of,
    meaning_of_noun,
    weight_beside_look,
    with_looks,
)
from gallery.plurals import singulars
from gallery.query.words import SIZES
from gallery.word_vectors import load_word_vectors

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

# Words that common directions are taken from, most frequent first; measured on synonyms.
MEAN_WORDS = 50_000
COMPONENT_WORDS = 20_000
COMMON_COMPONENTS = 3

# Wrong, missing, added or exchanged letters that a correction may mend, in words of some length.
MOST_TYPING_MISTAKES = 2
LONG_WORD = 6
MOST_CORRECTIONS = 3
# Words past this place by use are hardly what somebody meant to type.
RARE_WORD = 40_000
# No word goes on with it.
LAST_LETTER = "\U0010ffff"
NAME_WITHOUT_BLANKS = {name.replace(" ", ""): name for name in CLASS_NAMES}


class Vocabulary:
    """Word vectors beside the 80 class names of the detector."""

    def __init__(self, vectors: KeyedVectors, lexicon: Lexicon) -> None:
        self._vectors = vectors
        self._lexicon = lexicon
        self.class_ids = np.array(CLASS_IDS, np.int64)
        """(80,) COCO category ids, rising."""
        self.class_vectors = np.stack([self._phrase_vector(name) for name in CLASS_NAMES])
        """(80, 50) float32, the mean vector of each class name's words."""
        self._directions = _common_directions(vectors.vectors)
        self._unit_class_vectors = np.stack([self._direction(row) for row in self.class_vectors])
        self._look_words = LookWords(
            lexicon,
            vectors.key_to_index,
            lambda words: self._direction(self._phrase_vector(words)),
        )

    @classmethod
    def load(cls, vectors: Path, lexicon: Path) -> Vocabulary:
        """Raises FileNotFoundError where there is one of them not."""
        return cls(load_word_vectors(vectors), Lexicon(lexicon))

    @property
    def dimensions(self) -> int:
        return int(self._vectors.vector_size)

    def knows(self, word: str) -> bool:
        """Whether a word, or what it may be the plural of, has a vector or is in WordNet."""
        return any(form in self._vectors or form in self._lexicon for form in singulars(word))

    def is_name(self, phrase: str) -> bool:
        """Whether several words name one thing: "hot dogs", "station wagon"."""
        if self.class_named(phrase) is not None:
            return True
        found = [facts for form in singulars(phrase) if (facts := self._lexicon.facts(form))]
        # To WordNet a "big cat" is a lion, to a query it is rather a cat that is big.
        may_look = phrase.split(" ")[0] not in SIZES
        return any(facts.meant or (may_look and facts.looks) for facts in found)

    def class_named(self, phrase: str) -> str | None:
        """The class that a phrase names, in singular or plural: "hot dogs" is "hot dog"."""
        *front, last = phrase.split(" ")
        for singular in singulars(last):
            # "hotdog" is written in one word as often.
            name = NAME_WITHOUT_BLANKS.get("".join([*front, singular]))
            if name is not None:
                return name
        return None

    def similarities(self, phrase: str) -> NDArray[np.float32]:
        """(80,) cosine of a phrase with each class name, -1..1; all of its words must be known."""
        name = self.class_named(phrase)
        return self._unit_class_vectors @ self._direction(self._phrase_vector(name or phrase))

    def meaning(self, phrase: str) -> Meaning | None:
        """What a word or a name of several words stands for; None where no class is near.

        That is objects, which a detector finds, and what photos look like as a whole.
        """
        name = self.class_named(phrase)
        if name is not None:
            named = meaning_of({ID_BY_NAME[name]: 1.0}, 1.0, is_named=True)
            return with_looks(named, self._looks_of_objects(named))
        found = self._object_meaning(phrase)
        forms = singulars(phrase)
        own = self._look_words.meant(forms)
        if not own and (begun := self._look_words.begun(forms)) is not None:
            return self.meaning(begun)
        if found is None:
            own = own or self._look_words.near(forms)
            return meaning_of({}, 1.0, looks=own) if own else None
        facts = self._facts(phrase)
        is_meant = facts is not None and bool(facts.meant)
        if not own:
            if not is_meant:
                own = self._look_words.near(forms)
            if not own:
                return with_looks(found, self._looks_of_objects(found))
        if not is_meant:
            return with_looks(found, own, objects=weight_beside_look(found, facts))
        of_objects = self._looks_of_objects(found)
        if own.keys().isdisjoint(of_objects):
            # A boxer is a person, and in another sense a dog.
            return with_looks(found, own)
        if own.keys() < of_objects.keys():
            few = len(own) <= MOST_NARROW
            return with_looks(found, own, objects=BROADER_OBJECT if few else 1.0)
        beside = {number: BESIDE_OBJECTS * likelihood for number, likelihood in own.items()}
        return with_looks(found, of_objects | beside)

    def _looks_of_objects(self, meaning: Meaning) -> dict[int, float]:
        """What photos of the objects look like that a word stands for."""
        kind = meaning.kind
        looks: dict[int, float] = {}
        for class_id, weight in zip(kind.class_ids.tolist(), kind.weights.tolist(), strict=True):
            for number in self._look_words.of_object(class_id):
                looks[number] = max(looks.get(number, 0.0), BESIDE_OBJECTS * weight)
        return looks

    def _object_meaning(self, phrase: str) -> Meaning | None:
        """The object classes that a phrase stands for that names none."""
        facts = self._facts(phrase)
        form = self._nearest_form(phrase)
        if form is None:
            meant = facts.meant if facts else {}
            return meaning_of(meant, max(meant.values())) if meant else None
        similarities = dict(zip(CLASS_IDS, self.similarities(form).tolist(), strict=True))
        if facts is not None:
            return meaning_of_noun(facts, similarities)
        if max(similarities.values()) < UNRELATED_SIMILARITY:
            return None
        return meaning_by_nearness(similarities)

    def exact_meaning(self, phrase: str) -> Meaning | None:
        """The class that a phrase names, and nothing like it: of an object not even its look."""
        name = self.class_named(phrase)
        if name is not None:
            return meaning_of({ID_BY_NAME[name]: 1.0}, 1.0, is_named=True)
        looks = self._look_words.named(singulars(phrase))
        return meaning_of({}, 1.0, looks=looks, is_named=True) if looks else None

    def own_meaning(self, phrase: str) -> Meaning | None:
        """What a phrase stands for, without what it is merely near to."""
        facts = self._facts(phrase)
        if self.class_named(phrase) is not None or (facts is not None and facts.meant):
            return self.meaning(phrase)
        forms = singulars(phrase)
        own = self._look_words.meant(forms)
        if own:
            return meaning_of({}, 1.0, looks=own)
        begun = self._look_words.begun(forms)
        return self.exact_meaning(phrase) if begun is None else self.own_meaning(begun)

    def is_usual(self, phrase: str) -> bool:
        """Whether a word is used so much that it is hardly a typing mistake."""
        place = self._vectors.key_to_index
        return self.class_named(phrase) is not None or all(
            any(place.get(form, RARE_WORD) < RARE_WORD for form in singulars(word))
            for word in re.split("[-'’ ]", phrase)
        )

    def corrections(self, word: str) -> list[str]:
        """Words that may have been meant by one that is written wrongly, the likeliest first."""
        # A plural may be written wrongly as well.
        found = [
            match
            for form in singulars(word)
            for match in process.extract(
                form,
                self.nouns_by_use,
                scorer=OSA.distance,
                score_cutoff=MOST_TYPING_MISTAKES if len(form) >= LONG_WORD else 1,
                limit=None,
            )
        ]
        # Of words that are equally like it the one that is used most.
        least = min((match[1] for match in found), default=0)
        nearest = sorted((match for match in found if match[1] == least), key=lambda m: m[2])
        ranked = dict.fromkeys(match[0] for match in nearest)
        return list(ranked)[:MOST_CORRECTIONS]

    def nouns_beginning(self, beginning: str) -> Iterator[str]:
        """Those of `nouns_by_use` that begin so and are longer, in its order."""
        first = bisect_left(self._nouns_by_letters, beginning)
        after = bisect_left(self._nouns_by_letters, beginning + LAST_LETTER)
        place = self._vectors.key_to_index
        found = self._nouns_by_letters[first:after]
        return (noun for noun in sorted(found, key=place.__getitem__) if noun != beginning)

    @cached_property
    def _nouns_by_letters(self) -> list[str]:
        return sorted(self.nouns_by_use)

    @cached_property
    def nouns_by_use(self) -> list[str]:
        """Words that stand for a class, by falling use; those that are never used are left out."""
        words = {word for name in CLASS_NAMES for word in name.split(" ")} | set(
            self._lexicon.nouns_of_classes() + self._lexicon.nouns_of_looks()
        )
        place = self._vectors.key_to_index
        used = {word: place[word] for word in words if place.get(word, RARE_WORD) < RARE_WORD}
        return sorted(used, key=used.__getitem__)

    def _facts(self, phrase: str) -> NounFacts | None:
        """What WordNet knows of a phrase or its singular, rather of one that stands for a class."""
        found = [facts for form in singulars(phrase) if (facts := self._lexicon.facts(form))]
        return next((facts for facts in found if facts.meant), found[0] if found else None)

    def _nearest_form(self, phrase: str) -> str | None:
        """The phrase, or a form of it, all of whose words have vectors; the nearest to a class.

        Class names are in the singular, and so "puppies" by itself is nearer to cat than to dog.
        """
        parts = re.split("[-'’ ]", phrase)
        forms = (*singulars(phrase), " ".join(parts), "".join(parts))
        known = [form for form in forms if all(word in self._vectors for word in form.split(" "))]
        return max(known, key=lambda form: float(self.similarities(form).max()), default=None)

    def sentence_vector(self, class_ids: Iterable[int]) -> NDArray[np.float32]:
        """(50,) mean vector of class names, the original system's sentence vector; 0 for none."""
        rows = np.searchsorted(self.class_ids, list(class_ids))
        if len(rows) == 0:
            return np.zeros(self.dimensions, np.float32)
        mean: NDArray[np.float32] = self.class_vectors[rows].mean(axis=0)
        return mean

    def phrase_vector(self, words: Iterable[str]) -> NDArray[np.float32]:
        """(50,) mean vector of known words; 0 for none."""
        known = [self._vectors[word] for word in words if word in self._vectors]
        if not known:
            return np.zeros(self.dimensions, np.float32)
        mean: NDArray[np.float32] = np.mean(known, axis=0, dtype=np.float32)
        return mean

    def _direction(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(50,) unit vector of what sets a vector apart from all others."""
        mean, components = self._directions
        own = vector - mean
        own = own - components.T @ (components @ own)
        return own / max(float(np.linalg.norm(own)), 1e-9)

    def _phrase_vector(self, phrase: str) -> NDArray[np.float32]:
        return self.phrase_vector(phrase.split(" "))


def _common_directions(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(50,) mean and (3, 50) strongest directions that all words share and that tell nothing.

    Without them, cosines follow meaning more closely (Mu & Viswanath 2018, "All-but-the-Top").
    The vectors come by falling frequency, as word-vector files do; rare words would distort both.
    """
    mean = vectors[:MEAN_WORDS].mean(axis=0, dtype=np.float32)
    components = np.linalg.svd(vectors[:COMPONENT_WORDS] - mean, full_matrices=False)[2]
    return mean, components[:COMMON_COMPONENTS]
