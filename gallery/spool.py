"""Originals between their upload and their place in the store: files on disk, named by SHA-256."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from featurestore.durable import write_durably

COPY_BYTES = 1024 * 1024


class Spool:
    """Files in one folder, each owned by one catalogue row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, spool_name: str) -> Path:
        return self.folder / spool_name

    def keep(self, file: BinaryIO, sha256: str) -> str:
        """Copy a file durably into the spool; returns its spool name.

        The name ends in a random part, so that of two uploads of the same bytes at once the one
        that loses cannot take the winner's file away.
        """
        spool_name = f"{sha256}-{secrets.token_hex(4)}"

        def write(path: Path) -> None:
            file.seek(0)
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy, COPY_BYTES)

        write_durably(self.path(spool_name), write)
        return spool_name

    def remove(self, spool_name: str) -> None:
        if spool_name:
            self.path(spool_name).unlink(missing_ok=True)

    def sweep(self, owned: Iterable[str], *, older_than_seconds: float) -> list[Path]:
        """Remove files that no catalogue row owns; returns the removed paths.

        The age protects uploads that are under way.
        """
        keep = set(owned)
        newest = time.time() - older_than_seconds
        removed = []
        for path in self.folder.iterdir():
            if path.name not in keep and path.is_file() and path.stat().st_mtime < newest:
                path.unlink(missing_ok=True)
                removed.append(path)
        return removed


def sha256_of(file: BufferedReader) -> str:
    """The SHA-256 of a whole file, in hexadecimal."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
