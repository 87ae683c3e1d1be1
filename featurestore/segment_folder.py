"""A folder of immutable segments, each read once, however many processes add and remove them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from featurestore.durable import UNFINISHED, FileState
from featurestore.errors import SegmentDamaged, SegmentUnavailable, machine_errno

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Folder times advance with the kernel's tick (1 to 10 ms), so two changes within one tick look
# the same. A listing is trusted only once its folder has been quiet for longer than that.
QUIET_NS = 50_000_000

# A folder that changes while it is read is read again, but not for ever: compaction can remove a
# segment meanwhile, but hardly several times in a row.
READ_TRIES = 5

# A failing disk may take seconds to say that it cannot read, so it is not asked at each read.
RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class _LeftOut:
    """A segment that could not be read, and when that is worth another try."""

    error: SegmentDamaged | SegmentUnavailable
    state: FileState | None
    """The file as it was; damage lasts until it is another."""
    since: float
    """Seconds of the monotonic clock; trouble of the machine is over after a while."""

    def may_be_over(self, path: Path) -> bool:
        if isinstance(self.error, SegmentUnavailable):
            return time.monotonic() - self.since >= RETRY_SECONDS
        return _state_of(path) != self.state


class SegmentFolder(Generic[T]):
    """Contents of every segment in a folder, kept current on each `read`.

    A segment that cannot be read is logged and left out, so that it takes no page down with it,
    and read once it has been restored or the machine is well again.
    """

    def __init__(self, folder: Path, read_segment: Callable[[Path], T]) -> None:
        self.folder = folder
        self._read_segment = read_segment
        self._lock = threading.Lock()
        self._contents: dict[str, T] = {}
        self._left_out: dict[str, _LeftOut] = {}
        self._generation = 0
        self._trusted_mtime_ns: int | None = None

    def read(self) -> tuple[int, dict[str, T]]:
        """(generation, {file name: content}) in order of writing.

        The generation rises whenever the contents change; the dictionary is never changed.
        """
        with self._lock:
            mtime_ns = os.stat(self.folder).st_mtime_ns
            if mtime_ns != self._trusted_mtime_ns or self._some_may_be_back():
                quiet = time.time_ns() - mtime_ns > QUIET_NS
                self._renew()
                self._trusted_mtime_ns = mtime_ns if quiet else None
            return self._generation, self._contents

    def left_out(self) -> list[SegmentDamaged | SegmentUnavailable]:
        """Why segments were left out at the last read."""
        with self._lock:
            return [left_out.error for left_out in self._left_out.values()]

    def _some_may_be_back(self) -> bool:
        return any(
            left_out.may_be_over(self.folder / name) for name, left_out in self._left_out.items()
        )

    def _renew(self) -> None:
        names = segment_names(self.folder)
        if names == list(self._contents):
            self._left_out = {}
            return
        contents: dict[str, T] = {}
        for _ in range(READ_TRIES):
            contents = self._contents_of(names, self._contents | contents)
            # A merge of segments during this can be missing together with its sources: a listing
            # passes it by, and the sources are gone when they are opened.
            listed, names = names, segment_names(self.folder)
            if names == listed:
                break
        if list(contents) != list(self._contents):
            self._contents = contents
            self._generation += 1

    def _contents_of(self, names: list[str], known: dict[str, T]) -> dict[str, T]:
        contents: dict[str, T] = {}
        left_out: dict[str, _LeftOut] = {}
        for name in names:
            path = self.folder / name
            if name in known:
                contents[name] = known[name]
            elif name in self._left_out and not self._left_out[name].may_be_over(path):
                left_out[name] = self._left_out[name]
            else:
                # Before the read: what is restored during it is read again.
                state = _state_of(path)
                try:
                    contents[name] = self._read(path)
                except FileNotFoundError:
                    continue  # Removed since the listing.
                except (SegmentDamaged, SegmentUnavailable) as error:
                    logger.error("Left out of the gallery: %s", error)
                    left_out[name] = _LeftOut(error, state, time.monotonic())
        self._left_out = left_out
        return contents

    def _read(self, path: Path) -> T:
        try:
            return self._read_segment(path)
        except (OSError, MemoryError) as error:
            number = machine_errno(error)
            if number is None or isinstance(error, SegmentUnavailable):
                raise
            raise SegmentUnavailable(path, number) from error


def segment_names(folder: Path) -> list[str]:
    """Names of the complete segments in a folder, in order of writing."""
    return sorted(
        name
        for name in os.listdir(folder)
        if name.endswith(".h5") and not name.startswith(UNFINISHED)
    )


def contents_of(folder: SegmentFolder[T]) -> tuple[int, dict[str, T]]:
    """What `SegmentFolder.read` gives: nothing where nothing was ever written."""
    return folder.read() if folder.folder.is_dir() else (0, {})


def contents_by_path(folder: SegmentFolder[T], without: Collection[Path] = ()) -> dict[Path, T]:
    """What a folder holds, in order of writing, as if some segments were not there."""
    contents = {folder.folder / name: one for name, one in contents_of(folder)[1].items()}
    return {path: content for path, content in contents.items() if path not in without}


def read_again(read: Callable[[], T]) -> T:
    """What `read` gives, tried again where compaction has removed a segment under its hands."""
    for _ in range(READ_TRIES - 1):
        with suppress(FileNotFoundError):
            return read()
    return read()


def _state_of(path: Path) -> FileState | None:
    """None where the file is gone or cannot be looked at."""
    try:
        return FileState.of(path.stat())
    except OSError:
        return None
