"""Queries with the names that another language has for objects and looks."""

from __future__ import annotations

from dataclasses import replace

from gallery.look_names import look_called
from gallery.object_names import class_called
from gallery.query.changes import with_each_thing
from gallery.query.syntax import Query, Thing


def is_called(name: str) -> bool:
    """Whether several words are what the reader calls an object or a look: "verre à vin"."""
    return _english(name) is not None


def in_query_language(query: Query) -> Query:
    """The query with the English names, which everybody can read; itself where it has no others."""
    translated = with_each_thing(query, _in_english)
    return query if translated == query else translated


def _in_english(thing: Thing) -> Thing:
    return replace(thing, words=_english(thing.words) or thing.words)


def _english(name: str) -> str | None:
    """What the query language has for a name of the reader; objects come before looks."""
    return class_called(name) or look_called(name)
