"""From a detector's answer to the features that the store keeps."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featurestore.posting_kernels import SURE_SCORE
from featurestore.segments import Features
from gallery.vocabulary import Vocabulary


def features_of(
    image_ids: Sequence[int], detections: NDArray[np.float32], vocabulary: Vocabulary
) -> Features:
    """Features of n images.

    Args:
        image_ids: n ids.
        detections: (n, 20, 6) float32 from the detector.
    """
    sentences = [
        vocabulary.sentence_vector(rows[rows[:, 1] >= SURE_SCORE, 0].astype(int))
        for rows in detections
    ]
    return Features(
        image_ids=np.array(image_ids, np.int64),
        ssd=detections,
        nlp=np.array(sentences, np.float32).reshape(len(detections), -1),
        written_at=np.full(len(detections), time.time_ns(), np.int64),
    )
