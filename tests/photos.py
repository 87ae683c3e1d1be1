"""Photos for tests: those that scikit-image's wheel ships, and drawn ones."""

from __future__ import annotations

import io
from pathlib import Path

import skimage
from PIL import Image as Pillow
from PIL import ImageDraw

PACKAGED = Path(skimage.__file__).parent / "data"
ASTRONAUT = PACKAGED / "astronaut.png"
CAT = PACKAGED / "chelsea.png"
COFFEE = PACKAGED / "coffee.png"
HORSE = PACKAGED / "horse.png"
MOTORCYCLE = PACKAGED / "motorcycle_left.png"
MOTORCYCLE_AGAIN = PACKAGED / "motorcycle_right.png"
ROCKET = PACKAGED / "rocket.jpg"
MULTIPAGE = PACKAGED / "multipage.tif"


def drawn_photo(seed: int = 0, size: tuple[int, int] = (64, 48)) -> Pillow.Image:
    """A small RGB picture, another for each seed."""
    photo = Pillow.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed // 256 % 256))
    draw = ImageDraw.Draw(photo)
    draw.rectangle((2, 2, size[0] // 2, size[1] // 2), fill=(255 - seed % 256, 128, 0))
    return photo


def encoded(photo: Pillow.Image, file_format: str, **options: object) -> bytes:
    """The picture as a file of a format."""
    output = io.BytesIO()
    photo.save(output, file_format, **options)
    return output.getvalue()


def drawn_png(seed: int = 0) -> bytes:
    """A small PNG file, another for each seed."""
    return encoded(drawn_photo(seed), "PNG")
