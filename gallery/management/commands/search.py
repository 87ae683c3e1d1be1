"""`manage.py search`: the search of the pages, on the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import BaseCommand, CommandError

from detector import DetectorError
from gallery.api import search_results
from gallery.catalogue import prepare_catalogue
from gallery.errors import Refused
from gallery.layouts import parse_layout
from gallery.photo_queries import layout_of_photo
from gallery.scoring import OBJECTS, SCORES
from gallery.search import DEFAULT_LIMIT, Answer, search_layout, search_text


class Command(BaseCommand):
    help = "Find photos by words, by a photo or by a layout; best first, with the reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", nargs="?")
        parser.add_argument("--photo", type=Path, metavar="FILE")
        parser.add_argument(
            "--layout",
            metavar="JSON",
            help='objects in 0..1 of the sides: [{"object": "dog", "box": [x1, y1, x2, y2]}]',
        )
        parser.add_argument("--score", default=OBJECTS, choices=SCORES)
        parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, metavar="K")
        parser.add_argument("--json", action="store_true", help="Print the answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        given = [name for name in ("text", "photo", "layout") if options[name] is not None]
        if len(given) != 1:
            raise CommandError("Give words, --photo FILE or --layout JSON: one of them.")
        prepare_catalogue()
        try:
            answer = _search(**options)
        except (Refused, DetectorError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(search_results(answer).model_dump_json())
        else:
            self._print(answer)

    def _print(self, answer: Answer) -> None:
        for word in answer.unknown_words:
            self.stdout.write(f"The gallery does not know the word “{word}”.")
        for hit in answer.hits:
            reasons = "; ".join(reason.sentence for reason in hit.why)
            self.stdout.write(f"{hit.score:6.1%}  {hit.image.pk:>6}  {hit.image.name}  {reasons}")
        self.stdout.write(
            f"{answer.total} photos, {answer.hidden} weaker matches not shown, "
            f"{answer.took_ms:.1f} ms"
        )


def _search(
    *, text: str | None, photo: Path | None, layout: str | None, score: str, limit: int, **_: Any
) -> Answer:
    if text is not None:
        return search_text(text, score_name=score, limit=limit)
    objects: np.ndarray[Any, np.dtype[np.float32]]
    if photo is not None:
        objects, name = layout_of_photo(photo), photo.name
    else:
        objects, name = parse_layout(layout or ""), "layout"
    return search_layout(objects, query=name, score_name=score, limit=limit)
