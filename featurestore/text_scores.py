"""How well images answer a word: pure functions over postings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.postings import Postings

# Class names within a few hundredths of the best cosine count as the same thing;
# measured on the photo set with `manage.py evaluate`.
CLASS_TEMPERATURE = 0.02


def class_weights(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each class stands for a word, from its cosines.

    Args:
        similarities: (c,) cosine of the word with each class name, -1..1.

    Returns:
        (c,) exp((cosine - max) / temperature): 1 for the best class, near 0 for the others.
    """
    weights: NDArray[np.float32] = np.exp((similarities - similarities.max()) / CLASS_TEMPERATURE)
    return weights


def word_scores(
    postings: Postings, class_ids: NDArray[np.int64], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """For each image, the best weight × detection score over the classes of a word.

    Args:
        class_ids: (c,) classes the word may mean.
        weights: (c,) from `class_weights`.

    Returns:
        (n,) in 0..1, 0 where no such object was found.
    """
    scores = np.zeros(len(postings), np.float32)
    for class_id, weight in zip(class_ids.tolist(), weights.tolist(), strict=True):
        objects = postings.of_class(class_id)
        np.maximum.at(scores, objects.image_rows, np.float32(weight) * objects.scores)
    return scores


def cosines(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each of (n, d) vectors with a (d,) query; 0 where either is all zero.

    With sentence vectors this is the original system's text score.
    """
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    products: NDArray[np.float32] = vectors @ query
    np.divide(products, lengths, out=products, where=lengths > 0)
    return products
