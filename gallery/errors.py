"""What the gallery refuses; each error's text is a sentence for the person who asked.

Refused                     answered with a 4xx and its sentence
├── PhotoRefused (ValueError) an upload that is not a photo the gallery can keep
└── QueryRefused (ValueError) a search that cannot be understood
"""

from __future__ import annotations


class Refused(Exception):
    """Base of all refusals."""


class PhotoRefused(Refused, ValueError):
    """An upload that is not a photo the gallery can keep."""


class QueryRefused(Refused, ValueError):
    """A search that cannot be understood."""
