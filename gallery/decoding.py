"""Photos from hostile bytes: upright and in RGB, within bounds of pixels and time."""

from __future__ import annotations

import io
import logging
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pillow_heif
from django.conf import settings
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.ImageFile import ImageFile

from detector.looks import LOOK_INPUT, LookInput
from gallery.errors import PhotoRefused
from gallery.rgb import small_rgb
from gallery.shrinking import Filter, resized

pillow_heif.register_heif_opener()
# The gallery counts pixels itself, from the header, and answers with a sentence.
Pillow.MAX_IMAGE_PIXELS = None
# Pillow reports every odd TIFF tag of a hostile file.
logging.getLogger("PIL").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="PIL")

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
# Pillow reaches MPO, a JPEG with further pictures behind it, by way of JPEG.
JPEGS = {"JPEG", "MPO"}
_OPENED_FORMATS = [name for name in MEDIA_TYPES if name != "MPO"]

DETECTOR_SIDE = 300
# The longest side of a tiny preview, in pixels, and how well it is kept.
TINY_SIDE = 16
TINY_QUALITY = 20
DECODE_SECONDS = 20.0
EXIF_ORIENTATION = 0x0112
# How the pixels of each orientation are turned upright. Pillow's own `exif_transpose` writes the
# remaining EXIF anew as well, and fails where a camera wrote one odd tag.
UPRIGHT = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
SWAPPED_SIDES = {5, 6, 7, 8}
# Pixels that are decoded at a time by all threads together: 200 MB of RGB.
PIXELS_AT_ONCE = 50_000_000
# How many times more memory than others, 4 bytes for each pixel, some decoders take, as measured:
# that of WebP keeps two canvases for animations, those of HEIC and AVIF copy what they decoded.
MEMORY_BY_FORMAT = {"WEBP": 4.0, "AVIF": 2.25, "HEIF": 1.75}


@dataclass(frozen=True)
class PhotoFacts:
    """What a photo's header says."""

    media_type: str
    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""


def read_facts(path: Path) -> PhotoFacts:
    """The facts of a photo whose pixels can all be decoded. Raises PhotoRefused."""
    with path.open("rb") as file:
        return _decode(file, None)[0]


def read_pixels(path: Path, longest_side: int) -> Pillow.Image:
    """The first frame, upright, RGB, at least `longest_side` pixels long where the photo is.

    Raises PhotoRefused.
    """
    with path.open("rb") as file:
        return read_photo(file, longest_side)[1]


def read_photo(file: BinaryIO, longest_side: int) -> tuple[PhotoFacts, Pillow.Image]:
    """Facts and pixels, as `read_facts` and `read_pixels` tell them. Raises PhotoRefused."""
    return _decode(file, longest_side)


def detector_input(pixels: Pillow.Image) -> NDArray[np.uint8]:
    """(300, 300, 3) uint8 RGB: the whole photo squeezed into the detector's frame."""
    return resized(pixels, (DETECTOR_SIDE, DETECTOR_SIDE), Filter.BOX)


def look_input(pixels: Pillow.Image, wanted: LookInput = LOOK_INPUT) -> NDArray[np.uint8]:
    """(side, side, 3) uint8 RGB: the part that an embedder wants, squeezed."""
    size = (wanted.side, wanted.side)
    frame = wanted.frame(*pixels.size)
    resampling = Pillow.Resampling.BICUBIC if wanted.bicubic else Pillow.Resampling.BOX
    return np.asarray(pixels.resize(size, resampling, box=frame), np.uint8)


def shrunken_jpeg(pixels: Pillow.Image, longest_side: int) -> bytes:
    """A JPEG of the photo whose sides are at most `longest_side` and at least 1 pixel."""
    scale = min(1.0, longest_side / max(pixels.size))
    size = (max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale)))
    small = pixels if scale == 1 else Pillow.fromarray(resized(pixels, size, Filter.HAMMING))
    output = io.BytesIO()
    small.save(output, "JPEG", quality=82)
    return output.getvalue()


