"""Photos to fill a gallery with and to upload to it, made from those of scikit-image's wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from PIL import Image as Pillow
from PIL import ImageEnhance, ImageOps

from tests.photos import ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET, encoded

SOURCES = (ASTRONAUT, CAT, COFFEE, HORSE, MOTORCYCLE, ROCKET)
SIZES = ((640, 480), (480, 640), (640, 640))
# Of the source's sides: less of it, and the detector would know few of the things.
SMALLEST_CROP = 0.6
# JPEG's marker of a comment, and of the start of a file, which a comment may follow.
COMMENT = b"\xff\xfe"
START = b"\xff\xd8"


def varied_photos(number: int, seed: int) -> Iterator[bytes]:
    """JPEG files of different pictures: one or two parts of photos, mirrored, lighter, darker."""
    random = Random(seed)
    sources = [Pillow.open(path).convert("RGB") for path in SOURCES]
    for _ in range(number):
        width, height = random.choice(SIZES)
        photo = Pillow.new("RGB", (width, height))
        halves = random.choice((1, 1, 2))
        for half in range(halves):
            part = _part(random.choice(sources), (width // halves, height), random)
            photo.paste(part, (half * (width // halves), 0))
        yield encoded(photo, "JPEG", quality=85)


def write_photos(folder: Path, number: int, seed: int) -> None:
    """Write so many varied photos into a new folder."""
    folder.mkdir()
    for place, photo in enumerate(varied_photos(number, seed)):
        (folder / f"photo {place}.jpg").write_bytes(photo)


def with_comment(photo: bytes, text: str) -> bytes:
    """The same picture in a file of other bytes, at no cost to whoever makes it.

    Raises ValueError where `photo` is no JPEG file.
    """
    if not photo.startswith(START):
        raise ValueError(f"a JPEG file should start with {START!r}, this does with {photo[:2]!r}")
    comment = text.encode()
    length = (len(comment) + 2).to_bytes(2, "big")
    return START + COMMENT + length + comment + photo[len(START) :]


def _part(source: Pillow.Image, size: tuple[int, int], random: Random) -> Pillow.Image:
    share = random.uniform(SMALLEST_CROP, 1.0)
    width, height = int(source.width * share), int(source.height * share)
    left = random.randint(0, source.width - width)
    top = random.randint(0, source.height - height)
    part = source.crop((left, top, left + width, top + height))
    if random.random() < 0.5:
        part = ImageOps.mirror(part)
    part = ImageEnhance.Brightness(part).enhance(random.uniform(0.7, 1.3))
    return ImageOps.fit(part, size)
