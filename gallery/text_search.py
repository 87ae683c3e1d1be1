"""Words as a search: what they mean, how well photos answer them, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.conditions import ObjectQuery
from featurestore.index import Index
from gallery import components, describing
from gallery.describing import Described
from gallery.explaining import Reason, TextReasons, filter_reasons, original_reason
from gallery.hits import MATCH_FLOOR
from gallery.models import Image
from gallery.scoring import (
    OBJECTS,
    ORIGINAL,
    TEXT_CUT_OFF,
    company_query,
    score_query,
    weakening,
)
from gallery.tags.tag_index import tag_index
from gallery.text_query import TextQuery, read_query


def read_text(text: str) -> TextQuery:
    """What words mean in this gallery, with its tags. Raises QueryRefused."""
    return read_query(text, components.vocabulary(), tag_index)


@dataclass(frozen=True)
class ScoredText:
    """How well the photos of an index answer words."""

    query: TextQuery
    read_as_description: bool
    """Whether all words are a description, because none of them means an object."""
    of_objects: NDArray[np.float32]
    """(rows,) without descriptions, 0..1."""
    described: Described | None
    """None where nothing is described."""
    company: ObjectQuery | None
    """What weaker matches were scored with, where that is not the query itself."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """(rows,) 0..1"""
        if self.described is None:
            return self.of_objects
        return self.of_objects * self.described.scores

    @property
    def cut_off(self) -> float:
        """From which score on a photo deserves to be shown."""
        if self.described is None or self.query.objects.alternatives:
            return TEXT_CUT_OFF
        return self.described.cut_off


def score_words(
    index: Index,
    text: str,
    score_name: str = OBJECTS,
    *,
    company: bool = False,
    floor: float = MATCH_FLOOR,
) -> ScoredText:
    """Score all photos for words.

    Args:
        company: whether the usual company of what was not found counts a little.
        floor: scores below it may come out as 0, where no company counts.

    Raises QueryRefused.
    """
    query = read_text(text)
    as_description = not query.is_understood and bool(query.as_description) and describing.is_on()
    if as_description:
        query = read_text(query.as_description)
    # Before the scores: it may refuse the query.
    described = describing.described(index, query.descriptions)
    widened = company_query(index, query) if company else None
    of_objects = score_query(
        index,
        query,
        score_name,
        allowed=_rows_let_through(index, query),
        floor=0.0 if company else floor,
        company=widened,
    )
    return ScoredText(query, as_description, of_objects, described, widened)


class WordReasons:
    """Why photos answer words."""

    def __init__(self, index: Index, scored: ScoredText, score_name: str) -> None:
        self._index = index
        self._scored = scored
        self._is_original = score_name == ORIGINAL
        self._surer = TextReasons(scored.query)
        self._weaker = self._surer
        if scored.company is not None:
            self._weaker = TextReasons(scored.query, scored.company, weakening)

    def of(self, row: int, score: float) -> tuple[Reason, ...]:
        """Of one photo; their parts add up to its score."""
        described = self._scored.described
        if described is None:
            return self._of_objects(row, score)
        asked = self._scored.query.objects.alternatives
        others = self._of_objects(row, float(self._scored.of_objects[row])) if asked else ()
        return described.reasons(row, others)

    def _of_objects(self, row: int, score: float) -> tuple[Reason, ...]:
        query, index = self._scored.query, self._index
        if not query.asks_for_objects:
            return filter_reasons(query, score)
        if self._is_original:
            return (original_reason(query.printed, "cosine of the mean word vectors", score),)
        reasons = self._weaker if score < np.float32(TEXT_CUT_OFF) else self._surer
        looks = index.looks_of(row, reasons.look_ids)
        tags = {tag: tag_index.probability(tag, index.image_id(row)) for tag in query.tags}
        return reasons.of(index.objects_of(row, reasons.class_ids), looks, tags)


def rows_answering(index: Index, text: str) -> NDArray[np.bool_] | None:
    """(rows,) images that a search by words would show; None where there are no words.

    Raises QueryRefused.
    """
    if not text.strip():
        return None
    scored = score_words(index, text, floor=TEXT_CUT_OFF)
    answering: NDArray[np.bool_] = scored.scores >= np.float32(scored.cut_off)
    return answering


def _rows_let_through(index: Index, query: TextQuery) -> NDArray[np.bool_] | None:
    """(rows,) images that the query's filters let through; None where it has none."""
    if not query.has_filters:
        return None
    images = Image.objects.shown().ready().filter(query.catalogue).order_by("pk")
    ids = np.fromiter(images.values_list("pk", flat=True).iterator(), np.int64)
    return index.rows_among(ids)
