"""Files that are there whole or not at all, whatever is killed and whenever."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# Readers and sweeps know a file that is still being written by this start of its name.
UNFINISHED = ".unfinished-"


class FileState(NamedTuple):
    """Tells a file from another one of the same name, and from itself after a change."""

    inode: int
    mtime_ns: int
    size: int
    """Bytes."""

    @classmethod
    def of(cls, stat: os.stat_result) -> FileState:
        return cls(stat.st_ino, stat.st_mtime_ns, stat.st_size)


def fsync_file(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Flush a folder's entries, without which a rename may be lost in a power cut."""
    fsync_file(folder)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(
    path: Path, write: Callable[[Path], object], *, name_is_durable: bool = True
) -> None:
    """Create `path` with what `write(temporary_path)` writes, or replace it at once.

    The bytes are on disk before the name exists, and the name is on disk before this returns.
    A kill in between leaves only a file that `sweep_unfinished` removes.

    Args:
        name_is_durable: False where `fsync_folder` is to follow, for many files at once.

    Raises OSError (a full disk among them); nothing is left behind then.
    """
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        write(temporary)
        fsync_file(temporary)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if name_is_durable:
        fsync_folder(path.parent)


def sweep_unfinished(folder: Path, *, older_than_seconds: float) -> list[Path]:
    """Remove what killed writers left in `folder`; returns the removed paths.

    The age protects files that another process is writing now.
    """
    removed = []
    newest = time.time() - older_than_seconds
    for path in folder.glob(f"{UNFINISHED}*"):
        try:
            if path.stat().st_mtime < newest:
                path.unlink()
                removed.append(path)
        except FileNotFoundError:
            continue
    return removed
