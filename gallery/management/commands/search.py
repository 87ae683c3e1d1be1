"""`manage.py search`: the search of the pages, on the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from django.core.management import BaseCommand, CommandError

from detector import DetectorError
from gallery.answers import search_results
from gallery.catalogue import prepare_catalogue
from gallery.errors import Refused
from gallery.example_photo import ExamplePhoto
from gallery.hits import DEFAULT_LIMIT, Answer
from gallery.layouts import parse_layout, parse_part
from gallery.look_search import WAYS, Likeness, search_alike
from gallery.scoring import OBJECTS, SCORES
from gallery.search import search_layout, search_text
from gallery.text_query import Reading


class Command(BaseCommand):
    help = "Find photos by words, by a photo or by a layout; best first, with the reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.error = _refusing(parser)  # type: ignore[method-assign, assignment]  # argparse has no hook.
        parser.add_argument("text", nargs="*", help="the words, best in quotes")
        parser.add_argument("--photo", type=Path, metavar="FILE")
        parser.add_argument(
            "--layout",
            metavar="JSON",
            help='objects in 0..1 of the sides: [{"object": "dog", "box": [x1, y1, x2, y2]}]',
        )
        parser.add_argument(
            "--part",
            metavar="BOX",
            help="with --photo: only this part of it, as xmin,ymin,xmax,ymax in 0..1",
        )
        parser.add_argument(
            "--by",
            choices=WAYS,
            help="with --photo: what is to be alike, the layout, the look or both; layout without",
        )
        parser.add_argument(
            "--look-weight",
            type=float,
            metavar="W",
            help="with --photo: how much the look counts, from 0 (layout) to 1 (look)",
        )
        parser.add_argument(
            "--only", default="", metavar="WORDS", help="with --photo: only photos that answer them"
        )
        parser.add_argument(
            "--mirror", action="store_true", help="left and right may be exchanged in a layout"
        )
        parser.add_argument("--weak", action="store_true", help="show weaker matches as well")
        parser.add_argument(
            "--company",
            action="store_true",
            help="show, last of all, photos of what is often seen with what is asked for",
        )
        parser.add_argument(
            "--score",
            default=OBJECTS,
            choices=SCORES,
            help="the original score compares words as a whole: it knows no counts, places and "
            "negation",
        )
        parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, metavar="K")
        parser.add_argument("--json", action="store_true", help="Print the answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        # Without quotes, a shell hands over each word by itself.
        options["text"] = " ".join(options["text"]) if options["text"] else None
        given = [name for name in ("text", "photo", "layout") if options[name] is not None]
        if len(given) != 1:
            raise CommandError("Give words, --photo FILE or --layout JSON: one of them.")
        if options["part"] is not None and options["photo"] is None:
            raise CommandError("--part says which part of a photo: give --photo FILE with it.")
        if options["mirror"] and options["text"] is not None:
            raise CommandError("--mirror is for --photo and --layout; words know no sides.")
        of_photos = (options["by"], options["look_weight"], options["only"] or None)
        if options["photo"] is None and of_photos != (None, None, None):
            raise CommandError("--by, --look-weight and --only are for --photo FILE.")
        prepare_catalogue()
        try:
            answer = _search(**options)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        except DetectorError as error:
            raise CommandError(f"The detector failed: {error.brief}.") from error
        except FileNotFoundError as error:
            missing = error.filename and f"There is no file {error.filename}."
            raise CommandError(missing or str(error)) from error
        except OSError as error:
            raise CommandError(_unreadable(error)) from error
        if options["json"]:
            self.stdout.write(search_results(answer).model_dump_json())
        else:
            self._print(answer)

    def _print(self, answer: Answer) -> None:
        for reading in answer.text.readings if answer.text else []:
            if reading.meaning is None or not reading.meaning.is_named:
                self.stdout.write(_sentence(reading))
        if answer.read_as_description:
            self.stdout.write("No word means an object; all were compared with whole pictures.")
        if answer.undescribed:
            self.stdout.write(f"{answer.undescribed:,} photos were not yet looked at as a whole.")
        for hit in answer.hits:
            reasons = "; ".join(reason.sentence for reason in hit.why)
            self.stdout.write(f"{hit.score:6.1%}  {hit.image.pk:>6}  {hit.image.name}  {reasons}")
        photos = "photo" if answer.total == 1 else "photos"
        matches = "match" if answer.hidden == 1 else "matches"
        if answer.without_look:
            looks = "look is" if answer.without_look == 1 else "looks are"
            self.stdout.write(f"{answer.without_look} {looks} still to be made.")
        self.stdout.write(
            f"{answer.total} {photos}, {answer.hidden} weaker {matches} not shown, "
            f"{answer.took_ms:.1f} ms"
        )


def _refusing(parser: ArgumentParser) -> Callable[[str], NoReturn]:
    """A sentence in place of the usage text that argparse has for words without quotes."""

    def refuse(message: str) -> NoReturn:
        sentence = f"{message[:1].upper()}{message[1:]}."
        if "unrecognized" in message or "expected" in message:
            sentence += (
                ' Put what you search for in quotes, like: search "dog -chair"; where it begins '
                'with "-", put "--" before it, like: search -- "-chair".'
            )
        if getattr(parser, "called_from_command_line", False):
            parser.exit(2, f"{sentence}\n")
        raise CommandError(sentence)

    return refuse


def _search(
    *,
    text: str | None,
    photo: Path | None,
    layout: str | None,
    part: str | None,
    mirror: bool,
    weak: bool,
    company: bool,
    score: str,
    limit: int,
    by: str | None,
    look_weight: float | None,
    only: str,
    **_: Any,
) -> Answer:
    if text is not None:
        return search_text(text, score_name=score, limit=limit, weak=weak, company=company)
    if photo is not None:
        likeness, box = Likeness.of(by, look_weight), parse_part(part) if part else None
        example = ExamplePhoto.of_file(photo)
        return search_alike(
            example.layout(box),
            partial(example.look, box),
            likeness,
            query=photo.name,
            only=only,
            mirror=mirror,
            score_name=score,
            limit=limit,
            weak=weak,
        )
    return search_layout(
        parse_layout(layout or ""),
        query="layout",
        mirror=mirror,
        score_name=score,
        limit=limit,
        weak=weak,
    )


def _unreadable(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a directory, not a photo."
    if error.filename:
        return f"{error.filename} cannot be read: {error.strerror}."
    return str(error)


def _sentence(reading: Reading) -> str:
    """How a word was read."""
    word, meaning = reading.words, reading.meaning
    if meaning is None and reading.tag is not None:
        return f"“{word}” was read as the tag “{reading.tag}”."
    if meaning is None:
        why = "is close to no object" if reading.is_known else "is not known"
        instead = " or ".join(f"“{correction}”" for correction, _ in reading.corrections)
        return f"“{word}” {why}." + (f" Did you mean {instead}?" if instead else "")
    known = meaning.look_names + meaning.class_names if meaning.is_look else meaning.class_names
    names = ", ".join(known[:3])
    more = len(known) - 3
    others = f" and {more} more" if more > 0 else ""
    if meaning.is_look:
        return (
            f"“{word}” was read as {names}{others}, seen in the whole photo. {reading.note}".strip()
        )
    return f"“{word}” was read as {names}{others} ({meaning.similarity:.2f})."
