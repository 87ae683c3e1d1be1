"""Files that arrive in pieces: the bytes, and how many of them are safe on the disk.

In a folder for each visitor an upload has two files: `<id>.json`, its record, replaced as a whole,
and `<id>.part`, its bytes. Bytes are fsynced before the record names their offset, so whatever is
killed and whenever, the record is true; what lies behind its offset is cut off by the next request.
A lock on the part file, which the system frees when a process ends, keeps two requests apart.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from django.utils.translation import gettext as _

from featurestore.durable import sweep_unfinished, write_durably
from gallery.errors import refusing_full_disk
from gallery.tus.protocol import Checksum, TusRefused

UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{22}")
BLOCK_BYTES = 256 * 1024
# Between the two files of an upload, and within the writing of a record, a process may be killed.
LEFTOVER_SECONDS = 3600.0


class Source(Protocol):
    """A request's bytes."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Limits:
    """What one visitor may have unfinished at a time, and for how long."""

    total_bytes: int
    """Of all files that are announced, however much of them is there."""
    uploads: int
    seconds: float
    """Since the last byte that came."""


@dataclass(frozen=True)
class Record:
    """What is known of one upload."""

    upload_id: str
    name: str
    length: int
    """Bytes of the whole file."""
    offset: int
    """Bytes that are safe."""
    changed_at: float
    """Seconds since 1970."""
    answer: dict[str, str | int | None] | None = None
    """What became of the whole file; its bytes are no longer here then."""

    @property
    def is_whole(self) -> bool:
        return self.offset == self.length


