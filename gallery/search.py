"""Search: from words or a layout to the best photos and the reasons why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.index import Index
from gallery import components
from gallery.errors import QueryRefused
from gallery.models import Image
from gallery.reasons import Reason, reasons_for_layout, reasons_for_text
from gallery.scoring import OBJECTS, SCORES, score_layout, score_query
from gallery.text_query import Term, parse_text

# Below these a hit is more likely noise than an answer; measured with `manage.py evaluate`.
TEXT_CUT_OFF = 0.05
PHOTO_CUT_OFF = 0.05
# Objects that are all fainter than this are more likely none; measured likewise.
FAINT_SCORE = 0.15
# Below this nothing of the query was found at all.
MATCH_FLOOR = 0.005
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000


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
    terms: tuple[Term, ...] = ()


def search_text(
    text: str, *, score_name: str = OBJECTS, limit: int = DEFAULT_LIMIT, offset: int = 0
) -> Answer:
    """Photos that answer words. Raises QueryRefused."""
    _check_page(score_name, limit, offset)
    # Loaded once a process, which is no part of a search.
    vocabulary = components.vocabulary()
    started = time.perf_counter()
    query = parse_text(text, vocabulary)
    index = components.index()
    scores = index.scores(lambda postings: score_query(postings, vocabulary, query, score_name))
    ranking = _Ranking(scores, TEXT_CUT_OFF)

    def why(row: int) -> list[Reason]:
        return reasons_for_text(query, vocabulary, index.detections_of(row))

    return Answer(
        query=text,
        hits=_hits(index, ranking, limit, offset, why),
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
        layout: (m, 6) rows of [class_id, score, xmin, ymin, xmax, ymax], without padding.
        query: how to name the layout in the answer.
        without_image_id: an image to leave out, such as the one the layout comes from.

    Raises QueryRefused where the layout holds no object that is halfway sure.
    """
    started = time.perf_counter()
    _check_page(score_name, limit, offset)
    if len(layout) == 0 or layout[:, 1].max() < FAINT_SCORE:
        raise QueryRefused("No object was recognised in this photo, so nothing is like it.")
    index = components.index()
    scores = index.scores(lambda postings: score_layout(postings, layout, score_name))
    row = None if without_image_id is None else index.row_of(without_image_id)
    if row is not None:
        scores[row] = 0
    ranking = _Ranking(scores, PHOTO_CUT_OFF)

    def why(row: int) -> list[Reason]:
        return reasons_for_layout(layout, index.detections_of(row))

    return Answer(
        query=query,
        hits=_hits(index, ranking, limit, offset, why),
        total=ranking.total,
        hidden=ranking.hidden,
        took_ms=(time.perf_counter() - started) * 1000,
    )


def detections_of(image_id: int) -> NDArray[np.float32]:
    """(k, 6) objects of an image without padding, none where it has no features yet."""
    index = components.index()
    row = index.row_of(image_id)
    return np.zeros((0, 6), np.float32) if row is None else index.detections_of(row)


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


def _hits(
    index: Index,
    ranking: _Ranking,
    limit: int,
    offset: int,
    why: Callable[[int], list[Reason]],
) -> list[Hit]:
    rows = ranking.rows[offset : offset + limit].tolist()
    image_ids = [index.image_id(row) for row in rows]
    images = Image.objects.ready().in_bulk(image_ids)
    return [
        Hit(images[image_id], float(ranking.scores[row]), why(row))
        for row, image_id in zip(rows, image_ids, strict=True)
        # An image deleted since the index was read has no row in the catalogue.
        if image_id in images
    ]
