"""`manage.py ingest`: imports files and folders and waits until they can be searched."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from gallery.agreement import agree_after_crash
from gallery.catalogue import prepare_catalogue
from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.uploads import Outcome, receive_file

# Files received ahead of their ingestion: a full batch, and no more, so that neither the spool
# nor the list of what is waited for grows with the folder.
AHEAD = 32
WAIT_SECONDS = 0.2


class Command(BaseCommand):
    help = "Import photos and folders of photos, and wait until all are ready."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, paths: list[Path], json: bool, **options: Any) -> None:
        missing = [str(path) for path in paths if not path.exists()]
        if missing:
            raise CommandError(f"There is no {', '.join(missing)}.")
        prepare_catalogue()
        agree_after_crash()
        report = _Import(total=sum(1 for _ in _files(paths)), quiet=options["verbosity"] == 0)
        for path in _files(paths):
            report.receive(path)
        report.finish()
        self._print(report, as_json=json)

    def _print(self, report: _Import, *, as_json: bool) -> None:
        facts = report.facts()
        if as_json:
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        for rejected in facts["rejected"]:
            self.stdout.write(f"Refused: {rejected['path']}: {rejected['reason']}")
        self.stdout.write(
            f"{facts['received']} files: {facts['stored']} stored, "
            f"{facts['duplicates']} already there, {len(facts['rejected'])} refused, "
            f"in {facts['seconds']} s ({facts['images_per_second']} images/s)."
        )


class _Import:
    """One run of the command: its counts, its progress bar, and the images it waits for."""

    def __init__(self, total: int, quiet: bool) -> None:
        self._started = time.monotonic()
        self._progress = tqdm(total=total, unit="photo", file=sys.stderr, disable=quiet)
        self._waiting: set[int] = set()
        self.received = 0
        self.stored = 0
        self.duplicates = 0
        self.rejected: list[dict[str, str]] = []

    def receive(self, path: Path) -> None:
        self.received += 1
        answer = receive_file(path)
        if answer.outcome == Outcome.STORED and answer.image is not None:
            self._waiting.add(answer.image.pk)
            if len(self._waiting) >= AHEAD:
                self._ingest()
            return
        if answer.outcome == Outcome.DUPLICATE:
            self.duplicates += 1
        else:
            self._reject(path, answer.sentence)
        self._progress.update()

    def finish(self) -> None:
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

    def _ingest(self) -> None:
        """Ingest here what is due; what a worker holds already is waited for."""
        batch = Image.objects.claim_batch()
        ingest_batch(batch)
        self._count_ended()
        if not batch and self._waiting:
            time.sleep(WAIT_SECONDS)

    def _count_ended(self) -> None:
        rows = Image.objects.filter(pk__in=self._waiting).values_list(
            "pk", "state", "failure", "name"
        )
        found = {pk: (state, failure, name) for pk, state, failure, name in rows}
        for pk in list(self._waiting):
            # An image that is gone was deleted by somebody after it was stored.
            state, failure, name = found.get(pk, (Image.State.READY, "", ""))
            if state == Image.State.RECEIVED:
                continue
            self._waiting.discard(pk)
            self._progress.update()
            if state == Image.State.READY:
                self.stored += 1
            else:
                self._reject(Path(name), failure)

    def _reject(self, path: Path, reason: str) -> None:
        self.rejected.append(
            {"path": os.fsencode(path).decode("utf-8", "replace"), "reason": reason}
        )


def _files(paths: list[Path]) -> Iterator[Path]:
    """Files in a steady order; hidden files and folders below a named folder are left out."""
    for path in paths:
        if path.is_dir():
            for folder, subfolders, names in os.walk(path):
                subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
                for name in sorted(names):
                    if not name.startswith("."):
                        yield Path(folder, name)
        else:
            yield path
