"""`manage.py doctor`: what is wrong with the gallery, and what to do."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand

from gallery.doctor import EXAMINATIONS, Diagnosis, Verdict, examine

MARKS = {Verdict.GOOD: "ok  ", Verdict.NOTE: "note", Verdict.BAD: "BAD "}


class Command(BaseCommand):
    help = "Say in plain words what is wrong and what to do; exit 1 where something is."
    # A broken setting or database is what it looks for.
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", nargs="+", choices=[*EXAMINATIONS], metavar="NAME", help="Look at these only."
        )
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, only: list[str] | None, **options: Any) -> None:
        found = []
        for diagnosis in examine(set(only) if only else None):
            found.append(diagnosis)
            if not options["json"]:
                self._print(diagnosis)
        bad = [diagnosis for diagnosis in found if diagnosis.verdict == Verdict.BAD]
        if options["json"]:
            findings = [asdict(diagnosis) for diagnosis in found]
            self.stdout.write(json.dumps({"well": not bad, "findings": findings}))
        elif bad:
            self.stdout.write(f"\nSomething is wrong: {', '.join(_names(bad))}.")
        else:
            self.stdout.write("\nThe gallery is well.")
        if bad:
            sys.exit(1)

    def _print(self, diagnosis: Diagnosis) -> None:
        mark = MARKS[diagnosis.verdict]
        self.stdout.write(f"{mark}  {diagnosis.name:<9} {diagnosis.finding}")
        if diagnosis.advice:
            self.stdout.write(f"{'':<16}→ {diagnosis.advice}")


def _names(found: list[Diagnosis]) -> list[str]:
    return list(dict.fromkeys(diagnosis.name for diagnosis in found))
