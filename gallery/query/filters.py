"""Filters that are written as key and value: "after:2024-05", "name:beach", "tag:beach"."""

from __future__ import annotations

import datetime
import re

from django.utils.translation import gettext as _

from gallery.query.errors import QuerySyntaxError
from gallery.query.syntax import (
    DateFilter,
    Description,
    Filter,
    NameFilter,
    Span,
    TagFilter,
    TypeFilter,
)
from gallery.query.words import ENDINGS

LIKE = "like"
KEYS = ("after", "before", LIKE, "name", "tag", "type")
EXAMPLES = {
    "after": "after:2024-05",
    "before": "before:2025",
    LIKE: 'like:"a red dress on a beach"',
    "name": "name:beach",
    "tag": "tag:beach",
    "type": "type:png",
}
DATE = re.compile(r"([0-9]{4})(?:[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?)?")


def check_key(key: str, span: Span) -> None:
    """Raises QuerySyntaxError for a key that the language does not have."""
    if key not in KEYS:
        raise QuerySyntaxError(
            _(
                "There is no filter “%(key)s:”. The filters are after:, before:, like:, name:, "
                "tag: and type:. To search for words with a colon, put them in quotes."
            )
            % {"key": key},
            span,
        )


def read_filter(key: str, value: str, span: Span) -> Filter:
    """A filter of a key that there is. Raises QuerySyntaxError for a value that makes no sense."""
    if not value:
        raise QuerySyntaxError(
            _("“%(key)s:” needs something right after it, like: %(example)s")
            % {"key": key, "example": EXAMPLES[key]},
            span,
        )
    if key == LIKE:
        return Description(" ".join(value.split()), span=span)
    if key == "name":
        return NameFilter(value, span=span)
    if key == "tag":
        return TagFilter(value, span=span)
    if key == "type":
        ending = ENDINGS.get(value.lower().removeprefix("."))
        if ending is None:
            raise QuerySyntaxError(
                _("There is no type “%(value)s”. The types are %(types)s.")
                % {"value": value, "types": ", ".join(sorted(set(ENDINGS.values())))},
                span,
            )
        return TypeFilter(ending, span=span)
    return _date_filter(key, value, span)


def _date_filter(direction: str, value: str, span: Span) -> DateFilter:
    match = DATE.fullmatch(value)
    if match is None:
        raise QuerySyntaxError(
            _("“%(key)s:” needs a date like 2024, 2024-05 or 2024-05-17, not “%(value)s”.")
            % {"key": direction, "value": value},
            span,
        )
    year, month, day = (None if part is None else int(part) for part in match.groups())
    assert year is not None
    try:
        datetime.date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        raise QuerySyntaxError(
            _("There is no such date as %(value)s.") % {"value": value}, span
        ) from None
    return DateFilter(direction, year, month, day, span=span)
