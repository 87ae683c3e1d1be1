"""How far photos match descriptions, by the image–text model that somebody has plugged in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from detector import DetectorError
from featurestore.index import Index
from featurestore.live_rows import contains
from featurestore.look_cosines import LookCosines
from featurestore.model_looks import ModelLooks
from gallery import components
from gallery.errors import QueryRefused
from gallery.explaining import Reason
from gallery.figures import percentage
from gallery.query.printer import print_filter
from gallery.query.syntax import Description

if TYPE_CHECKING:
    from detector.image_text.model import ImageTextModel

logger = logging.getLogger(__name__)

# Each is compared with all photos.
MAX_DESCRIPTIONS = 4
# From here on a photo rather matches than not.
EVEN = 0.5

_cosines: tuple[ModelLooks, LookCosines] | None = None


@dataclass(frozen=True)
class Described:
    """How far the photos of an index match some descriptions."""

    descriptions: Sequence[Description]
    probabilities: NDArray[np.float32]
    """(rows, k) that a photo does as each of them says, 0..1; 0 where nobody has looked yet."""
    cut_off: float
    """From which score on a photo is a hit, where nothing else is asked for."""
    missing: int
    """Photos that the model has not seen yet."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """(rows,) that it does as all of them say."""
        product: NDArray[np.float32] = self.probabilities.prod(axis=1)
        return product

    def reasons(self, row: int, others: Sequence[Reason]) -> tuple[Reason, ...]:
        """Why a photo is a hit.

        Args:
            others: how it answers the rest of the query; their parts sum to the score of that,
                and all come out as parts of the product of that score and of `scores`.
        """
        weights = self.probabilities[row].astype(np.float64)
        rest = sum(reason.part for reason in others)
        score = float(weights.prod()) * (rest if others else 1.0)
        whole = float(weights.sum()) + rest
        scale = score / whole if whole else 0.0
        scaled = [reason.scaled(scale) for reason in others]
        own = [
            _reason(description, float(weight), float(weight) * scale)
            for description, weight in zip(self.descriptions, weights, strict=True)
        ]
        return (*scaled, *own)


def is_on() -> bool:
    """Whether descriptions can be searched, as far as can be told without loading a network."""
    try:
        return components.image_text_model() is not None
    except DetectorError as error:
        logger.warning("Descriptions cannot be searched: %s", error)
        return False


def described(index: Index, descriptions: Sequence[Description]) -> Described | None:
    """How far the photos of an index match; None where no description is asked for.

    Raises QueryRefused where no model is plugged in, or it does not work.
    """
    if not descriptions:
        return None
    if len(descriptions) > MAX_DESCRIPTIONS:
        raise QueryRefused(
            _("This search has %(count)d descriptions; the limit is %(limit)d.")
            % {"count": len(descriptions), "limit": MAX_DESCRIPTIONS},
            span=descriptions[MAX_DESCRIPTIONS].span,
        )
    try:
        model = components.image_text_model()
        if model is None:
            raise QueryRefused(
                _(
                    "This gallery knows no descriptions such as like:“…”, because no image–text "
                    "model is plugged in. Search for objects instead, like: dog"
                ),
                span=descriptions[0].span,
            )
        return _described(model, index, descriptions)
    except DetectorError as error:
        logger.error("Descriptions cannot be searched: %s", error)
        raise QueryRefused(
            _(
                "Descriptions such as like:“…” cannot be searched just now: the image–text model "
                "of this gallery does not work. `manage.py doctor` says why. All else works."
            ),
            span=descriptions[0].span,
        ) from error


def _described(
    model: ImageTextModel, index: Index, descriptions: Sequence[Description]
) -> Described:
    texts = [description.text for description in descriptions]
    found = _cosines_of(model).of(model.embed_texts(texts))
    matches = model.probabilities(found.cosines, found.of_reference)
    matches = np.where([each.negated for each in descriptions], 1 - matches, matches)
    probabilities = np.zeros((index.rows, len(texts)), np.float32)
    seen = np.zeros(index.rows, np.bool_)
    for first, part in index.numbered_parts():
        among = contains(part.postings.image_ids, found.image_ids)
        rows = first + np.searchsorted(part.postings.image_ids, found.image_ids[among])
        probabilities[rows] = matches[among]
        seen[rows] = True
    missing = int(np.count_nonzero(index.alive & ~seen))
    return Described(descriptions, probabilities, model.cut_off, missing)


def _cosines_of(model: ImageTextModel) -> LookCosines:
    """Made once a process, and anew for another store or model."""
    global _cosines
    looks = components.store().looks(model.model_id)
    kept = _cosines
    if kept is None or kept[0] is not looks:
        reference = model.embed_texts(model.neutral_phrases)
        kept = _cosines = looks, LookCosines(looks, reference)
    return kept[1]


def _reason(description: Description, probability: float, part: float) -> Reason:
    facts = {"text": description.text, "percent": percentage(probability)}
    if description.negated:
        sentence = _("not as “%(text)s” says: %(percent)s") % facts
    else:
        sentence = _("matches “%(text)s”: %(percent)s") % facts
    return Reason(
        asked=print_filter(description),
        sentence=sentence,
        part=part,
        is_met=probability >= EVEN,
    )
