"""How queries become scores of images: the default formulas, and the original system's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.layout_scores import layout_scores, original_layout_scores
from featurestore.postings import Postings
from featurestore.text_scores import cosines, word_scores
from gallery.text_query import TextQuery, parse_text
from gallery.vocabulary import Vocabulary

OBJECTS = "objects"
ORIGINAL = "original"
SCORES = (OBJECTS, ORIGINAL)

# What a photo without one of several words is worth beside a sure one.
MISSING_TERM_SCORE = 0.02


def score_text(
    postings: Postings, vocabulary: Vocabulary, text: str, score_name: str = OBJECTS
) -> NDArray[np.float32]:
    """(n,) score of every image for words. Raises QueryRefused."""
    return score_query(postings, vocabulary, parse_text(text, vocabulary), score_name)


def score_query(
    postings: Postings, vocabulary: Vocabulary, query: TextQuery, score_name: str = OBJECTS
) -> NDArray[np.float32]:
    """(n,) score of every image for a query, 0..1: the best of its alternatives."""
    if score_name == ORIGINAL:
        words = [word for term in query.terms for word in term.text.split(" ")]
        return cosines(postings.sentence_vectors, vocabulary.phrase_vector(words))
    best = np.zeros(len(postings), np.float32)
    for alternative in query.alternatives:
        of_terms = [
            term.similarity * word_scores(postings, vocabulary.class_ids, term.weights)
            for term in alternative
            if term.is_near
        ]
        if of_terms:
            np.maximum(best, _together(of_terms), out=best)
    return best


def score_layout(
    postings: Postings, layout: NDArray[np.float32], score_name: str = OBJECTS
) -> NDArray[np.float32]:
    """(n,) score of every image for an (m, 6) layout without padding."""
    if score_name == ORIGINAL:
        return original_layout_scores(postings, layout)
    return layout_scores(postings, layout)


def _together(of_terms: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(n,) score for all of several terms: their geometric mean.

    It prefers a photo that has all of them, each not so surely, to one that has one for sure.
    """
    if len(of_terms) == 1:
        return of_terms[0]
    product = np.ones_like(of_terms[0])
    for scores in of_terms:
        product *= np.maximum(scores, MISSING_TERM_SCORE)
    together: NDArray[np.float32] = product ** np.float32(1 / len(of_terms))
    nothing_found = np.max(of_terms, axis=0) < MISSING_TERM_SCORE
    together[nothing_found] = 0
    return together
