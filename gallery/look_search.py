"""Photos that look like a photo, show the same in the same places, or anything between the two."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from featurestore.best_rows import best_rows
from featurestore.look_index import RERANKED, LookIndex
from featurestore.look_space import CHANCE_SCORES
from gallery import components
from gallery.compared_looks import ComparedLooks, Mixture
from gallery.decoding import look_input, read_pixels
from gallery.errors import QueryRefused
from gallery.explaining import Reason, layout_reasons
from gallery.hits import (
    ANY_CUT_OFF,
    DEFAULT_LIMIT,
    MATCH_FLOOR,
    Answer,
    Page,
    answer_of,
    hits_of,
    ranking_of,
)
from gallery.layouts import Box, Layout
from gallery.look_projection import current_look_space
from gallery.looking import look_at
from gallery.photo_queries import box_in_pixels
from gallery.scoring import OBJECTS, layout_query
from gallery.search import PHOTO_CUT_OFF, search_layout
from gallery.text_search import rows_answering
from gallery.thumbnails import Size

# One photo in 100 that was taken by chance is above the cut-off. One in five is above the floor, so
# that in a small gallery, too, whoever asks for weaker matches finds some.
LOOK_FLOOR, LOOK_CUT_OFF = 0.05, CHANCE_SCORES[2]

LAYOUT, LOOK, BOTH = "layout", "look", "both"
WAYS = (LAYOUT, LOOK, BOTH)
HALF_WAY = 0.5

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """In what photos are to be alike."""

    weight: float = 0.0
    """0 for the same layout, 1 for a similar look."""

    @classmethod
    def of(cls, by: str | None, weight: float | None) -> Likeness:
        """From what is asked for: the layout, where nothing is. Raises QueryRefused."""
        if weight is not None and not 0 <= weight <= 1:
            raise QueryRefused(_("The weight of the look should be from 0 to 1."))
        if by and by not in WAYS:
            raise QueryRefused(
                _("Photos are alike by one of: %(ways)s.") % {"ways": ", ".join(WAYS)}
            )
        if by in (LAYOUT, LOOK):
            return cls(0.0 if by == LAYOUT else 1.0)
        return cls(weight if weight is not None else HALF_WAY if by == BOTH else 0.0)

    @property
    def wants_look(self) -> bool:
        return self.weight > 0


def read_likeness(query: Mapping[str, str]) -> Likeness:
    """What an address asks for. Raises QueryRefused."""
    text = query.get("weight", "")
    try:
        weight = float(text) if text else None
    except ValueError:
        raise QueryRefused(_("The weight of the look should be from 0 to 1.")) from None
    if not query.get("by") and weight is None:
        return Likeness()
    return Likeness.of(query.get("by"), weight if weight is not None else HALF_WAY)


def search_alike(
    layout: Layout,
    look: Callable[[], Vector],
    likeness: Likeness,
    *,
    query: str = "",
    without_image_id: int | None = None,
    only: str = "",
    mirror: bool = False,
    score_name: str = OBJECTS,
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
    weak: bool = False,
) -> Answer:
    """Photos that are like a photo, in what is asked for.

    Args:
        layout: the objects of the photo, of which there may be none where only its look counts.
        look: tells how it looks, as `look_of_image` or `look_of_file` do; not asked in vain.

    The others are those of `search_layout`. Raises QueryRefused, and what `look` raises.
    """
    if not likeness.wants_look:
        return search_layout(
            layout,
            query=query,
            without_image_id=without_image_id,
            only=only,
            mirror=mirror,
            score_name=score_name,
            limit=limit,
            offset=offset,
            weak=weak,
        )
    page = Page(score_name, limit, offset, weak)
    if score_name != OBJECTS:
        raise QueryRefused(_("The original score compares objects only, not looks."))
    vector = look()
    started = time.perf_counter()
    index, looks = components.index(), _look_index()
    allowed = rows_answering(index, only)
    allowed = index.alive.copy() if allowed is None else index.alive & allowed
    row = None if without_image_id is None else index.row_of(without_image_id)
    if row is not None:
        allowed[row] = False
    compared = ComparedLooks(index, looks, vector, allowed)
    # A photo in which nothing was recognised has a look all the same.
    ready = None if likeness.weight == 1 or layout.is_faint else layout_query(layout, mirror=mirror)
    of_layout = None if ready is None else index.scores(ready.scores) * allowed
    mixture = Mixture.of(likeness.weight, compared.best, of_layout)
    scores = mixture.scores(compared.scores, of_layout)
    nearly = best_rows(index, scores, limit=limit + offset + RERANKED, cut_off=ANY_CUT_OFF)
    compared.measure(nearly.rows)
    scores = mixture.scores(compared.scores, of_layout)
    ranking = ranking_of(
        index,
        scores,
        mixture.between(PHOTO_CUT_OFF, LOOK_CUT_OFF),
        page,
        counted_from=mixture.between(MATCH_FLOOR, LOOK_FLOOR),
    )

    def why(row: int, score: float) -> tuple[Reason, ...]:
        reasons: list[Reason] = []
        alike = float(compared.scores[row])
        if alike > 0:
            sentence = _("Looks alike: %(percent)d%%") % {"percent": round(100 * alike)}
            part = min(mixture.look * alike, score)
            reasons.append(Reason(asked="look", sentence=sentence, part=part, is_met=True))
        if ready is not None:
            objects = index.objects_of(row, ready.classes)
            found = layout_reasons(layout, ready, objects, index.layout_weight_of(row))
            reasons += [reason.scaled(mixture.layout) for reason in found]
        return tuple(reasons)

    hits = hits_of(index, ranking, why)
    answer = answer_of(query, hits, ranking, started, layout=layout)
    return replace(answer, without_look=compared.without_look)


def look_of_image(image_id: int, picture: Callable[[], Path]) -> Vector:
    """(d,) how a photo of the gallery looks; told now where it is still to be told.

    Args:
        picture: makes its picture, of any size.

    Raises QueryRefused where looks are switched off, DetectorError, PhotoRefused, StoreError.
    """
    vector = _look_index().vector_of(image_id)
    return look_of_file(picture()) if vector is None else vector


def look_of_file(path: Path, part: Box | None = None) -> Vector:
    """(d,) how a photo file looks, or a part of it, which has looks of no other.

    Raises QueryRefused where looks are switched off, DetectorError, PhotoRefused.
    """
    embedder = components.embedder()
    if embedder is None:
        raise QueryRefused(_no_looks())
    pixels = read_pixels(path, Size.VIEW if part else Size.GRID)
    if part is not None:
        pixels = pixels.crop(box_in_pixels(part, pixels))
    found = look_at(embedder, look_input(pixels))
    vector: Vector = _look_index().space.vectors(found.embedding)[0]
    return vector


def _look_index() -> LookIndex:
    model_id = components.look_model_id()
    if model_id is None:
        raise QueryRefused(_no_looks())
    return components.store().look_index(model_id, current_look_space(model_id))


def _no_looks() -> str:
    return _("This gallery does not compare looks: they are switched off (LOOK_URL).")
