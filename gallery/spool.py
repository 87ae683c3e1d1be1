"""Originals between their upload and their place in the store: files on disk, named by SHA-256."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from featurestore.durable import fsync_folder, write_durably

COPY_BYTES = 1024 * 1024
SPOOL_NAME = re.compile(r"([0-9a-f]{64})-[0-9a-f]{8}-(.+)")
# A file name has room for 255 bytes, of which SHA-256 and random part take 74.
ENCODED_NAME_LENGTH = 180


class Spool:
    """Files in one folder, each owned by one catalogue row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, spool_name: str) -> Path:
        return self.folder / spool_name

    def keep(self, file: BinaryIO, sha256: str, name: str, *, name_is_durable: bool = True) -> str:
        """Copy a file durably into the spool; returns its spool name.

        The name has a random part, so that of two uploads of the same bytes at once the one
        that loses cannot take the winner's file away. It ends in the photo's own name, so that
        this survives the loss of the catalogue without another fsync.

        Args:
            name_is_durable: False where `make_names_durable` is to follow, for many files at once.
        """
        spool_name = f"{sha256}-{secrets.token_hex(4)}-{_encoded(name)}"

        def write(path: Path) -> None:
            file.seek(0)
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy, COPY_BYTES)

        write_durably(self.path(spool_name), write, name_is_durable=name_is_durable)
        return spool_name

    def make_names_durable(self) -> None:
        """On return each file that was kept survives a crash."""
        fsync_folder(self.folder)

    def remove(self, spool_name: str) -> None:
        if spool_name:
            self.path(spool_name).unlink(missing_ok=True)


def facts_in(spool_name: str) -> tuple[str, str] | None:
    """(SHA-256, photo's name), None for what else lies in the folder, such as half an upload."""
    match = SPOOL_NAME.fullmatch(spool_name)
    return (match[1], unquote(match[2], errors="replace")) if match else None


def _encoded(name: str) -> str:
    """The name for use in a file name, shortened before its suffix where it is too long."""
    suffix = Path(name).suffix[:8]
    stem = name.removesuffix(suffix)
    while len(quote(stem + suffix, safe="")) > ENCODED_NAME_LENGTH:
        stem = stem[:-1]
    return quote(stem + suffix, safe="")
