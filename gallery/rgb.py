"""Decoded pixels of any mode made RGB and smaller, without a second copy of a large photo."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

# A photo is worked on in strips of about so many pixels.
STRIP_PIXELS = 2_000_000

Levels = tuple[float, float]


def small_rgb(pixels: Pillow.Image, factor: int) -> Pillow.Image:
    """The photo in RGB with white behind what is transparent, its sides `factor` times shorter."""
    levels = _levels(pixels)
    if pixels.width * pixels.height <= STRIP_PIXELS:
        return _reduced(_rgb(pixels, levels), factor)
    if factor == 1 and pixels.mode == "RGB":
        return pixels
    small = Pillow.new("RGB", (-(-pixels.width // factor), -(-pixels.height // factor)))
    for top, strip in _strips(pixels, factor):
        small.paste(_reduced(_rgb(strip, levels), factor), (0, top // factor))
    return small


def _strips(pixels: Pillow.Image, multiple: int = 1) -> Iterator[tuple[int, Pillow.Image]]:
    """Strips from top to bottom, each with its top; their heights are multiples of a number."""
    rows = max(1, STRIP_PIXELS // pixels.width // multiple) * multiple
    for top in range(0, pixels.height, rows):
        yield top, pixels.crop((0, top, pixels.width, min(top + rows, pixels.height)))


def _reduced(pixels: Pillow.Image, factor: int) -> Pillow.Image:
    return pixels if factor == 1 else pixels.reduce(factor)


def _rgb(pixels: Pillow.Image, levels: Levels | None) -> Pillow.Image:
    if levels is not None:
        pixels = _eight_bit(pixels, *levels)
    if pixels.has_transparency_data:
        pixels = pixels.convert("RGBA")
        white = Pillow.new("RGBA", pixels.size, "white")
        pixels = Pillow.alpha_composite(white, pixels)
    return pixels if pixels.mode == "RGB" else pixels.convert("RGB")


def _levels(pixels: Pillow.Image) -> Levels | None:
    """The values that become 0 and 255 where grey levels have more than 8 bits."""
    if pixels.mode.startswith("I;16"):
        return 0.0, 65535.0
    if pixels.mode not in ("I", "F"):
        return None
    extrema = [
        (float(values.min()), float(values.max()))
        for values in (_values(strip) for _, strip in _strips(pixels))
    ]
    return min(lowest for lowest, _ in extrema), max(highest for _, highest in extrema)


def _eight_bit(pixels: Pillow.Image, lowest: float, highest: float) -> Pillow.Image:
    """Grey levels, which Pillow would clip, scaled to 0..255."""
    values = (_values(pixels).astype(np.float64) - lowest) * (255.0 / max(highest - lowest, 1e-9))
    return Pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _values(pixels: Pillow.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.nan_to_num(np.asarray(pixels, np.float32))
