"""Why an image is a hit: which of its objects answer what of the query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from featurestore.layout_scores import matched_pairs
from gallery.decoding import DETECTOR_SIDE
from gallery.scoring import MISSING_TERM_SCORE
from gallery.text_query import TextQuery
from gallery.vocabulary import Vocabulary

# Pairs of faint objects, or of boxes far apart, explain nothing.
TELLING_AGREEMENT = 0.05

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in 0..1 of the photo's sides."""


@dataclass(frozen=True)
class Reason:
    """An object of the image and what of the query it answers."""

    asked: str
    """The word of the query, or the class of the query's object."""
    object: str
    """The class of the image's object."""
    similarity: float
    """Cosine of word and class, or IoU of the two boxes."""
    score: float
    """How sure the detector is of the image's object, 0..1."""
    box: Box
    query_box: Box | None = None
    """The query's object likewise, in a search by photo."""

    @property
    def sentence(self) -> str:
        sure = f"{self.score:.0%} sure"
        if self.query_box is not None:
            return f"{self.object}: boxes overlap {self.similarity:.0%}, {sure}"
        if self.asked == self.object:
            return f"{self.object}: {sure}"
        return f"“{self.asked}” is close to {self.object} ({self.similarity:.2f}), {sure}"


def reasons_for_text(
    query: TextQuery, vocabulary: Vocabulary, detections: NDArray[np.float32]
) -> list[Reason]:
    """For each term, the object of the image that answers it best, if one does.

    Args:
        detections: (k, 6) objects of the image, without padding.
    """
    classes = np.searchsorted(vocabulary.class_ids, detections[:, 0].astype(np.int64))
    reasons = []
    for term in filter(lambda term: term.is_near, query.terms):
        worth = term.similarity * term.weights[classes] * detections[:, 1]
        if len(worth) == 0 or worth.max() < MISSING_TERM_SCORE:
            continue
        best = int(worth.argmax())
        reasons.append(
            Reason(
                asked=vocabulary.class_named(term.text) or term.text,
                object=NAME_BY_ID[int(detections[best, 0])],
                similarity=float(term.similarities[classes[best]]),
                score=float(detections[best, 1]),
                box=unit_box(detections[best]),
            )
        )
    return reasons


def reasons_for_layout(
    layout: NDArray[np.float32], detections: NDArray[np.float32]
) -> list[Reason]:
    """The matched pairs of objects that tell something, best first; one at least if there is any.

    Args:
        layout: (m, 6) objects of the query.
        detections: (k, 6) objects of the image, without padding.
    """
    pairs = matched_pairs(layout, detections)
    telling = [pair for pair in pairs if pair.agreement >= TELLING_AGREEMENT]
    return [
        Reason(
            asked=NAME_BY_ID[int(layout[pair.query_object, 0])],
            object=NAME_BY_ID[int(detections[pair.image_object, 0])],
            similarity=pair.iou,
            score=float(detections[pair.image_object, 1]),
            box=unit_box(detections[pair.image_object]),
            query_box=unit_box(layout[pair.query_object]),
        )
        for pair in telling or pairs[:1]
    ]


def unit_box(row: NDArray[np.float32]) -> Box:
    """The box of a detector's row as xyxy in 0..1 of the photo's sides."""
    xmin, ymin, xmax, ymax = (float(side) / DETECTOR_SIDE for side in row[2:6])
    return xmin, ymin, xmax, ymax
