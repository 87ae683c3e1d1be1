"""A folder of immutable segments, each read once, however many processes add and remove them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from featurestore.durable import UNFINISHED
from featurestore.errors import SegmentDamaged

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Folder times advance with the kernel's tick (1 to 10 ms), so two changes within one tick look
# the same. A listing is trusted only once its folder has been quiet for longer than that.
QUIET_NS = 50_000_000

# A folder that changes while it is read is read again, but not for ever.
READ_TRIES = 5


class SegmentFolder(Generic[T]):
    """Contents of every segment in a folder, kept current on each `read`.

    A damaged segment is logged and left out, so that it takes no page down with it.
    """

    def __init__(self, folder: Path, read_segment: Callable[[Path], T]) -> None:
        self.folder = folder
        self.damaged: dict[str, SegmentDamaged] = {}
        self._read_segment = read_segment
        self._lock = threading.Lock()
        self._contents: dict[str, T] = {}
        self._generation = 0
        self._trusted_mtime_ns: int | None = None

    def read(self) -> tuple[int, dict[str, T]]:
        """(generation, {file name: content}) in order of writing.

        The generation rises whenever the contents change; the dictionary is never changed.
        """
        with self._lock:
            mtime_ns = os.stat(self.folder).st_mtime_ns
            if mtime_ns != self._trusted_mtime_ns:
                quiet = time.time_ns() - mtime_ns > QUIET_NS
                self._renew()
                self._trusted_mtime_ns = mtime_ns if quiet else None
            return self._generation, self._contents

    def _renew(self) -> None:
        names = self._names()
        if names == list(self._contents):
            return
        contents: dict[str, T] = {}
        for _ in range(READ_TRIES):
            contents = self._contents_of(names, self._contents | contents)
            # A merge of segments during this can be missing together with its sources: a listing
            # passes it by, and the sources are gone when they are opened.
            listed, names = names, self._names()
            if names == listed:
                break
        if list(contents) != list(self._contents):
            self._contents = contents
            self._generation += 1

    def _names(self) -> list[str]:
        return sorted(
            name
            for name in os.listdir(self.folder)
            if name.endswith(".h5") and not name.startswith(UNFINISHED)
        )

    def _contents_of(self, names: list[str], known: dict[str, T]) -> dict[str, T]:
        contents: dict[str, T] = {}
        for name in names:
            if name in known:
                contents[name] = known[name]
            elif name not in self.damaged:
                try:
                    contents[name] = self._read_segment(self.folder / name)
                except FileNotFoundError:
                    continue  # Removed since the listing.
                except SegmentDamaged as error:
                    logger.error("Left out of the gallery: %s", error)
                    self.damaged[name] = error
        return contents
