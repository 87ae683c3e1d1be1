"""How many: "2", "3+", "2-4", "at least 3", "two or more", "several"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from gallery.query.errors import QuerySyntaxError
from gallery.query.syntax import Count, Span
from gallery.query.tokens import Kind, Token, texts
from gallery.query.words import AMOUNTS, AND_WORD, BOUNDS, MAX_BOUND_WORDS, OPEN_ENDS, OR_WORD

MAX_COUNT = 99
# Numbers that rather mean a year.
YEARS = range(1900, 2100)
RANGE = re.compile(r"(\d+)-(\d+)")
DECIMAL = re.compile(r"\d+\.\d+(?:\.\d+)*")


def read_count(tokens: Sequence[Token], place: int) -> tuple[Count, int] | None:
    """The count that begins at a place and the place behind it; None where there is none.

    Raises QuerySyntaxError for a count that makes no sense, like "5-2" or "at least dogs".
    """
    reading = _bounded(tokens, place) or _range(tokens, place) or _single(tokens, place)
    if reading is None:
        return None
    fewest, most, stop = reading
    _check(fewest, most, (tokens[place].span[0], tokens[stop - 1].span[1]))
    return Count(fewest, most), stop


_Reading = tuple[int, int | None, int]


def _bounded(tokens: Sequence[Token], place: int) -> _Reading | None:
    """ "at least 3", "fewer than 3" """
    for length in range(MAX_BOUND_WORDS, 0, -1):
        words = texts(tokens, place, length)
        if words not in BOUNDS:
            continue
        number = _number(tokens, place + length)
        if number is None:
            phrase = " ".join(words)
            raise QuerySyntaxError(
                _("“%(said)s” needs a number after it, like: %(said)s 3 dogs") % {"said": phrase},
                (tokens[place].span[0], tokens[place + length - 1].span[1]),
            )
        return *_moved(number, BOUNDS[words]), place + length + 1
    return None


def _range(tokens: Sequence[Token], place: int) -> _Reading | None:
    """ "2-4", "2 - 4", "2 to 4", "2 or 3", "between 2 and 4", "2 or more" """
    first = texts(tokens, place, 1)
    if first and (match := RANGE.fullmatch(first[0])):
        return int(match[1]), int(match[2]), place + 1
    start = place + 1 if first == ("between",) else place
    fewest = _number(tokens, start)
    if fewest is None or start + 1 >= len(tokens):
        return None
    most = _number(tokens, start + 2)
    between = tokens[start + 1]
    if between.text == OR_WORD:
        after = texts(tokens, start + 2, 1)
        if after and after[0] in OPEN_ENDS:
            return *_moved(fewest, OPEN_ENDS[after[0]]), start + 3
        return (fewest, most, start + 3) if most == fewest + 1 else None
    joins = between.text == AND_WORD if start > place else between.text == "to"
    if most is not None and (joins or between.kind is Kind.DASH):
        return fewest, most, start + 3
    return None


def _single(tokens: Sequence[Token], place: int) -> _Reading | None:
    """ "2", "3+", "several" """
    words = texts(tokens, place, 1)
    if words and words[0] in AMOUNTS:
        return AMOUNTS[words[0]], None, place + 1
    number = _number(tokens, place)
    if number is None:
        return None
    if place + 1 < len(tokens) and tokens[place + 1].kind is Kind.PLUS:
        return number, None, place + 2
    return number, number, place + 1


def _moved(number: int, bounds: tuple[int | None, int | None]) -> tuple[int, int | None]:
    fewest, most = bounds
    return 0 if fewest is None else number + fewest, None if most is None else number + most


def _number(tokens: Sequence[Token], place: int) -> int | None:
    if place >= len(tokens):
        return None
    if tokens[place].kind is Kind.WORD and DECIMAL.fullmatch(tokens[place].text):
        raise QuerySyntaxError(_("Things are counted in whole numbers."), tokens[place].span)
    return tokens[place].number


def _check(fewest: int, most: int | None, span: Span) -> None:
    if most is not None and most < 0:
        raise QuerySyntaxError(_("There cannot be fewer than 0 of a thing."), span)
    if most is not None and most < fewest:
        raise QuerySyntaxError(
            _("A range goes from the smaller number to the larger one, like: %(range)s")
            % {"range": f"{most}-{fewest}"},
            span,
        )
    if most is None and fewest == 0:
        raise QuerySyntaxError(
            _("Every photo has 0 or more of everything. Ask for 1 or more, like: 1+ dogs"), span
        )
    number = fewest if most is None else most
    if number > MAX_COUNT:
        sentence = _("Things can be counted up to %(most)s.") % {"most": MAX_COUNT}
        if number in YEARS:
            year = f"after:{number} before:{number + 1}"
            sentence += " " + _("For a year, write: %(filters)s") % {"filters": year}
        raise QuerySyntaxError(sentence, span)
