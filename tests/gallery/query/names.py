"""What the parser is told about names of several words: those of the detector's classes."""

from __future__ import annotations

from detector.labels import CLASS_NAMES
from gallery.query.parser import parse_query
from gallery.query.syntax import Query

NAMES = frozenset(CLASS_NAMES) | {f"{name}s" for name in CLASS_NAMES}


def parsed(text: str) -> Query:
    return parse_query(text, NAMES.__contains__)
