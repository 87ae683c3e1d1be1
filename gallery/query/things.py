"""Things as they are written: "2 big dogs > 60%"."""

from __future__ import annotations

from django.utils.translation import gettext as _

from gallery.query.complaints import missing_name
from gallery.query.counts import DECIMAL, read_count
from gallery.query.cursor import Cursor
from gallery.query.errors import QuerySyntaxError
from gallery.query.syntax import Count, Thing
from gallery.query.tokens import Kind, texts
from gallery.query.words import ARTICLES, PERCENT_WORD, RESERVED_WORDS, SIZES, SURER_THAN

# A number below it, without "%", is rather a count than a percentage.
LEAST_BARE_PERCENTAGE = 10


def read_thing(cursor: Cursor, start: int, *, negated: bool = False) -> Thing:
    """Read a thing with all that is said about it; a negation before it began at `start`.

    Raises QuerySyntaxError where there is none.
    """
    first = cursor.place
    count: Count | None = None
    size: str | None = None
    while True:
        cursor.skip(ARTICLES)
        word = cursor.word
        reading = read_count(cursor.tokens, cursor.place) if word else None
        if reading is not None and count is None:
            count, cursor.place = reading
            cursor.skip({"of"})
        elif word in SIZES and size in (None, SIZES[word]):
            size = SIZES[word]
            cursor.place += 1
        else:
            break
    token = cursor.token
    words = _read_name(cursor)
    if token is None or not words:
        raise missing_name(cursor, first, count, size)
    if count is not None and count.at_most == 0:
        # "0 dogs" says "no dogs".
        if negated:
            raise QuerySyntaxError(_("Say “no” only once."), cursor.span(start))
        count, negated = None, True
    min_score = _read_min_score(cursor)
    return Thing(
        words,
        quoted=token.kind is Kind.QUOTED,
        count=count,
        size=size,
        min_score=min_score,
        negated=negated,
        span=cursor.span(start),
    )


def _read_name(cursor: Cursor) -> str:
    """Go past a name; "" where there is none."""
    token = cursor.token
    if token is None:
        return ""
    if token.kind is Kind.QUOTED:
        cursor.place += 1
        return token.text
    length = cursor.name_length
    if length:
        cursor.place += length
        return " ".join(texts(cursor.tokens, cursor.place - length, length))
    word = cursor.word
    if (
        word in RESERVED_WORDS
        or word == ""
        or DECIMAL.fullmatch(word)
        or cursor.relation is not None
        or read_count(cursor.tokens, cursor.place) is not None
    ):
        return ""
    cursor.place += 1
    return word


def _read_min_score(cursor: Cursor) -> int | None:
    """Go past "> 60%" or "over 60%"; None where there is none."""
    start = cursor.place
    if cursor.kind is Kind.UNSURER:
        cursor.place += 1
        raise QuerySyntaxError(
            _("Only a lowest certainty can be asked for, like: cat > 60%"), cursor.span(start)
        )
    if cursor.kind is Kind.SURER:
        cursor.place += 1
    else:
        phrase = next((each for each in SURER_THAN if _has_percentage(cursor, each)), None)
        if phrase is None:
            return None
        cursor.place += len(phrase)
    number = _read_percentage(cursor, start)
    if cursor.kind in (Kind.SURER, Kind.UNSURER):
        cursor.place += 1
        raise QuerySyntaxError(_("Say only once how sure, like: cat > 60%"), cursor.span(start))
    return number


def _has_percentage(cursor: Cursor, phrase: tuple[str, ...]) -> bool:
    if not cursor.has_words(phrase):
        return False
    number, sign = cursor.place + len(phrase), cursor.place + len(phrase) + 1
    return (
        number < len(cursor.tokens)
        and cursor.tokens[number].text[:1].isdecimal()
        and _is_percent(cursor, sign)
    )


def _is_percent(cursor: Cursor, place: int) -> bool:
    if place >= len(cursor.tokens):
        return False
    token = cursor.tokens[place]
    return token.kind is Kind.PERCENT or texts(cursor.tokens, place, 1) == (PERCENT_WORD,)


def _read_percentage(cursor: Cursor, start: int) -> int:
    token = cursor.token
    number = None if token is None else token.number
    if token is not None and token.kind is Kind.WORD:
        cursor.place += 1
    has_sign = _is_percent(cursor, cursor.place)
    cursor.place += has_sign
    span = cursor.span(start)
    if number is None:
        raise QuerySyntaxError(
            _("Say how sure in whole per cent from 0 to 100, like: cat > 60%"), span
        )
    if number > 100:
        raise QuerySyntaxError(_("Nothing is more sure than 100%."), span)
    if number < LEAST_BARE_PERCENTAGE and not has_sign:
        raise QuerySyntaxError(
            _(
                "Write “> %(number)s%%” for how sure it should be, or “%(more)s+” before the thing "
                "for how many."
            )
            % {"number": number, "more": number + 1},
            span,
        )
    return number
