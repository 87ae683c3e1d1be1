"""Small JPEGs of the photos: made at ingestion or on demand, and safe to lose.

Behind the end of each JPEG stands the SHA-256 of all of it, which viewers pass over.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

DIGEST_BYTES = 32


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
        path = self.path(sha256, size)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        content = jpeg + hashlib.sha256(jpeg).digest()
        try:
            try:
                temporary.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(content)
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def files(self) -> Iterator[Path]:
        """Every file there is, also half-written ones."""
        return (path for path in self.folder.glob("*/*") if path.is_file())

    def remove(self, sha256: str) -> None:
        for size in Size:
            self.path(sha256, size).unlink(missing_ok=True)


def is_undamaged(thumbnail: bytes) -> bool:
    """Whether a thumbnail's file is as it was written."""
    jpeg, digest = thumbnail[:-DIGEST_BYTES], thumbnail[-DIGEST_BYTES:]
    return hashlib.sha256(jpeg).digest() == digest
