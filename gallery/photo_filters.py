"""The filters of a query as conditions on the catalogue: date, name, tag, type and shape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import GreaterThanOrEqual

from gallery.query.syntax import (
    DateFilter,
    Description,
    Filter,
    NameFilter,
    ShapeFilter,
    TagFilter,
    TypeFilter,
)
from gallery.tags.models import PhotoTag
from gallery.tags.names import keys_of
from gallery.timeline import start_of

# Sides that differ by less than a tenth make a photo square. Whole numbers are compared, which
# knows no rounding.
LONG_SIDE, SHORT_SIDE = 11, 10
# Moments close to these have no counterpart in some time zone, and databases keep none.
FIRST_DAY, LAST_DAY = date(1, 1, 3), date(9999, 12, 29)
# Operating systems put blanks of several kinds into the names of photos.
ANY_BLANK = r"[\s\u00a0\u202f]"

# By the endings that the language writes; see `query.words.ENDINGS`.
MEDIA_TYPE_BY_ENDING: Mapping[str, str] = MappingProxyType(
    {
        "avif": "image/avif",
        "bmp": "image/bmp",
        "gif": "image/gif",
        "heic": "image/heic",
        "jpg": "image/jpeg",
        "png": "image/png",
        "tiff": "image/tiff",
        "webp": "image/webp",
    }
)


def catalogue_condition(filters: Iterable[Filter]) -> Q:
    """All filters together; of an empty query none, which every photo answers."""
    together = Q()
    for item in filters:
        if isinstance(item, Description):
            # Nothing of the catalogue.
            continue
        condition = _condition(item)
        together &= ~condition if item.negated else condition
    return together


def _condition(item: Filter) -> Q:
    match item:
        case DateFilter():
            start = _start(item)
            return (
                Q(uploaded_at__gte=start) if item.direction == "after" else Q(uploaded_at__lt=start)
            )
        case NameFilter():
            return _name(item.text)
        case TagFilter(name=name):
            shown = PhotoTag.objects.shown().named(keys_of(name)).filter(is_refused=False)
            return Q(Exists(shown.filter(image=OuterRef("pk"))))
        case TypeFilter():
            return Q(media_type=MEDIA_TYPE_BY_ENDING[item.ending])
        case ShapeFilter():
            return _shape(item.shape)
        case Description():
            return Q()


def _start(item: DateFilter) -> datetime:
    """The first moment of the named day, month or year, in the gallery's time zone."""
    day = date(item.year, item.month or 1, item.day or 1)
    day = min(max(day, FIRST_DAY), LAST_DAY)
    return start_of(day)


def _name(text: str) -> Q:
    """Names that hold a text, whatever their letters' case and however accents are composed."""
    if text.isascii() and not any(character.isspace() for character in text):
        return Q(name__icontains=text)
    # SQLite's LIKE knows upper and lower case of A to Z only; its regular expressions are Python's.
    pattern = "".join(map(_pattern, unicodedata.normalize("NFC", text)))
    return Q(name__iregex=pattern)


def _pattern(character: str) -> str:
    """A regular expression for one character, as PostgreSQL and Python read it."""
    if character.isspace():
        return ANY_BLANK
    forms = {character, unicodedata.normalize("NFD", character)}
    # Not every database knows the case of every letter.
    forms |= {form for each in tuple(forms) for form in (each.lower(), each.upper())}
    return f"(?:{'|'.join(map(re.escape, sorted(forms)))})"


def _shape(shape: str) -> Q:
    wide = Q(GreaterThanOrEqual(F("width") * SHORT_SIDE, F("height") * LONG_SIDE))
    tall = Q(GreaterThanOrEqual(F("height") * SHORT_SIDE, F("width") * LONG_SIDE))
    return {"wide": wide, "tall": tall, "square": ~wide & ~tall}[shape]