def tiny_webp(pixels: Pillow.Image, width: int, height: int) -> bytes:
    """A WebP of some 100 bytes that stands in for a photo until its picture comes.

    Args:
        pixels: the photo, which may be squeezed.
        width: of the photo itself, in pixels.
        height: likewise.
    """
    longest = max(width, height)
    size = (max(1, round(TINY_SIDE * width / longest)), max(1, round(TINY_SIDE * height / longest)))
    factors = (max(1, pixels.width // TINY_SIDE), max(1, pixels.height // TINY_SIDE))
    small = pixels.reduce(factors).resize(size, Pillow.Resampling.BILINEAR)
    output = io.BytesIO()
    small.save(output, "WEBP", quality=TINY_QUALITY, method=0)
    return output.getvalue()


class _DeadlineReader(io.BufferedIOBase):
    """A file that stops giving bytes once decoding has taken too long.

    Pillow's decoders ask for bytes as they go, so a file made to be slow runs into this.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.start_anew()

    def start_anew(self) -> None:
        """Count from now on, because what came before was waiting."""
        self._deadline = time.monotonic() + DECODE_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self._deadline:
            raise PhotoRefused(_("This photo takes too long to decode."))
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class _PixelBudget:
    """Lets threads decode together only as much as there is memory for."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._free = pixels
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Wait until so many pixels may be decoded; a photo of more than all is decoded alone."""
        pixels = min(pixels, self._pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


_budget = _PixelBudget(PIXELS_AT_ONCE)


def _decode(file: BinaryIO, longest_side: int | None) -> tuple[PhotoFacts, Pillow.Image]:
    if not file.read(1):
        raise PhotoRefused(_("This file is empty."))
    file.seek(0)
    try:
        reader = _DeadlineReader(file)
        with Pillow.open(cast(BinaryIO, reader), formats=_OPENED_FORMATS) as photo:
            _check_sides(photo)
            with _budget.take(round(photo.width * photo.height * _memory_of(photo))):
                reader.start_anew()
                return _decode_pixels(photo, longest_side)
    except PhotoRefused:
        raise
    except UnidentifiedImageError:
        raise PhotoRefused(
            _(
                "This is not a photo in a format the gallery reads: "
                "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF."
            )
        ) from None
    except MemoryError:
        raise PhotoRefused(_("This photo needs more memory than there is.")) from None
    except Exception as error:
        # Decoders raise almost anything on damaged bytes: OSError, SyntaxError, struct.error,
        # EOFError, IndexError, RuntimeError and more have been seen.
        raise PhotoRefused(
            _("This photo is damaged or cut short (%(why)s).") % {"why": error}
        ) from error


def _check_sides(photo: Pillow.Image) -> None:
    """Raises PhotoRefused for a photo of too many pixels, or none."""
    limit = settings.MAX_PIXELS / _memory_of(photo)
    if photo.width * photo.height > limit:
        sentence = _(
            "This photo has %(width)s×%(height)s pixels; the limit is %(limit)s megapixels."
        )
        if _memory_of(photo) > 1:
            sentence = _(
                "This photo has %(width)s×%(height)s pixels; the limit of a photo in %(format)s "
                "is %(limit)s megapixels."
            )
        facts = {"width": photo.width, "height": photo.height, "format": photo.format}
        raise PhotoRefused(sentence % (facts | {"limit": f"{limit / 1e6:.3g}"}))
    if photo.width < 1 or photo.height < 1:
        raise PhotoRefused(_("This photo has no pixels."))


def _memory_of(photo: Pillow.Image) -> float:
    """As many times as others of its size."""
    return MEMORY_BY_FORMAT.get(photo.format or "", 1.0)


def _decode_pixels(photo: ImageFile, longest_side: int | None) -> tuple[PhotoFacts, Pillow.Image]:
    width, height = photo.size
    # A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough;
    # every byte of it is read all the same, so damage shows. Of a HEIC only a thumbnail would be
    # decoded, which need not even show the photo.
    if photo.format in JPEGS:
        photo.draft("RGB", (longest_side or 1, longest_side or 1))
    photo.load()
    # Only now, because Pillow turns a TIFF upright by itself and then drops its orientation.
    orientation = photo.getexif().get(EXIF_ORIENTATION)
    if orientation in SWAPPED_SIDES:
        width, height = height, width
    facts = PhotoFacts(MEDIA_TYPES[photo.format or ""], width, height)
    if longest_side is None:
        # Whether pixels can be made RGB does not depend on how many there are.
        return facts, small_rgb(photo.crop((0, 0, photo.width, 1)), 1)
    # The shorter side stays long enough as well: the detector sees a square.
    pixels = small_rgb(photo, max(1, min(photo.size) // longest_side))
    turn = UPRIGHT.get(orientation or 1)
    return facts, pixels if turn is None else pixels.transpose(turn)
