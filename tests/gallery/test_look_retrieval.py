"""How alike photos of different classes are by chance."""

from __future__ import annotations

import numpy as np

from gallery.look_retrieval import PAIRED_PHOTOS, cosines_of_others


def test_of_many_photos_at_most_two_million_pairs_are_compared() -> None:
    photos = 2 * PAIRED_PHOTOS - 1
    vectors = np.tile(np.array([[1.0, 0.0]], np.float32), (photos, 1))
    cosines = cosines_of_others(vectors, np.arange(photos))
    assert len(cosines) == PAIRED_PHOTOS * (PAIRED_PHOTOS - 1) // 2


def test_a_class_of_one_photo_among_many_is_still_compared_with_the_others() -> None:
    photos, alone = 2 * PAIRED_PHOTOS, 777
    vectors = np.tile(np.array([[1.0, 0.0]], np.float32), (photos, 1))
    vectors[alone] = (0.6, 0.8)
    labels = np.zeros(photos, np.int64)
    labels[alone] = 1
    cosines = cosines_of_others(vectors, labels)
    np.testing.assert_allclose(cosines, np.full(PAIRED_PHOTOS - 1, 0.6), rtol=1e-6)
