"""Small JPEGs of the photos: made at ingestion or on demand, and safe to lose."""

from __future__ import annotations

import secrets
from enum import IntEnum
from pathlib import Path


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
        """Put a thumbnail in place, whole or not at all."""
        path = self.path(sha256, size)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        temporary.write_bytes(jpeg)
        temporary.rename(path)

    def remove(self, sha256: str) -> None:
        for size in Size:
            self.path(sha256, size).unlink(missing_ok=True)
