"""What an image–text model says of the photos, by which one sees whether its settings fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featurestore.look_cosines import LookCosines
from gallery import components

if TYPE_CHECKING:
    from detector.image_text.model import ImageTextModel

#: What no collection is full of.
EVERYDAY = (
    "a photo of a dog",
    "a photo of a train",
    "a photo of food on a plate",
    "a photo of a house",
    "a photo of the sea",
)
#: Of fewer photos nothing is said, and more would take too long.
LEAST_PHOTOS, MOST_PHOTOS = 50, 20_000
#: Some photos match some of these, and hardly half of all photos match each of them.
MOST_MATCHING = 0.5


@dataclass(frozen=True)
class DescribedPhotos:
    """How photos of a gallery match descriptions."""

    photos: int
    cosines: tuple[float, float, float]
    """With the descriptions: 1 in 100 is lower than the first, half are lower than the second, and
    1 in 100 is higher than the third."""
    neutral: tuple[float, float, float]
    """The same of the greatest cosine of each photo with a neutral phrase."""
    matching: tuple[float, ...]
    """Of each description, what share of the photos is shown as a match."""
    one_in_100: float
    """The probability that one photo in 100 reaches."""

    @property
    def doubt(self) -> str:
        """What seems wrong with the settings; empty where nothing does."""
        if min(self.matching) > MOST_MATCHING:
            return "most photos match each of them, so neutral or logit_bias is too low"
        if max(self.matching) == 0:
            return "no photo matches any of them, so neutral, logit_bias or cut_off is too high"
        return ""

    def __str__(self) -> str:
        low, middle, high = self.cosines
        share = 100 * sum(self.matching) / len(self.matching)
        return (
            f"cosines with {len(self.matching)} everyday descriptions {low:.2f} to {high:.2f}, "
            f"half above {middle:.2f}, with neutral phrases {self.neutral[0]:.2f} to "
            f"{self.neutral[2]:.2f}; {share:.1f} % match, one in 100 has {self.one_in_100:.2f}"
        )


def describe_photos(
    model: ImageTextModel, texts: Sequence[str] = EVERYDAY
) -> DescribedPhotos | None:
    """Measured on all photos that the model has seen; None where those are too few.

    Raises ModelUnusable, StoreError.
    """
    looks = components.store().looks(model.model_id)
    if not LEAST_PHOTOS <= len(looks.image_ids()) <= MOST_PHOTOS:
        return None
    reference = model.embed_texts(model.neutral_phrases)
    found = LookCosines(looks, reference).of(model.embed_texts(texts))
    probabilities = model.probabilities(found.cosines, found.of_reference)
    return DescribedPhotos(
        photos=len(found.image_ids),
        cosines=_spread(found.cosines),
        neutral=_spread(found.of_reference),
        matching=tuple((probabilities >= model.cut_off).mean(axis=0).tolist()),
        one_in_100=float(np.percentile(probabilities, 99)),
    )


def _spread(values: NDArray[np.float32]) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (1, 50, 99)).tolist()
    return low, middle, high
