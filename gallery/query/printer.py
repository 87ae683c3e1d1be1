"""A query as text again: what `parse_query` reads as the same query."""

from __future__ import annotations

import re

from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Condition,
    Conjunction,
    Count,
    DateFilter,
    Description,
    Filter,
    NameFilter,
    Only,
    Query,
    Relation,
    ShapeFilter,
    TagFilter,
    Thing,
    TypeFilter,
)

# A photo's name that needs no quotes.
SIMPLE_NAME = re.compile(r"[\w.-]+")


def print_query(query: Query) -> str:
    """The query in its canonical form: alternatives with commas, then the filters."""
    text = _print_all(query, " and ")
    # A long list of things is kept as short as it may have been typed.
    return text if len(text) <= MAX_QUERY_LENGTH else _print_all(query, "&")


def _print_all(query: Query, joint: str) -> str:
    alternatives = ", ".join(_print_conjunction(each, joint) for each in query.alternatives)
    return " ".join(filter(None, [alternatives, *map(print_filter, query.filters)]))


def print_condition(condition: Condition) -> str:
    """One condition by itself."""
    return _print_conjunction(Conjunction((condition,)), " and ")


def print_filter(condition: Filter) -> str:
    """One filter by itself."""
    sign = "-" if condition.negated else ""
    match condition:
        case DateFilter(direction=direction):
            return f"{sign}{direction}:{_print_date(condition)}"
        case NameFilter(text=text):
            return f"{sign}name:{text if SIMPLE_NAME.fullmatch(text) else _quoted(text)}"
        case TagFilter(name=name):
            return f"{sign}tag:{name if SIMPLE_NAME.fullmatch(name) else _quoted(name)}"
        case Description(text=text):
            return f"{sign}like:{_quoted(text)}"
        case TypeFilter(ending=ending):
            return f"{sign}type:{ending}"
        case ShapeFilter(shape=shape):
            return f"{sign}{shape}"


def _print_conjunction(conjunction: Conjunction, joint: str) -> str:
    parts: list[str] = []
    before: Condition | None = None
    for condition in conjunction.conditions:
        if isinstance(condition, Relation) and _continues(before, condition):
            parts.append(f" {condition.name} {_print_thing(condition.object)}")
        elif isinstance(condition, Thing) and condition.negated and condition.count is None:
            parts.append(f" {_print_thing(condition)}")
        else:
            parts.append(joint + _print_condition(condition, joint))
        before = condition
    return "".join(parts).removeprefix(joint).removeprefix(" ")


def _continues(before: Condition | None, relation: Relation) -> bool:
    """Whether a relation is about the thing that the one before it ended with."""
    return (
        isinstance(before, Relation)
        and before.object == relation.subject
        and not before.negated
        and not relation.negated
    )


def _print_condition(condition: Condition, joint: str) -> str:
    match condition:
        case Thing():
            return _print_thing(condition)
        case Only(things=things):
            return f"only {joint.join(map(_print_thing, things))}"
        case Relation(subject=subject, name=name, object=object):
            negation = "" if not condition.negated else "not " if subject.count else "no "
            return f"{negation}{_print_thing(subject)} {name} {_print_thing(object)}"


def _print_thing(thing: Thing) -> str:
    parts = [
        _print_count(thing.count),
        thing.size or "",
        _quoted(thing.words) if thing.quoted else thing.words,
        "" if thing.min_score is None else f"> {thing.min_score}%",
    ]
    negation = "" if not thing.negated else "-" if thing.count is None else "not "
    return negation + " ".join(filter(None, parts))


def _print_count(count: Count | None) -> str:
    if count is None:
        return ""
    if count.at_most is None:
        return f"{count.at_least}+"
    if count.at_least == count.at_most:
        return f"{count.at_least}"
    if count.at_least == 0:
        return f"at most {count.at_most}"
    return f"{count.at_least}-{count.at_most}"


def _print_date(date: DateFilter) -> str:
    month = "" if date.month is None else f"-{date.month:02}"
    return f"{date.year:04}{month}" + ("" if date.day is None else f"-{date.day:02}")


def _quoted(text: str) -> str:
    return f'"{text}"'
