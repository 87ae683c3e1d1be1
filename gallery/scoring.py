"""How queries become scores of images: the default formulas, and the original system's."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from featurestore.conditions import ObjectQuery
from featurestore.index import Index
from featurestore.layout_scores import LayoutQuery, original_layout_scores
from featurestore.regions import Region
from featurestore.sentence_scores import cosines
from featurestore.tagged_scores import index_tagged_scores
from gallery import components
from gallery.company import with_company
from gallery.errors import QueryRefused
from gallery.layouts import Layout
from gallery.tags.tag_index import tag_index
from gallery.text_query import TextQuery, read_query

OBJECTS = "objects"
ORIGINAL = "original"
SCORES = (OBJECTS, ORIGINAL)
# Below this a photo is more likely noise than an answer; measured with `manage.py evaluate`.
TEXT_CUT_OFF = 0.05


def score_text(index: Index, text: str, score_name: str = OBJECTS) -> NDArray[np.float32]:
    """(rows,) score of every image for words, weak matches included, by what models found alone.

    No tag counts, so that no catalogue is asked. Raises QueryRefused.
    """
    query = read_query(text, components.vocabulary())
    return score_query(index, query, score_name, company=company_query(index, query))


def score_query(
    index: Index,
    query: TextQuery,
    score_name: str = OBJECTS,
    *,
    allowed: NDArray[np.bool_] | None = None,
    floor: float = 0.0,
    company: ObjectQuery | None = None,
) -> NDArray[np.float32]:
    """(rows,) score of every image for a query, 0..1.

    Args:
        allowed: (rows,) images that may be found; None for all.
        floor: scores below it may come out as 0.
        company: what images below `TEXT_CUT_OFF` are scored with (see `company_query`), so that
            the usual company of what was not found counts a little; they stay below it.
    """
    understood = bool(query.objects.alternatives)
    if not query.asks_for_objects or (query.descriptions and not understood):
        alive = index.alive if allowed is None else index.alive & allowed
        return alive.astype(np.float32)
    if score_name == ORIGINAL:
        words = [word for reading in query.readings for word in reading.words.split(" ")]
        vector = components.vocabulary().phrase_vector(words)
        scores = index.scores(lambda postings: cosines(postings.sentence_vectors, vector))
        return scores if allowed is None else np.where(allowed, scores, np.float32(0))
    tags = {tag: tag_index.scores(index, tag) for tag in query.tags}
    if company is None:
        return index_tagged_scores(index, query.objects, tags, allowed, floor=floor)
    scores = index_tagged_scores(index, query.objects, tags, allowed, floor=TEXT_CUT_OFF)
    with_hints = index_tagged_scores(index, company, tags, allowed)
    return np.where(scores < np.float32(TEXT_CUT_OFF), with_hints * weakening(with_hints), scores)


def company_query(index: Index, query: TextQuery) -> ObjectQuery:
    """What weaker matches of a query are scored with: the same with its usual company."""
    return with_company(query.objects, index.cooccurrence)


@overload
def weakening(scores: float) -> float: ...
@overload
def weakening(scores: NDArray[np.float32]) -> NDArray[np.float32]: ...
def weakening(scores: float | NDArray[np.float32]) -> float | NDArray[np.float32]:
    """What keeps the scores of weaker matches below `TEXT_CUT_OFF`, and in their order."""
    return TEXT_CUT_OFF / (TEXT_CUT_OFF + scores)


def score_layout(
    index: Index, layout: Layout, score_name: str = OBJECTS, *, mirror: bool = False
) -> NDArray[np.float32]:
    """(rows,) score of every image for a layout, 0..1. Raises QueryRefused for a bad region."""
    if score_name == ORIGINAL:
        return index.scores(lambda postings: original_layout_scores(postings, layout.objects))
    return index.scores(layout_query(layout, mirror=mirror).scores)


def layout_query(layout: Layout, *, mirror: bool = False) -> LayoutQuery:
    """A layout ready to be compared. Raises QueryRefused for a region that encloses nothing."""
    if layout.region is None:
        return LayoutQuery.of(layout.objects, mirror=mirror)
    try:
        region = Region.of_polygon(layout.region.astype(np.float64))
    except ValueError as error:
        raise QueryRefused("The drawn area should enclose something.") from error
    return LayoutQuery.of(
        layout.objects, mirror=mirror, region=region, region_row=layout.region_row
    )
