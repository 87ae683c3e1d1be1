"""`manage.py bench`: figures with the machine named, beside a public peer in the same run."""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import BaseCommand, CommandError
from numpy.typing import NDArray

from detector import DetectorError
from gallery import components
from gallery.benchmarks.ingest import QUICK, THOROUGH, bench_ingest
from gallery.benchmarks.layout import bench_layout, bench_photo
from gallery.benchmarks.look import bench_look
from gallery.benchmarks.machine import machine
from gallery.benchmarks.made_photos import Source, drawn_detections, like
from gallery.benchmarks.store import bench_store
from gallery.benchmarks.text import bench_text
from gallery.decoding import detector_input, look_input, read_pixels
from gallery.thumbnails import Size

SEARCHES = {"text": bench_text, "photo": bench_photo, "layout": bench_layout}
SIZES = (10_000, 100_000, 1_000_000)
STORE_IMAGES = 30_000
LOOK_IMAGES = 100_000
DEFAULT_SIZES = {"store": (STORE_IMAGES,), "look": (LOOK_IMAGES,)}
QUERIES = 200
# Made photos resemble so many real ones.
MOST_PHOTOS = 500
MOST_LOOKS = 4000

Report = Callable[[str, str], None]


class Command(BaseCommand):
    help = "Measure the gallery on this machine; the figures are for comparison, not a test."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["store", "ingest", "look", *SEARCHES])
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help="a folder of JPEGs; needed for store, for searches the made photos resemble them",
        )
        parser.add_argument(
            "--images",
            metavar="N[,N...]",
            help=f"sizes of the collections; {STORE_IMAGES} for store, {LOOK_IMAGES} for look, "
            f"{','.join(map(str, SIZES))} for searches",
        )
        parser.add_argument(
            "--queries", type=int, default=QUERIES, metavar="N", help="different queries of a kind"
        )
        parser.add_argument(
            "--quick",
            action="store_true",
            help="for ingest: so little work that it shows what is measured and no more",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        photos = _photos(options["photos"])
        sizes = _sizes(options["images"], DEFAULT_SIZES.get(what, SIZES))
        if options["queries"] < 1:
            raise CommandError("--queries should be 1 or more.")
        figures = {"machine": machine()}
        if not options["json"]:
            self.stdout.write(f"machine: {figures['machine']}")

        def report(name: str, value: str) -> None:
            figures[name] = value
            if not options["json"]:
                self.stdout.write(f"{name}: {value}")
                self.stdout.flush()

        if what == "store":
            _bench_store(photos, sizes, report)
        elif what == "ingest":
            with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder:
                effort = QUICK if options["quick"] else THOROUGH
                bench_ingest(photos, Path(folder), report, effort)
        elif what == "look":
            bench_look(sizes, options["queries"], _looks(photos, report), report)
        else:
            source = _source(photos, report)
            vocabulary = components.vocabulary()
            SEARCHES[what](sizes, options["queries"], source, vocabulary, report)
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))


def _bench_store(photos: list[Path], sizes: tuple[int, ...], report: Report) -> None:
    if not photos:
        raise CommandError("The store is measured with photos: name a folder with --photos.")
    if len(sizes) > 1:
        raise CommandError("The store is measured with one number of --images.")
    with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder:
        bench_store(photos, sizes[0], Path(folder), report)


def _photos(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    photos = sorted(folder.rglob("*.jpg"))
    if not photos:
        raise CommandError(f"There is no JPEG in {folder}.")
    return photos


def _sizes(text: str | None, default: tuple[int, ...]) -> tuple[int, ...]:
    if text is None:
        return default
    try:
        sizes = tuple(int(part.replace("_", "")) for part in text.split(","))
    except ValueError:
        raise CommandError(f"--images should be numbers like 10000,100000, is {text!r}.") from None
    if min(sizes) < 1:
        raise CommandError("--images should be 1 or more.")
    return sizes


def _source(photos: list[Path], report: Report) -> Source:
    """Where the detections of made photos come from."""
    if not photos:
        report("photos", "made up, with the class frequencies of COCO; --photos takes real ones")
        return drawn_detections
    chosen = photos[:MOST_PHOTOS]
    pixels = np.stack([detector_input(read_pixels(path, Size.GRID)) for path in chosen])
    try:
        detections = components.detector().detect(pixels)
    except DetectorError as error:
        raise CommandError(str(error)) from error
    objects = np.count_nonzero(detections[:, :, 0], axis=1)
    report("photos", f"like {len(chosen)} real ones, with {objects.mean():.1f} objects on average")
    return like(detections)


def _looks(photos: list[Path], report: Report) -> NDArray[np.float32] | None:
    """(n, 1280) how real photos look, which made looks resemble; None for made-up ones."""
    embedder = components.embedder() if photos else None
    if embedder is None:
        report("looks", "made up; --photos takes real ones")
        return None
    chosen = photos[:: max(1, len(photos) // MOST_LOOKS)][:MOST_LOOKS]
    try:
        found = [
            embedder.embed(
                np.stack([look_input(read_pixels(path, Size.GRID)) for path in batch])
            ).embedding
            for batch in (chosen[start : start + 32] for start in range(0, len(chosen), 32))
        ]
    except DetectorError as error:
        raise CommandError(str(error)) from error
    report("looks", f"like those of {len(chosen)} real photos")
    return np.concatenate(found)
