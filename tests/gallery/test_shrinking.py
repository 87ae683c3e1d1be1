from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from gallery.shrinking import MOST_PIXELS, Filter, resized
from tests.photos import CAT, drawn_photo


@pytest.mark.parametrize("by", Filter)
@pytest.mark.parametrize(
    ("size", "new_size"),
    [
        ((640, 480), (480, 360)),
        ((640, 480), (300, 300)),
        ((427, 640), (300, 300)),
        ((1000, 750), (300, 300)),
        ((997, 1), (300, 300)),
        ((1, 1), (300, 300)),
        ((120, 2000), (1, 17)),
    ],
)
def test_pixels_are_those_of_pillow(
    size: tuple[int, int], new_size: tuple[int, int], by: Filter
) -> None:
    with Pillow.open(CAT) as cat:
        photo = cat.convert("RGB").resize(size)
    expected = np.asarray(photo.resize(new_size, by.value), np.int16)
    assert np.abs(resized(photo, new_size, by) - expected).max() <= 1


def test_a_very_large_photo_is_not_copied() -> None:
    photo = drawn_photo(size=(MOST_PIXELS // 100, 101)).convert("RGB")
    found = resized(photo, (300, 300), Filter.BOX)
    assert found.shape == (300, 300, 3)
