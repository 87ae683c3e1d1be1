"""Many files in one command: each is received, ingested here, waited for and counted."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.uploads import Outcome, receive_file

# Files received ahead of their ingestion: a full batch, and no more, so that neither the spool
# nor the list of what is waited for grows with the folder.
AHEAD = 32
WAIT_SECONDS = 0.2


class BulkImport:
    """One run of a command: its counts, its progress bar, and the images it waits for."""

    def __init__(self, total: int, quiet: bool) -> None:
        self._started = time.monotonic()
        self._progress = tqdm(total=total, unit="photo", file=sys.stderr, disable=quiet)
        self._waiting: dict[int, str] = {}
        """Paths by image id."""
        self.received = 0
        self.stored = 0
        self.duplicates = 0
        self.rejected: list[dict[str, str]] = []

    def receive(self, path: Path, *, name: str = "") -> None:
        """Take one file; of 32 that are new the features are computed.

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
            answer = receive_file(path, name=name)
        except OSError as error:
            # One file that may not be read does not end the import of all others.
            self._reject(shown, f"This file cannot be read ({error.strerror or error}).")
            return
        if answer.outcome == Outcome.STORED and answer.image is not None:
            self._waiting[answer.image.pk] = shown
            if len(self._waiting) >= AHEAD:
                self._ingest()
        elif answer.outcome == Outcome.DUPLICATE:
            self.duplicates += 1
            self._progress.update()
        else:
            self._reject(shown, answer.sentence)

    def reject(self, name: str, reason: str) -> None:
        """Count what could not even become a file."""
        self.received += 1
        self._reject(name, reason)

    def finish(self) -> None:
        """Wait until everything that was received is ready or refused."""
        while self._waiting:
            self._ingest()
        self._progress.close()

    def facts(self) -> dict[str, Any]:
        """The command's JSON."""
        seconds = time.monotonic() - self._started
        return {
            "received": self.received,
            "stored": self.stored,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "seconds": round(seconds, 3),
            "images_per_second": round(self.stored / max(seconds, 1e-9), 2),
        }

    def summary(self, *, noun: str, as_json: bool) -> str:
        """The counts as JSON on one line, or as sentences.

        Args:
            noun: what was received, in the plural.
        """
        facts = self.facts()
        if as_json:
            return json.dumps(facts, ensure_ascii=False)
        refusals = [f"Refused: {each['path']}: {each['reason']}" for each in facts["rejected"]]
        counts = (
            f"{facts['received']} {noun}: {facts['stored']} stored, "
            f"{facts['duplicates']} already there, {len(facts['rejected'])} refused, "
            f"in {facts['seconds']} s ({facts['images_per_second']} images/s)."
        )
        return "\n".join([*refusals, counts])

    def _ingest(self) -> None:
        """Ingest here what is due; what a worker holds already is waited for."""
        batch = Image.objects.claim_batch()
        ingest_batch(batch)
        self._count_ended()
        if not batch and self._waiting:
            time.sleep(WAIT_SECONDS)

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
        self.rejected.append({"path": path, "reason": reason})
        self._progress.update()
