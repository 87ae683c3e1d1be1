"""Search: from words or a layout to the best photos and the reasons why."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from featurestore.index import Index
from gallery import components
from gallery.errors import QueryRefused
from gallery.explaining import Reason, layout_reasons, original_reason
from gallery.hits import DEFAULT_LIMIT, Answer, Page, answer_of, hits_of, ranking_of
from gallery.layouts import Layout
from gallery.scoring import OBJECTS, ORIGINAL, layout_query, score_layout
from gallery.text_search import WordReasons, rows_answering, score_words

# Below this a hit is more likely noise than an answer; measured like `scoring.TEXT_CUT_OFF`.
PHOTO_CUT_OFF = 0.02


def search_text(
    text: str,
    *,
    score_name: str = OBJECTS,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
    weak: bool = False,
    company: bool = False,
) -> Answer:
    """Photos that answer a query in the language of docs/query-language.md.

    Args:
        weak: whether to show weaker matches as well.
        company: whether to show, last of all, photos of what is often seen with what is asked for.

    Raises QueryRefused.
    """
    page = Page(score_name, limit, offset, weak, company)
    # Loaded once a process, which is no part of a search.
    components.vocabulary()
    started = time.perf_counter()
    index = components.index()
    scored = score_words(index, text, score_name, company=company)
    ranking = ranking_of(index, scored.scores, scored.cut_off, page)
    hits = hits_of(index, ranking, WordReasons(index, scored, score_name).of)
    answer = answer_of(text, hits, ranking, started, text=scored.query)
    if scored.described is None:
        return answer
    return replace(
        answer,
        undescribed=scored.described.missing,
        read_as_description=scored.read_as_description,
    )


def search_layout(
    layout: Layout,
    *,
    query: str = "",
    without_image_id: int | None = None,
    mirror: bool = False,
    score_name: str = OBJECTS,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
    weak: bool = False,
    only: str = "",
) -> Answer:
    """Photos whose objects lie like those of a layout.

    Args:
        query: how to name the layout in the answer.
        without_image_id: an image to leave out, such as the one the layout comes from.
        mirror: whether photos count as well that show it with left and right exchanged.
        weak: whether to show weaker matches as well.
        only: words that a photo has to answer as well; empty for all photos.

    Raises QueryRefused for words, and where the layout holds no object that is halfway sure.
    """
    page = Page(score_name, limit, offset, weak)
    if layout.is_faint:
        raise QueryRefused(_("No object was recognised in this photo, so nothing is like it."))
    started = time.perf_counter()
    index = components.index()
    ready = layout_query(layout, mirror=mirror)
    if score_name == ORIGINAL:
        scores = score_layout(index, layout, score_name)
    else:
        scores = index.scores(ready.scores)
    answering = rows_answering(index, only)
    if answering is not None:
        scores = scores * answering
    row = None if without_image_id is None else index.row_of(without_image_id)
    if row is not None:
        scores[row] = 0
    ranking = ranking_of(index, scores, PHOTO_CUT_OFF, page)

    def why(row: int, score: float) -> tuple[Reason, ...]:
        if score_name == ORIGINAL:
            return (original_reason(query, "mean of scores and areas", score),)
        objects = index.objects_of(row, ready.classes)
        return layout_reasons(layout, ready, objects, index.layout_weight_of(row))

    hits = hits_of(index, ranking, why)
    return answer_of(query, hits, ranking, started, layout=layout)


def detections_of(image_id: int, index: Index | None = None) -> NDArray[np.float32]:
    """(k, 6) objects of an image without padding, none where it has no features yet.

    Args:
        index: where to look, for those who ask of many images: what is new is looked for each time
            that an index is read.
    """
    if index is None:
        index = components.index()
    row = index.row_of(image_id)
    return np.zeros((0, 6), np.float32) if row is None else index.detections_of(row)


def layout_of_image(image_id: int) -> Layout:
    """The objects of an image as a layout to search with."""
    return Layout(detections_of(image_id))
