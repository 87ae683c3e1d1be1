"""Search: from words or a layout to the best photos and the reasons why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from featurestore.best_rows import Ranking, best_rows
from featurestore.index import Index
from gallery import components, describing
from gallery.errors import QueryRefused
from gallery.explaining import (
    Reason,
    TextReasons,
    filter_reasons,
    layout_reasons,
    original_reason,
)
from gallery.layouts import Layout
from gallery.models import Image
from gallery.scoring import (
    OBJECTS,
    ORIGINAL,
    SCORES,
    TEXT_CUT_OFF,
    company_query,
    layout_query,
    score_layout,
    score_query,
    weakening,
)
from gallery.tags.tag_index import tag_index
from gallery.text_query import TextQuery, read_query

# Below this, or `TEXT_CUT_OFF`, a hit is more likely noise than an answer; measured likewise.
PHOTO_CUT_OFF = 0.02
# Below this nothing of the query was found at all.
MATCH_FLOOR = 0.005
# Of what is only company all is shown that scores anything.
ANY_CUT_OFF = 1e-6
DEFAULT_LIMIT = 50
MAX_LIMIT = 1000


@dataclass(frozen=True)
class Hit:
    image: Image
    score: float
    """0..1"""
    why: tuple[Reason, ...]
    """Their parts add up to the score."""


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
    text: TextQuery | None = None
    """How words were read."""
    layout: Layout | None = None
    """What was compared, in a search by photo or layout."""
    without_look: int = 0
    """Photos whose look is still to be told, in a search by look."""
    undescribed: int = 0
    """Photos that the image–text model has not seen yet, where descriptions were asked for."""
    read_as_description: bool = False
    """Whether all words are a description, because none of them means an object."""


@dataclass(frozen=True)
class Page:
    """What of an answer is asked for. Raises QueryRefused."""

    score_name: str
    limit: int
    offset: int
    weak: bool
    company: bool = False

    def cut_off(self, usual: float, counted_from: float) -> tuple[float, float]:
        """From which score on hits are shown, and from which on they are counted, 0 for none."""
        if self.company:
            return ANY_CUT_OFF, 0.0
        return (counted_from, 0.0) if self.weak else (usual, counted_from)

    def __post_init__(self) -> None:
        if self.score_name not in SCORES:
            known = ", ".join(SCORES)
            raise QueryRefused(f"There is no score {self.score_name!r}; there are: {known}.")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise QueryRefused(f"The limit should be from 1 to {MAX_LIMIT}, is {self.limit}.")
        if self.offset < 0:
            raise QueryRefused(f"The offset should be 0 or more, is {self.offset}.")


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
    vocabulary = components.vocabulary()
    started = time.perf_counter()
    query = read_query(text, vocabulary, tag_index)
    as_description = not query.is_understood and bool(query.as_description) and describing.is_on()
    if as_description:
        query = read_query(query.as_description, vocabulary, tag_index)
    index = components.index()
    described = describing.described(index, query.descriptions)
    widened = company_query(index, query) if company else None
    scores = score_query(
        index,
        query,
        score_name,
        allowed=rows_let_through(index, query),
        floor=0.0 if company else MATCH_FLOOR,
        company=widened,
    )
    of_objects, cut_off = scores, TEXT_CUT_OFF
    if described is not None:
        scores = of_objects * described.scores
        if not query.objects.alternatives:
            cut_off = described.cut_off
    ranking = ranking_of(index, scores, cut_off, page)
    found = TextReasons(query)
    weaker = found if widened is None else TextReasons(query, widened, weakening)

    def why(row: int, score: float) -> tuple[Reason, ...]:
        if described is None:
            return of_query(row, score)
        asked = query.objects.alternatives
        others = of_query(row, float(of_objects[row])) if asked else ()
        return described.reasons(row, others)

    def of_query(row: int, score: float) -> tuple[Reason, ...]:
        if not query.asks_for_objects:
            return filter_reasons(query, score)
        if score_name == ORIGINAL:
            return (original_reason(query.printed, "cosine of the mean word vectors", score),)
        reasons = weaker if score < np.float32(TEXT_CUT_OFF) else found
        looks = index.looks_of(row, reasons.look_ids)
        tags = {tag: tag_index.probability(tag, index.image_id(row)) for tag in query.tags}
        return reasons.of(index.objects_of(row, reasons.class_ids), looks, tags)

    hits = hits_of(index, ranking, why)
    answer = answer_of(text, hits, ranking, started, text=query)
    if described is None:
        return answer
    return replace(answer, undescribed=described.missing, read_as_description=as_description)


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


def rows_let_through(index: Index, query: TextQuery) -> NDArray[np.bool_] | None:
    """(rows,) images that the query's filters let through; None where it has none."""
    if not query.has_filters:
        return None
    images = Image.objects.shown().ready().filter(query.catalogue).order_by("pk")
    ids = np.fromiter(images.values_list("pk", flat=True).iterator(), np.int64)
    return index.rows_among(ids)


def rows_answering(index: Index, text: str) -> NDArray[np.bool_] | None:
    """(rows,) images that a search by words would show; None where there are no words.

    Raises QueryRefused.
    """
    if not text.strip():
        return None
    query = read_query(text, components.vocabulary())
    scores = score_query(index, query, allowed=rows_let_through(index, query), floor=TEXT_CUT_OFF)
    answering: NDArray[np.bool_] = scores >= np.float32(TEXT_CUT_OFF)
    return answering


def ranking_of(
    index: Index,
    scores: NDArray[np.float32],
    cut_off: float,
    page: Page,
    *,
    counted_from: float = MATCH_FLOOR,
) -> Ranking:
    """A page of rows; `Page.cut_off` has the limits."""
    shown_from, floor = page.cut_off(cut_off, counted_from)
    return best_rows(
        index,
        scores,
        limit=page.limit,
        offset=page.offset,
        cut_off=shown_from,
        floor=floor,
    )


def hits_of(
    index: Index, ranking: Ranking, why: Callable[[int, float], tuple[Reason, ...]]
) -> list[Hit]:
    rows, scores = ranking.rows.tolist(), ranking.scores.tolist()
    image_ids = [index.image_id(row) for row in rows]
    images = Image.objects.shown().ready().in_bulk(image_ids)
    return [
        Hit(images[image_id], score, why(row, score))
        for row, score, image_id in zip(rows, scores, image_ids, strict=True)
        # An image deleted since the index was read has no row in the catalogue, or is in the trash.
        if image_id in images
    ]


def answer_of(
    query: str,
    hits: list[Hit],
    ranking: Ranking,
    started: float,
    *,
    text: TextQuery | None = None,
    layout: Layout | None = None,
) -> Answer:
    return Answer(
        query=query,
        hits=hits,
        total=ranking.total,
        hidden=ranking.hidden,
        took_ms=(time.perf_counter() - started) * 1000,
        text=text,
        layout=layout,
    )
