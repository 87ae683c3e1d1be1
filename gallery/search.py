"""Search: from words or a layout to the best photos and the reasons why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from featurestore.layout_scores import layout_scores, matched_pairs, original_layout_scores
from featurestore.postings import Postings
from featurestore.text_scores import cosines, word_scores
from gallery import components
from gallery.decoding import DETECTOR_SIDE
from gallery.errors import QueryRefused
from gallery.models import Image
from gallery.text_query import Term, TextQuery, parse_text
from gallery.vocabulary import Vocabulary

OBJECTS = "objects"
ORIGINAL = "original"
SCORES = (OBJECTS, ORIGINAL)

# Below these a hit is more likely noise than an answer; measured with `manage.py evaluate`.
TEXT_CUT_OFF = 0.1
PHOTO_CUT_OFF = 0.1
# Below this nothing of the query was found at all.
MATCH_FLOOR = 0.01
# What a photo without one of the words is worth beside a sure one.
MISSING_TERM_SCORE = 0.02
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000


@dataclass(frozen=True)
class Reason:
    """Why a hit is one: an object of the image and what of the query it answers."""

    asked: str
    """The word of the query, or the class of the query's object."""
    object: str
    """The class of the image's object."""
    similarity: float
    """Cosine of word and class, or IoU of the two boxes."""
    score: float
    """How sure the detector is of the image's object, 0..1."""
    box: tuple[float, float, float, float]
    """The image's object, xyxy in 0..1 of its sides."""
    query_box: tuple[float, float, float, float] | None = None
    """The query's object likewise, in a search by photo."""

    @property
    def sentence(self) -> str:
        sure = f"{self.score:.0%} sure"
        if self.query_box is not None:
            return f"{self.object}: boxes overlap {self.similarity:.0%}, {sure}"
        if self.asked == self.object:
            return f"{self.object}: {sure}"
        return f"“{self.asked}” is close to {self.object} ({self.similarity:.2f}), {sure}"


@dataclass(frozen=True)
class Hit:
    image: Image
    score: float
    """0..1"""
    why: list[Reason]


@dataclass(frozen=True)
class Answer:
    """One page of hits, best first."""

    query: str
    hits: list[Hit]
    total: int
    """Hits that deserve to be shown, on all pages."""
    hidden: int
    """Weaker matches that were cut off."""
    took_ms: float
    unknown_words: tuple[str, ...] = ()
    terms: tuple[Term, ...] = field(default=())


def search_text(
    text: str, *, score_name: str = OBJECTS, limit: int = DEFAULT_LIMIT, offset: int = 0
) -> Answer:
    """Photos that answer words. Raises QueryRefused."""
    started = time.perf_counter()
    _check_page(score_name, limit, offset)
    vocabulary = components.vocabulary()
    postings = components.store().postings(components.model_id())
    query = parse_text(text, vocabulary)
    scores = _score_query(postings, vocabulary, query, score_name)
    ranking = _Ranking(scores, TEXT_CUT_OFF)

    def why(row: int) -> list[Reason]:
        return _why_text(query.terms, vocabulary, postings.detections[row])

    hits = _hits(postings, ranking, limit, offset, why)
    return Answer(
        query=text,
        hits=hits,
        total=ranking.total,
        hidden=ranking.hidden,
        took_ms=(time.perf_counter() - started) * 1000,
        unknown_words=query.unknown_words,
        terms=query.terms,
    )


def search_layout(
    layout: NDArray[np.float32],
    *,
    query: str = "",
    without_image_id: int | None = None,
    score_name: str = OBJECTS,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
) -> Answer:
    """Photos whose objects lie like those of a layout.

    Args:
        layout: (m, 6) rows of [class_id, score, xmin, ymin, xmax, ymax]; padding is ignored.
        query: how to name the layout in the answer.
        without_image_id: an image to leave out, such as the one the layout comes from.

    Raises QueryRefused where the layout holds no object.
    """
    started = time.perf_counter()
    _check_page(score_name, limit, offset)
    layout = layout[layout[:, 0] > 0]
    if len(layout) == 0:
        raise QueryRefused("No object was recognised in this photo, so nothing is like it.")
    postings = components.store().postings(components.model_id())
    scores = score_layout(postings, layout, score_name)
    if without_image_id is not None:
        row = postings.row_of(without_image_id)
        if row is not None:
            scores[row] = 0
    ranking = _Ranking(scores, PHOTO_CUT_OFF)

    def why(row: int) -> list[Reason]:
        return _why_layout(layout, postings.detections[row])

    hits = _hits(postings, ranking, limit, offset, why)
    return Answer(
        query=query,
        hits=hits,
        total=ranking.total,
        hidden=ranking.hidden,
        took_ms=(time.perf_counter() - started) * 1000,
    )


