"""Queries in their one normal form, however their parts came together."""

from __future__ import annotations

from collections.abc import Iterable

from gallery.query.syntax import Condition, Conjunction, Filter, Only, Query


def assemble(alternatives: Iterable[Iterable[Condition]], filters: Iterable[Filter]) -> Query:
    """A query that says nothing twice; alternatives that ask for nothing are left out."""
    conjunctions = [_conjunction(conditions) for conditions in alternatives]
    return Query(
        tuple(dict.fromkeys(each for each in conjunctions if each.conditions)),
        tuple(dict.fromkeys(filters)),
    )


def _conjunction(conditions: Iterable[Condition]) -> Conjunction:
    """What photos should show; all that may be there besides comes last, as one condition."""
    distinct = tuple(dict.fromkeys(conditions))
    shown = tuple(each for each in distinct if not isinstance(each, Only))
    onlys = [each for each in distinct if isinstance(each, Only)]
    if not onlys:
        return Conjunction(shown)
    things = tuple(dict.fromkeys(thing for only in onlys for thing in only.things))
    span = (min(only.span[0] for only in onlys), max(only.span[1] for only in onlys))
    return Conjunction((*shown, Only(things, span=span)))
