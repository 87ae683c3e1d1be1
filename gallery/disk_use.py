"""How much of the disk the gallery keeps for itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from gallery import components


@dataclass(frozen=True)
class DiskUse:
    """Bytes the gallery keeps."""

    store: int
    spool: int
    unfinished: int
    """Of uploads that are under way."""
    thumbnails: int

    @property
    def total(self) -> int:
        return self.store + self.spool + self.unfinished + self.thumbnails


def disk_use() -> DiskUse:
    return DiskUse(
        store=components.store().size_on_disk(),
        spool=folder_size(components.spool().folder),
        unfinished=unfinished_size(),
        thumbnails=folder_size(components.thumbnails().folder),
    )


def unfinished_size() -> int:
    """Bytes of uploads that are under way, whoever sends them."""
    return folder_size(settings.UNFINISHED_DIR)


def folder_size(folder: Path) -> int:
    """Bytes of all files of a folder and of its folders."""
    total = 0
    for path in folder.rglob("*"):
        # It may have moved on since the listing.
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
