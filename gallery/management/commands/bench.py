"""`manage.py bench`: figures with the machine named, beside a public peer in the same run."""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from gallery.benchmarks.machine import machine
from gallery.benchmarks.store import bench_store


class Command(BaseCommand):
    help = "Measure the gallery on this machine; the figures are for comparison, not a test."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["store"])
        parser.add_argument("--photos", type=Path, required=True, help="a folder of JPEGs")
        parser.add_argument("--images", type=int, default=30_000, metavar="N")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        photos = sorted(options["photos"].rglob("*.jpg"))
        if not photos:
            raise CommandError(f"There is no JPEG in {options['photos']}.")
        figures = {"machine": machine()}
        if not options["json"]:
            self.stdout.write(f"machine: {figures['machine']}")

        def report(name: str, value: str) -> None:
            figures[name] = value
            if not options["json"]:
                self.stdout.write(f"{name}: {value}")
                self.stdout.flush()

        with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder:
            bench_store(photos, options["images"], Path(folder), report)
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
