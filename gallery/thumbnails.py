"""Small versions of the photos: made as they come in or on demand, and safe to lose.

JPEGs for people, and until a photo is ready the pixels that its detector is to see. Behind the end
of each file's content stands its SHA-256, which viewers of JPEGs pass over.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.detections import IMAGE_SIZE

DIGEST_BYTES = 32
DETECTOR_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 3)
SUFFIXES = (".jpg", ".rgb")


class Size(IntEnum):
    """Longest side in pixels."""

    GRID = 480
    VIEW = 1600


class Thumbnails:
    """Files below one folder, by SHA-256 and size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str, size: Size) -> Path:
        return self.folder / sha256[:2] / f"{sha256}-{size:d}.jpg"

    def keep(self, sha256: str, size: Size, jpeg: bytes) -> None:
        """Put a thumbnail in place, whole or not at all. Raises OSError (a full disk)."""
        _write(self.path(sha256, size), jpeg)

    def keep_pixels(self, sha256: str, pixels: NDArray[np.uint8]) -> None:
        """Keep what the detector is to see, (300, 300, 3) uint8, likewise. Raises OSError."""
        _write(self._pixels_path(sha256), pixels.tobytes())

    def pixels(self, sha256: str) -> NDArray[np.uint8] | None:
        """What `keep_pixels` kept, None where it is lost or damaged."""
        try:
            content = self._pixels_path(sha256).read_bytes()
        except OSError:
            return None
        # A power cut may leave a file of the right length that holds zeros.
        if len(content) != np.prod(DETECTOR_SHAPE) + DIGEST_BYTES or not is_undamaged(content):
            return None
        return np.frombuffer(content[:-DIGEST_BYTES], np.uint8).reshape(DETECTOR_SHAPE)

    def remove_pixels(self, sha256: str) -> None:
        self._pixels_path(sha256).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Every file there is, also half-written ones."""
        return (path for path in self.folder.glob("*/*") if path.is_file())

    def remove(self, sha256: str) -> None:
        for size in Size:
            self.path(sha256, size).unlink(missing_ok=True)
        self.remove_pixels(sha256)

    def _pixels_path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}-detector.rgb"


def is_undamaged(content: bytes) -> bool:
    """Whether a file's content is as it was written."""
    kept, digest = memoryview(content)[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    return hashlib.sha256(kept).digest() == digest


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, with its digest behind it. Raises OSError."""
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    parts = content, hashlib.sha256(content).digest()
    try:
        try:
            file = temporary.open("wb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("wb")
        with file:
            file.writelines(parts)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
