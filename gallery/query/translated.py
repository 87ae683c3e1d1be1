"""Queries with the names that another language has for objects and looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gallery.look_names import look_called
from gallery.object_names import class_called
from gallery.query.changes import with_each_thing
from gallery.query.syntax import Query, Thing


def is_called(name: str) -> bool:
    """Whether several words are what the reader calls an object or a look: "verre à vin"."""
    return in_english(name) is not None


def in_query_language(query: Query, stays: Callable[[Thing], bool]) -> Query:
    """The query with the English names, which everybody can read; itself where it has no others.

    Args:
        stays: whether a thing is left as it was typed, such as one that names a tag.
    """

    def translated(thing: Thing) -> Thing:
        words = None if stays(thing) else in_english(thing.words)
        return thing if words is None else replace(thing, words=words)

    found = with_each_thing(query, translated)
    return query if found == query else found


def in_english(name: str) -> str | None:
    """What the query language has for a name of the reader; objects come before looks."""
    return class_called(name) or look_called(name)
