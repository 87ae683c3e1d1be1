"""What a search answers with: pages of hits, each with its reasons."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.best_rows import Ranking, best_rows
from featurestore.index import Index
from gallery.errors import QueryRefused
from gallery.explaining import Reason
from gallery.layouts import Layout
from gallery.models import Image
from gallery.scoring import SCORES
from gallery.text_query import TextQuery

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
