"""Queries with the names that another language has for object classes."""

from __future__ import annotations

from dataclasses import replace

from gallery.object_names import class_called
from gallery.query.changes import with_each_thing
from gallery.query.syntax import Query, Thing


def is_called(name: str) -> bool:
    """Whether several words are what the reader calls a class: "verre à vin"."""
    return class_called(name) is not None


def in_query_language(query: Query) -> Query:
    """The query with the English names, which everybody can read; itself where it has no others."""
    translated = with_each_thing(query, _in_english)
    return query if translated == query else translated


def _in_english(thing: Thing) -> Thing:
    return replace(thing, words=class_called(thing.words) or thing.words)
