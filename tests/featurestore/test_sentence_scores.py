from __future__ import annotations

import numpy as np

from featurestore.sentence_scores import cosines


def test_a_cosine_with_nothing_is_zero() -> None:
    vectors = np.array([[1, 0], [0, 0], [-2, 0]], np.float32)
    assert cosines(vectors, np.array([3, 0], np.float32)).tolist() == [1, 0, -1]
    assert cosines(vectors, np.zeros(2, np.float32)).tolist() == [0, 0, 0]
