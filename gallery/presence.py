"""Who works in the data folder: what makes its catalogue anew has to be alone in it.

Each process that works in it holds `gallery.lock` shared, and what replaces the catalogue holds it
alone. The system frees it when a process ends, however it ends.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TextIO

from django.conf import settings

from gallery.errors import GalleryBusy, GalleryRuns

LOCK = "gallery.lock"


def work_in_gallery(*, wait: bool = True) -> TextIO:
    """Hold the gallery together with others until the returned file is closed.

    Args:
        wait: for the end of what is alone in it; else raises GalleryBusy.
    """
    file = _lock_file()
    try:
        fcntl.flock(file, fcntl.LOCK_SH if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise GalleryBusy from error
    return file


def be_alone_in_gallery() -> TextIO:
    """Hold the gallery alone until the returned file is closed. Raises GalleryRuns."""
    file = _lock_file()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise GalleryRuns from error
    return file


def _lock_file() -> TextIO:
    return (Path(settings.STORE_DIR).parent / LOCK).open("a")
