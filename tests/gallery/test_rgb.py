from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image as Pillow

from gallery import rgb
from gallery.decoding import _PixelBudget

SIDES = (97, 61)


def noise(mode: str) -> Pillow.Image:
    random = np.random.default_rng(3)
    if mode == "F":
        return Pillow.fromarray(random.normal(size=SIDES[::-1]).astype(np.float32))
    if mode == "I;16":
        return Pillow.fromarray(random.integers(0, 65536, SIDES[::-1], dtype=np.uint16))
    values = random.integers(0, 256, (*SIDES[::-1], 4), dtype=np.uint8)
    return Pillow.fromarray(values, "RGBA").convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "F", "I;16"])
@pytest.mark.parametrize("factor", [1, 2, 7])
def test_a_large_photo_in_strips_becomes_what_it_would_become_whole(
    mode: str, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = noise(mode)
    whole = rgb.small_rgb(photo, factor)
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 1000)
    in_strips = rgb.small_rgb(photo, factor)
    assert whole.mode == in_strips.mode == "RGB"
    assert whole.size == (-(-SIDES[0] // factor), -(-SIDES[1] // factor))
    np.testing.assert_array_equal(np.asarray(in_strips), np.asarray(whole))


def test_threads_decode_together_only_what_there_is_room_for() -> None:
    budget = _PixelBudget(100)
    entered = threading.Event()

    def decode(pixels: int) -> None:
        with budget.take(pixels):
            entered.set()

    with budget.take(60):
        waiting = threading.Thread(target=decode, args=(50,))
        waiting.start()
        assert not entered.wait(0.2)
    assert entered.wait(5)
    waiting.join()


def test_a_photo_of_more_than_all_pixels_is_decoded_alone() -> None:
    budget = _PixelBudget(100)
    with budget.take(1000):
        pass
    with budget.take(100):
        pass