class Unfinished:
    """The uploads of one visitor."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits

    def create(self, length: int, name: str) -> Record:
        """Begin an upload. Raises TusRefused (429) or DiskFull."""
        record = Record(secrets.token_urlsafe(16), name, length, 0, time.time())
        with refusing_full_disk():
            self.folder.mkdir(exist_ok=True)
            with self._all_locked():
                self.sweep()
                self._check_room(length)
                self.part_path(record.upload_id).touch()
                self._write(record)
        return record

    def find(self, upload_id: str) -> Record:
        """An upload as it was last safe. Raises TusRefused: 404, or 410 where it has expired."""
        if not UPLOAD_ID.fullmatch(upload_id):
            raise _unknown()
        try:
            record = _read(self._record_path(upload_id))
        except FileNotFoundError:
            raise _unknown() from None
        if self.expires_at(record) < time.time():
            raise TusRefused(_("This upload has expired; begin it again."), 410)
        return record

    def expires_at(self, record: Record) -> float:
        """When an upload is forgotten, in seconds since 1970."""
        return record.changed_at + self.limits.seconds

    @contextmanager
    def held(self, upload_id: str) -> Iterator[Record]:
        """An upload that no other request can change meanwhile. Raises TusRefused: 423, 404, 410.

        The record is read under the lock, since what was known before may have changed.
        """
        if not UPLOAD_ID.fullmatch(upload_id):
            raise _unknown()
        try:
            part = self.part_path(upload_id).open("rb")
        except FileNotFoundError:
            raise _unknown() from None
        with part:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TusRefused(_("Another request is sending this file just now."), 423) from None
            yield self.find(upload_id)

    def append(
        self, record: Record, source: Source, count: int, checksum: Checksum | None = None
    ) -> Record:
        """Add the next `count` bytes of an upload that is held, or as many as come of them.

        Raises:
            TusRefused: 460 where the bytes are not those of the checksum; none of them stays then.
            DiskFull: likewise.
        """
        added = 0
        digest = checksum.begin() if checksum else None
        with refusing_full_disk(), self.part_path(record.upload_id).open("r+b") as part:
            # Bytes that came before a kill and are not known to be safe.
            part.truncate(record.offset)
            part.seek(record.offset)
            try:
                for block in _blocks(source, count):
                    part.write(block)
                    added += len(block)
                    if digest:
                        digest.update(block)
                self._fsync(part)
            except OSError:
                # Makes room for others; what is still buffered cannot be written.
                with suppress(OSError):
                    os.ftruncate(part.fileno(), record.offset)
                raise
            if checksum and digest and digest.digest() != checksum.digest:
                os.ftruncate(part.fileno(), record.offset)
                raise TusRefused(_("The bytes do not match their checksum; send them again."), 460)
        return self._change(record, offset=record.offset + added)

    def finish(self, record: Record, answer: dict[str, str | int | None]) -> Record:
        """Note what became of a whole file that is held, and give up its bytes."""
        done = self._change(record, answer=answer)
        # The empty file stays, because it is what requests lock.
        os.truncate(self.part_path(record.upload_id), 0)
        return done

    def forget(self, record: Record) -> None:
        """Remove an upload that is held."""
        self._record_path(record.upload_id).unlink(missing_ok=True)
        self.part_path(record.upload_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what has expired and what killed requests left; not what is being sent."""
        sweep_unfinished(self.folder, older_than_seconds=LEFTOVER_SECONDS)
        for part in self.folder.glob("*.part"):
            with suppress(FileNotFoundError, TusRefused):
                self._sweep_one(part.stem)

    def _sweep_one(self, upload_id: str) -> None:
        changed_at = self.part_path(upload_id).stat().st_mtime
        try:
            changed_at = _read(self._record_path(upload_id)).changed_at
            kept = self.limits.seconds
        except FileNotFoundError:
            kept = LEFTOVER_SECONDS
        if changed_at + kept >= time.time():
            return
        with self.part_path(upload_id).open("rb") as part, suppress(BlockingIOError):
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._record_path(upload_id).unlink(missing_ok=True)
            self.part_path(upload_id).unlink(missing_ok=True)

    def part_path(self, upload_id: str) -> Path:
        """The file of the bytes."""
        return self.folder / f"{upload_id}.part"

    def _record_path(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.json"

    def _check_room(self, length: int) -> None:
        announced = []
        for path in self.folder.glob("*.json"):
            with suppress(FileNotFoundError):
                record = _read(path)
                if record.answer is None:
                    announced.append(record.length)
        full = len(announced) >= self.limits.uploads
        if full or sum(announced) + length > self.limits.total_bytes:
            raise TusRefused(
                _(
                    "Too many uploads are unfinished: %(count)d with %(megabytes)d MB. "
                    "Finish or cancel some of them first."
                )
                % {"count": len(announced), "megabytes": sum(announced) // 2**20},
                429,
            )

    @contextmanager
    def _all_locked(self) -> Iterator[None]:
        """Keeps two uploads that begin at once from both taking the last room."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _change(
        self,
        record: Record,
        *,
        offset: int | None = None,
        answer: dict[str, str | int | None] | None = None,
    ) -> Record:
        changed = replace(
            record,
            offset=record.offset if offset is None else offset,
            answer=answer,
            changed_at=time.time(),
        )
        with refusing_full_disk():
            self._write(changed)
        return changed

    def _write(self, record: Record) -> None:
        text = json.dumps(asdict(record))
        write_durably(self._record_path(record.upload_id), lambda path: path.write_text(text))

    def _fsync(self, part: BinaryIO) -> None:
        part.flush()
        os.fsync(part.fileno())


def sweep_all(folder: Path, limits: Limits) -> None:
    """Remove what has expired of all visitors."""
    for visitor in folder.iterdir():
        if visitor.is_dir():
            Unfinished(visitor, limits).sweep()


def _read(path: Path) -> Record:
    """Raises FileNotFoundError, also for a damaged record: the file is begun again then."""
    try:
        return Record(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        raise FileNotFoundError(path) from None


def _blocks(source: Source, count: int) -> Iterator[bytes]:
    while count > 0 and (block := source.read(min(count, BLOCK_BYTES))):
        yield block
        count -= len(block)


def _unknown() -> TusRefused:
    return TusRefused(_("There is no such upload; begin it again."), 404)
