"""What words mean to the gallery: their vectors, and how near each object class is to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from numpy.typing import NDArray

from detector.labels import CLASS_IDS, CLASS_NAMES, ID_BY_NAME
from gallery.word_vectors import load_word_vectors

# Endings of English plurals and what they replace, longest first.
PLURAL_ENDINGS = (("ves", "fe"), ("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))
IRREGULAR_SINGULARS = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "oxen": "ox",
}

# Words that common directions are taken from, most frequent first; measured on synonyms.
MEAN_WORDS = 50_000
COMPONENT_WORDS = 20_000
COMMON_COMPONENTS = 3


class Vocabulary:
    """Word vectors beside the 80 class names of the detector."""

    def __init__(self, vectors: KeyedVectors) -> None:
        self._vectors = vectors
        self.class_ids = np.array(CLASS_IDS, np.int64)
        """(80,) COCO category ids, rising."""
        self.class_vectors = np.stack([self._phrase_vector(name) for name in CLASS_NAMES])
        """(80, 50) float32, the mean vector of each class name's words."""
        self._directions = _common_directions(vectors.vectors)
        self._unit_class_vectors = np.stack([self._direction(row) for row in self.class_vectors])

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Raises FileNotFoundError where there are no vectors."""
        return cls(load_word_vectors(path))

    @property
    def dimensions(self) -> int:
        return int(self._vectors.vector_size)

    def knows(self, word: str) -> bool:
        return word in self._vectors

    def class_named(self, phrase: str) -> str | None:
        """The class that a phrase names, in singular or plural: "hot dogs" is "hot dog"."""
        *front, last = phrase.split(" ")
        for singular in singulars(last):
            name = " ".join([*front, singular])
            if name in ID_BY_NAME:
                return name
        return None

    def similarities(self, phrase: str) -> NDArray[np.float32]:
        """(80,) cosine of a phrase with each class name, -1..1; all of its words must be known."""
        name = self.class_named(phrase)
        return self._unit_class_vectors @ self._direction(self._phrase_vector(name or phrase))

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


def singulars(word: str) -> list[str]:
    """The word itself, then what it may be the plural of: "knives" gives "knife", among others."""
    candidates = [word]
    if word in IRREGULAR_SINGULARS:
        candidates.append(IRREGULAR_SINGULARS[word])
    for ending, singular_ending in PLURAL_ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            candidates.append(word.removesuffix(ending) + singular_ending)
    return candidates