def score_text(
    postings: Postings, vocabulary: Vocabulary, text: str, score_name: str = OBJECTS
) -> NDArray[np.float32]:
    """(n,) score of every image for words. Raises QueryRefused."""
    return _score_query(postings, vocabulary, parse_text(text, vocabulary), score_name)


def score_layout(
    postings: Postings, layout: NDArray[np.float32], score_name: str = OBJECTS
) -> NDArray[np.float32]:
    """(n,) score of every image for an (m, 6) layout without padding."""
    if score_name == ORIGINAL:
        return original_layout_scores(postings, layout)
    return layout_scores(postings, layout)


def detections_of(image_id: int) -> NDArray[np.float32]:
    """(20, 6) detections of an image, zeros where it has none yet."""
    postings = components.store().postings(components.model_id())
    row = postings.row_of(image_id)
    return np.zeros((20, 6), np.float32) if row is None else postings.detections[row]


def unit_box(row: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """The box of a detector's row as xyxy in 0..1 of the photo's sides."""
    xmin, ymin, xmax, ymax = (float(side) / DETECTOR_SIDE for side in row[2:6])
    return xmin, ymin, xmax, ymax


class _Ranking:
    """Rows of the index by falling score, those below the cut-off counted but left out."""

    def __init__(self, scores: NDArray[np.float32], cut_off: float) -> None:
        shown = np.flatnonzero(scores >= cut_off)
        self.scores = scores
        self.total = len(shown)
        self.hidden = int(np.count_nonzero(scores >= MATCH_FLOOR)) - self.total
        # Of equal scores the newest photo comes first.
        self.rows = shown[np.lexsort((-shown, -scores[shown]))]


def _check_page(score_name: str, limit: int, offset: int) -> None:
    if score_name not in SCORES:
        raise QueryRefused(f"There is no score {score_name!r}; there are: {', '.join(SCORES)}.")
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryRefused(f"The limit should be from 1 to {MAX_LIMIT}, is {limit}.")
    if offset < 0:
        raise QueryRefused(f"The offset should be 0 or more, is {offset}.")


def _score_query(
    postings: Postings, vocabulary: Vocabulary, query: TextQuery, score_name: str
) -> NDArray[np.float32]:
    if score_name == ORIGINAL:
        words = [word for term in query.terms for word in term.text.split(" ")]
        return cosines(postings.sentence_vectors, vocabulary.phrase_vector(words))
    best = np.zeros(len(postings), np.float32)
    for alternative in query.alternatives:
        # The geometric mean prefers a photo that has all of the words, each not so surely,
        # to one that has a single word for sure.
        log_total = np.zeros(len(postings), np.float64)
        for term in alternative:
            scores = term.similarity * word_scores(postings, vocabulary.class_ids, term.weights)
            log_total += np.log(
                np.maximum(scores, MISSING_TERM_SCORE if len(alternative) > 1 else 1e-12)
            )
        together = np.exp(log_total / len(alternative)).astype(np.float32)
        np.maximum(best, together, out=best)
    return best


def _hits(
    postings: Postings,
    ranking: _Ranking,
    limit: int,
    offset: int,
    why: Callable[[int], list[Reason]],
) -> list[Hit]:
    rows = ranking.rows[offset : offset + limit].tolist()
    image_ids = [int(postings.image_ids[row]) for row in rows]
    images = Image.objects.ready().in_bulk(image_ids)
    return [
        Hit(images[image_id], float(ranking.scores[row]), why(row))
        for row, image_id in zip(rows, image_ids, strict=True)
        # An image deleted since the index was read has no row.
        if image_id in images
    ]


def _why_text(
    terms: tuple[Term, ...], vocabulary: Vocabulary, detections: NDArray[np.float32]
) -> list[Reason]:
    found = detections[detections[:, 0] > 0]
    classes = np.searchsorted(vocabulary.class_ids, found[:, 0].astype(np.int64))
    reasons = []
    for term in terms:
        worth = term.weights[classes] * found[:, 1]
        if len(worth) == 0:
            continue
        best = int(worth.argmax())
        reason = Reason(
            asked=vocabulary.class_named(term.text) or term.text,
            object=NAME_BY_ID[int(found[best, 0])],
            similarity=float(term.similarities[classes[best]]),
            score=float(found[best, 1]),
            box=unit_box(found[best]),
        )
        if term.similarity * worth[best] > MISSING_TERM_SCORE:
            reasons.append(reason)
    return reasons


def _why_layout(layout: NDArray[np.float32], detections: NDArray[np.float32]) -> list[Reason]:
    found = detections[detections[:, 0] > 0]
    reasons = []
    for pair in matched_pairs(layout, found):
        name = NAME_BY_ID[int(found[pair.image_object, 0])]
        reasons.append(
            Reason(
                asked=name,
                object=name,
                similarity=pair.iou,
                score=float(found[pair.image_object, 1]),
                box=unit_box(found[pair.image_object]),
                query_box=unit_box(layout[pair.query_object]),
            )
        )
    return reasons
