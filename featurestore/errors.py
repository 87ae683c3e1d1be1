"""What can go wrong in the feature store.

StoreError
├── ImageNotStored   (KeyError)  no image of that id, or it was deleted
├── SegmentDamaged   (ValueError) a segment cannot be read as its format says
├── SegmentUnavailable (OSError) the machine cannot read a segment just now
├── ImageDamaged     (ValueError) an image's bytes no longer have their SHA-256
├── CompactionRuns   (RuntimeError) another process is compacting or copying the store
├── NotOriginalLayout (ValueError) a file is not in the original system's layout
└── BackupRefused (ValueError) a folder cannot take a backup or holds none that can be used
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

# What h5py and NumPy have been seen to raise on damaged files.
DAMAGE_ERRORS = (
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)

# What says nothing about a file's content: too little memory, too many open files, a disk or a
# network that does not answer, a missing permission.
MACHINE_ERRNOS = {
    *(errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.EAGAIN),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.EACCES, errno.EPERM),
}


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


class SegmentUnavailable(StoreError, OSError):
    """Another try may succeed, unless the disk is failing (`errno.EIO`)."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(number, os.strerror(number), str(path))
        self.path = path

    def __str__(self) -> str:
        return f"{self.path.name} cannot be read just now: {self.strerror}"


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


def machine_errno(error: BaseException) -> int | None:
    """The errno of trouble that is the machine's and not a file's, None for all other errors."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if not isinstance(error, OSError):
        return None
    # HDF5 tells some only in words.
    in_words = re.search(r"errno = (\d+)", str(error))
    number = error.errno or (int(in_words[1]) if in_words else 0)
    return number if number in MACHINE_ERRNOS else None
