"""Many files in one command: each is received, ingested here, waited for and counted."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import OperationalError
from tqdm import tqdm

from gallery.agreement import agree_after_crash
from gallery.catalogue import check_models, prepare_catalogue
from gallery.errors import GalleryBusy, PhotoRefused, is_disk_full
from gallery.ingest import DISK_FULL, Ingestion
from gallery.memory import give_memory_back
from gallery.models import Image
from gallery.presence import work_in_gallery
from gallery.receiving import NewFile, receive_files

POLL_SECONDS = 0.2
# For a detector that does not answer, or for room on the disk; what was received until then is left
# to a worker.
PATIENCE_SECONDS = 60.0
NO_DETECTOR = "No detector answers; what was kept is looked at as soon as one does."
NO_ROOM = "The disk is full; what was kept is looked at as soon as there is room."


@dataclass(frozen=True)
class Rejection:
    """A file that is not in the gallery."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImportFacts:
    """What an import did: the command's JSON."""

    received: int
    stored: int
    duplicates: int
    rejected: list[Rejection]
    held_up: str
    """In a sentence why a worker is to see to some of them later, else empty."""
    seconds: float
    images_per_second: float

    @property
    def came_to_nothing(self) -> str:
        """A sentence where not one file became a photo that can be searched, else empty."""
        if not self.rejected or self.stored or self.duplicates:
            return ""
        return self.held_up or "Nothing was stored."

    def as_json(self) -> str:
        """One line."""
        facts = asdict(self)
        # The reasons say so.
        del facts["held_up"]
        return json.dumps(facts, ensure_ascii=False)

    def as_text(self, noun: str) -> str:
        """Sentences; `noun` is what one thing received is called."""
        received = f"{self.received} {noun}{'' if self.received == 1 else 's'}"
        refusals = [f"Refused: {each.path}: {each.reason}" for each in self.rejected]
        counts = (
            f"{received}: {self.stored} stored, {self.duplicates} already there, "
            f"{len(self.rejected)} refused, in {self.seconds} s "
            f"({self.images_per_second} images/s)."
        )
        return "\n".join([*refusals, counts])


def run_import(
    command: BaseCommand, work: Callable[[], ImportFacts], noun: str, *, as_json: bool
) -> None:
    """Do a command's import beside web and worker, and print what it did.

    Raises CommandError where nothing came of it, or it had to end before its time.
    """
    give_memory_back()
    check_models()
    try:
        with work_in_gallery(wait=False):
            prepare_catalogue()
            agree_after_crash()
            facts = work()
    except GalleryBusy as error:
        raise CommandError(str(error)) from error
    except (OSError, OperationalError) as error:
        if not is_disk_full(error):
            raise
        # Not even the catalogue can be written.
        raise CommandError(NO_ROOM) from error
    command.stdout.write(facts.as_json() if as_json else facts.as_text(noun))
    if facts.came_to_nothing:
        raise CommandError(facts.came_to_nothing)


class BulkImport:
    """One run of a command: its counts, its progress bar, and the images it waits for.

    Files are decoded once, for the check and for the detector, by several threads.
    """

    def __init__(self, total: int, quiet: bool) -> None:
        self._started = time.monotonic()
        self._progress = tqdm(total=total, unit="photo", file=sys.stderr, disable=quiet)
        self._ingestion = Ingestion()
        self._files: list[NewFile] = []
        """Read, and not received yet: at most a batch."""
        self._waiting: dict[int, str] = {}
        """Paths by image id."""
        self.received = 0
        self.stored = 0
        self.duplicates = 0
        self.held_up = ""
        self.rejected: list[Rejection] = []

    def receive(self, path: Path, *, name: str = "") -> None:
        """Take one file, which is not needed any more then; each batch of them is ingested.

        Args:
            name: what the photo is called, where that is not the file's name.
        """
        self.received += 1
        shown = os.fsencode(name or path).decode("utf-8", "replace")
        if not path.is_file():
            # A pipe would be waited for without end, and a link may lead nowhere.
            self._reject(shown, "This is not a file.")
            return
        try:
            file = NewFile.read(path, name or path.name, shown)
        except PhotoRefused as refusal:
            self._reject(shown, str(refusal))
            return
        except OSError as error:
            # One file that may not be read does not end the import of all others.
            self._reject(shown, f"This file cannot be read ({error.strerror or error}).")
            return
        size = sum(len(other.data) for other in self._files) + len(file.data)
        is_repeated = any(other.sha256 == file.sha256 for other in self._files)
        if size > settings.INGEST_BATCH_BYTES or is_repeated:
            self._ingest_files()
        self._files.append(file)
        if len(self._files) >= settings.INGEST_BATCH:
            self._ingest_files()

    def reject(self, name: str, reason: str) -> None:
        """Count what could not even become a file."""
        self.received += 1
        self._reject(name, reason)

    def finish(self) -> None:
        """Wait until all that was received is ready or refused, but not for ever."""
        with self._ingestion:
            self._ingest_files()
            self._ingestion.finish()
            self._count_ended()
            while self._waiting and not self._has_waited_long():
                self._try_again()
        hold_up = self._ingestion.hold_up
        if hold_up and self._waiting:
            self.held_up = NO_ROOM if hold_up.reason == DISK_FULL else NO_DETECTOR
            sentence = f"It is kept, and searchable once a worker has seen it. {hold_up.reason}"
            for path in self._waiting.values():
                self._reject(path, sentence)
        self._progress.close()

    def facts(self) -> ImportFacts:
        """What was done so far."""
        seconds = time.monotonic() - self._started
        return ImportFacts(
            received=self.received,
            stored=self.stored,
            duplicates=self.duplicates,
            rejected=self.rejected,
            held_up=self.held_up,
            seconds=round(seconds, 3),
            images_per_second=round(self.stored / max(seconds, 1e-9), 2),
        )

    def _ingest_files(self) -> None:
        files, self._files = self._files, []
        received = receive_files(files, self._ingestion)
        self.duplicates += len(received.duplicates)
        self._progress.update(len(received.duplicates))
        for file, reason in received.refused:
            self._reject(file.shown, reason)
        self._waiting |= {image.pk: file.shown for file, image, _ in received.stored}
        self._ingestion.add(
            [image for _, image, _ in received.stored],
            {image.pk: prepared for _, image, prepared in received.stored},
        )
        self._count_ended()

    def _try_again(self) -> None:
        """Ingest what has failed once; what a worker holds is waited for."""
        batch = Image.objects.filter(pk__in=self._waiting).claim_batch()
        self._ingestion.add(batch)
        self._ingestion.finish()
        self._count_ended()
        if not batch and self._waiting:
            time.sleep(POLL_SECONDS)

    def _has_waited_long(self) -> bool:
        hold_up = self._ingestion.hold_up
        return hold_up is not None and hold_up.seconds > PATIENCE_SECONDS

    def _count_ended(self) -> None:
        rows = Image.objects.filter(pk__in=self._waiting).values_list("pk", "state", "failure")
        found = {pk: (state, failure) for pk, state, failure in rows}
        for pk in list(self._waiting):
            # An image that is gone was deleted by somebody after it was stored.
            state, failure = found.get(pk, (Image.State.READY, ""))
            if state == Image.State.RECEIVED:
                continue
            path = self._waiting.pop(pk)
            if state == Image.State.READY:
                self.stored += 1
                self._progress.update()
            else:
                self._reject(path, failure)

    def _reject(self, path: str, reason: str) -> None:
        self.rejected.append(Rejection(path, reason))
        self._progress.update()
