"""`manage.py check_store`: verifies everything that the gallery keeps, and mends it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from featurestore.checking import Finding, bytes_to_check, segment_files
from featurestore.compaction import compaction_lock
from gallery import components
from gallery.catalogue import prepare_catalogue
from gallery.checking import check_gallery
from gallery.disk_use import folder_size
from gallery.errors import GalleryRuns
from gallery.models import Image
from gallery.presence import be_alone_in_gallery
from gallery.repairing import GalleryRepair, is_catalogue_lost, repair_gallery


class Command(BaseCommand):
    help = "Verify every checksum and every row; exit 1 and a list where something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Leave a sound gallery.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, repair: bool, json: bool, **options: Any) -> None:
        # Where this fails, the check says what is wrong with the database.
        with suppress(DatabaseError):
            prepare_catalogue()
        try:
            self._handle(repair=repair, as_json=json, quiet=options["verbosity"] == 0)
        except OSError as error:
            # Of what passes, such as too many open files: no statement about the store.
            raise CommandError(f"The check could not go on: {error}.") from error

    def _handle(self, *, repair: bool, as_json: bool, quiet: bool) -> None:
        with compaction_lock(settings.STORE_DIR, wait=True), ExitStack() as held:
            findings = _check(quiet=quiet)
            if repair and is_catalogue_lost(findings):
                try:
                    held.enter_context(be_alone_in_gallery())
                except GalleryRuns as error:
                    raise CommandError(f"The catalogue is lost. {error}") from error
            repaired = repair_gallery(findings) if repair and findings else None
            left = findings if repaired is None else list(check_gallery())
        if as_json:
            self.stdout.write(_as_json(findings, repaired, left))
        else:
            self._print(findings, repaired, left)
        if left:
            sys.exit(1)

    def _print(
        self, findings: Sequence[Finding], repaired: GalleryRepair | None, left: Sequence[Finding]
    ) -> None:
        for finding in findings:
            self.stdout.write(str(finding))
        if repaired is not None:
            for path in repaired.quarantined:
                self.stdout.write(f"Quarantined: {path}")
            for image_id, name in repaired.lost.items():
                self.stdout.write(f"Lost: image {image_id} {name}".rstrip())
            self.stdout.write(
                f"Repaired: {len(repaired.quarantined)} files quarantined, "
                f"{len(repaired.healed)} healed, "
                f"{repaired.salvaged_images} photos salvaged, {len(repaired.removed)} files "
                f"removed, {repaired.rows_written} rows written, {repaired.to_derive} photos "
                f"waiting for their features, {len(repaired.lost)} photos lost."
            )
            if repaired.accounts:
                self.stdout.write(repaired.accounts)
        if not left:
            facts = _facts()
            lost = f"; {facts['lost']} photos were lost earlier" if facts["lost"] else ""
            self.stdout.write(
                f"{facts['images']} images, {facts['segments']} segments, "
                f"{facts['bytes'] / 1e6:,.1f} MB: all sound{lost}."
            )
        elif repaired is None:
            self.stdout.write(f"{len(left)} findings; --repair mends what can be mended.")
        else:
            for finding in left:
                self.stdout.write(f"Still: {finding}")


def _check(*, quiet: bool) -> list[Finding]:
    folders = (components.spool().folder, components.thumbnails().folder)
    total = bytes_to_check(settings.STORE_DIR) + sum(map(folder_size, folders))
    with tqdm(total=total, unit="B", unit_scale=True, file=sys.stderr, disable=quiet) as progress:
        return list(check_gallery(progress.update))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0  # Moved on since the listing.


def _facts() -> dict[str, int]:
    paths = [path for path, _ in segment_files(settings.STORE_DIR)]
    return {
        "images": Image.objects.count(),
        "segments": len(paths),
        "bytes": sum(_size(path) for path in paths),
        "lost": Image.objects.lost().count(),
    }


def _as_json(
    findings: Sequence[Finding], repaired: GalleryRepair | None, left: Sequence[Finding]
) -> str:
    facts: dict[str, Any] = {
        "sound": not left,
        "findings": [_finding(finding) for finding in findings],
    }
    if not left:
        facts |= _facts()
    if repaired is not None:
        facts["repaired"] = {
            "quarantined": [str(path) for path in repaired.quarantined],
            "healed": [str(path) for path in repaired.healed],
            "removed": [str(path) for path in repaired.removed],
            "salvaged_images": repaired.salvaged_images,
            "rows_written": repaired.rows_written,
            "to_derive": repaired.to_derive,
            "lost": [{"id": i, "name": name} for i, name in repaired.lost.items()],
            "accounts": repaired.accounts,
        }
        facts["left"] = [_finding(finding) for finding in left]
    return json.dumps(facts, ensure_ascii=False)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "path": str(finding.path),
        "image_id": finding.image_id,
        "problem": finding.problem,
        "remedy": finding.remedy,
    }
