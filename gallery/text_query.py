"""The words of a search: what was typed, as terms that each stand for object classes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.text_scores import class_weights
from gallery.errors import QueryRefused
from gallery.vocabulary import Vocabulary, singulars

MAX_QUERY_LENGTH = 500
# A class further from a word than this says nothing about it: "castle" is 0.43 from "vase".
NEAR_SIMILARITY = 0.45
# No class name has more words.
MAX_PHRASE_WORDS = 2
# Words that join others and name nothing in a photo.
JOINING_WORDS = frozenset(["a", "an", "and", "at", "by", "in", "of", "on", "the", "to", "with"])
# Words that vectors know and this query language does not: better named than taken for an object.
NOT_UNDERSTOOD = frozenset(
    ["no", "not", "without", "one", "two", "three", "four", "five", "six", "many", "several"]
)
ALTERNATIVE = re.compile(r",|\bor\b")
WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True)
class Term:
    """One word or class name of a query."""

    text: str
    similarities: NDArray[np.float32]
    """(80,) cosine with each class."""

    @property
    def similarity(self) -> float:
        """Cosine with the nearest class."""
        return float(self.similarities.max())

    @property
    def is_near(self) -> bool:
        """Whether any class is close enough to stand for the term."""
        return self.similarity >= NEAR_SIMILARITY

    @property
    def weights(self) -> NDArray[np.float32]:
        """(80,) how much each class stands for the term, 1 for the nearest."""
        return class_weights(self.similarities)


@dataclass(frozen=True)
class TextQuery:
    """Alternatives, of which an image should answer one with all of its terms."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...]
    unknown_words: tuple[str, ...]
    """Words that no vector knows, as typed."""

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for alternative in self.alternatives for term in alternative)


def parse_text(text: str, vocabulary: Vocabulary) -> TextQuery:
    """Read a query: commas and "or" part alternatives, blanks part words that belong together.

    Raises QueryRefused where there is nothing to search for.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise QueryRefused(
            f"This search has {len(text):,} characters; the limit is {MAX_QUERY_LENGTH}."
        )
    clean = unicodedata.normalize("NFKC", text).lower()
    unknown: list[str] = []
    alternatives = []
    for part in ALTERNATIVE.split(clean):
        words = [word for word in WORD.findall(part) if word not in JOINING_WORDS]
        terms = _terms(words, vocabulary, unknown)
        if terms:
            # A word that is typed twice asks for nothing more.
            alternatives.append(tuple({term.text: term for term in terms}.values()))
    if not alternatives and not unknown:
        raise QueryRefused("There is no word to search for. Type what is in the photo, like: dog")
    return TextQuery(text, tuple(alternatives), tuple(dict.fromkeys(unknown)))


def _terms(words: list[str], vocabulary: Vocabulary, unknown: list[str]) -> list[Term]:
    terms = []
    place = 0
    while place < len(words):
        phrase = _class_phrase_at(words, place, vocabulary)
        word = words[place]
        if phrase:
            terms.append(Term(phrase, vocabulary.similarities(phrase)))
            place += len(phrase.split(" "))
            continue
        known = _known_form(word, vocabulary)
        if known is None or word.isdecimal() or word in NOT_UNDERSTOOD:
            unknown.append(word)
        else:
            terms.append(Term(word, vocabulary.similarities(known)))
        place += 1
    return terms


def _class_phrase_at(words: list[str], place: int, vocabulary: Vocabulary) -> str | None:
    """The longest class name, in singular or plural, that begins at a word."""
    for length in range(MAX_PHRASE_WORDS, 0, -1):
        phrase = " ".join(words[place : place + length])
        if place + length <= len(words) and vocabulary.class_named(phrase):
            return phrase
    return None


def _known_form(word: str, vocabulary: Vocabulary) -> str | None:
    """The word, or a form of it, that has a vector; of several the nearest to a class.

    Class names are in the singular, and so "puppies" by itself is nearer to cat than to dog.
    """
    parts = re.split("[-'’]", word)
    forms = (*singulars(word), "".join(parts), " ".join(parts))
    known = [form for form in forms if all(map(vocabulary.knows, form.split(" ")))]
    return max(known, key=lambda form: vocabulary.similarities(form).max(), default=None)
