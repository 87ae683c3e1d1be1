"""What can go wrong in the feature store.

StoreError
├── ImageNotStored   (KeyError)  no image of that id, or it was deleted
├── SegmentDamaged   (ValueError) a segment cannot be read as its format says
├── ImageDamaged     (ValueError) an image's bytes no longer have their SHA-256
├── CompactionRuns   (RuntimeError) another process is compacting or copying the store
├── NotOriginalLayout (ValueError) a file is not in the original system's layout
└── BackupRefused (ValueError) a folder cannot take a backup or holds none that can be used
"""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """Base of all errors of the feature store."""


class ImageNotStored(StoreError, KeyError):
    def __init__(self, image_id: int) -> None:
        super().__init__(f"The store holds no image {image_id}.")
        self.image_id = image_id

    def __str__(self) -> str:
        # KeyError would show the repr of the sentence.
        return str(self.args[0])


class SegmentDamaged(StoreError, ValueError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} cannot be read: {reason}")
        self.path = path
        self.reason = reason


class ImageDamaged(StoreError, ValueError):
    def __init__(self, image_id: int, path: Path) -> None:
        super().__init__(f"The bytes of image {image_id} in {path.name} have changed on disk.")
        self.image_id = image_id
        self.path = path


class CompactionRuns(StoreError, RuntimeError):
    def __init__(self) -> None:
        super().__init__("Another process is compacting or copying the store just now.")


class NotOriginalLayout(StoreError, ValueError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} is not in the original system's layout: {reason}.")
        self.path = path
        self.reason = reason


class BackupRefused(StoreError, ValueError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder} cannot be used: {reason}.")
        self.folder = folder
        self.reason = reason
