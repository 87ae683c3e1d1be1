"""Queries made from queries: what the links and buttons beside a search lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gallery.query.assembly import assemble
from gallery.query.printer import print_condition
from gallery.query.syntax import Condition, Description, Filter, Only, Query, Relation, Thing
from gallery.query.typed_text import QUOTE, SAME_SIGNS, plain


def without(query: Query, part: Condition | Filter) -> Query:
    """The query without one of its conditions or filters, the one that was typed at its place."""
    return assemble(
        (
            [each for each in conjunction.conditions if not _is_part(each, part)]
            for conjunction in query.alternatives
        ),
        (each for each in query.filters if not _is_part(each, part)),
    )


def with_exact(query: Query, thing: Thing, name: str) -> Query:
    """The query with a class name, and nothing like it, in place of the words of one thing."""
    return _with(query, thing, replace(thing, words=plain(name), quoted=True))


def with_words(query: Query, thing: Thing, words: str) -> Query:
    """The query with other words for one thing, such as a correction."""
    return _with(query, thing, replace(thing, words=plain(words), quoted=False))


def described(query: Query, part: Thing | Relation) -> Query:
    """The query with a description in place of one condition, which says the same in its words."""
    text = print_condition(replace(part, negated=False)).replace(QUOTE, "")
    rest = without(query, part)
    return assemble(
        (each.conditions for each in rest.alternatives),
        (*rest.filters, Description(text, negated=part.negated)),
    )


def described_whole(query: Query, typed: str) -> Query | None:
    """The query with all that was typed as one description; filters stay filters.

    None where nothing is left to describe, or there is a description already.
    """
    if any(isinstance(each, Description) for each in query.filters):
        return None
    for start, stop in sorted((each.span for each in query.filters), reverse=True):
        typed = f"{typed[:start]} {typed[stop:]}"
    text = " ".join(typed.translate(SAME_SIGNS).replace(QUOTE, " ").split()).strip(",; ")
    return assemble((), (*query.filters, Description(text))) if text else None


def _with(query: Query, thing: Thing, other: Thing) -> Query:
    return with_each_thing(query, lambda each: other if _is_part(each, thing) else each)


def with_each_thing(query: Query, changed_thing: Callable[[Thing], Thing]) -> Query:
    """The query with all of its things changed."""

    def changed(condition: Condition) -> Condition:
        match condition:
            case Thing():
                return changed_thing(condition)
            case Relation():
                return replace(
                    condition,
                    subject=changed_thing(condition.subject),
                    object=changed_thing(condition.object),
                )
            case Only():
                return replace(condition, things=tuple(map(changed_thing, condition.things)))

    return assemble(
        (map(changed, conjunction.conditions) for conjunction in query.alternatives),
        query.filters,
    )


def _is_part(each: Condition | Filter, part: Condition | Filter) -> bool:
    return each == part and each.span == part.span
