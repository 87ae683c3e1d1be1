"""The syntax tree of a query, as `parser` reads it and `printer` writes it.

Spans are (start, stop) in the typed text; they do not count when two trees are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Span = tuple[int, int]
NOWHERE: Span = (0, 0)
# Characters of a typed query.
MAX_QUERY_LENGTH = 500


@dataclass(frozen=True)
class Count:
    """How many, from `at_least` to `at_most` (None: or more)."""

    at_least: int
    at_most: int | None = None


@dataclass(frozen=True)
class Thing:
    """Something to be seen: "2 big dogs", "cat > 60%", "-chair"."""

    words: str
    """In lower case, one blank between words: "hot dog", "puppies"."""
    quoted: bool = False
    """Whether exactly this name is meant, and nothing like it."""
    count: Count | None = None
    size: str | None = None
    """"big" or "small"."""
    min_score: int | None = None
    """Per cent."""
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Relation:
    """One thing that lies somehow to another: "person left of car"."""

    subject: Thing
    name: str
    """"left of", "right of", "above", "below", "inside", "on", "near" or "touching"."""
    object: Thing
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Only:
    """These things and nothing else: "only cats"."""

    things: tuple[Thing, ...]
    span: Span = field(default=NOWHERE, compare=False)


Condition = Thing | Relation | Only


@dataclass(frozen=True)
class Conjunction:
    """Conditions that a photo should answer all of."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class DateFilter:
    """ "after:2024-05" or "before:2025"; a day of the calendar, or all of a month or year."""

    direction: str
    """"after" or "before"."""
    year: int
    month: int | None = None
    day: int | None = None
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class NameFilter:
    """ "name:beach": the photo's name holds this text, in upper or lower case."""

    text: str
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class TypeFilter:
    """ "type:png": a format of image files, by its usual ending."""

    ending: str
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class ShapeFilter:
    """ "wide", "tall" or "square"."""

    shape: str
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class TagFilter:
    """ "tag:beach": the photo has this tag, by a person or surely by its look."""

    name: str
    """In lower case."""
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Description:
    """ "like:"a red dress on a beach"": what the photo as a whole shows, in free words.

    It stands where filters may, and counts like a condition.
    """

    text: str
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


Filter = DateFilter | NameFilter | TypeFilter | ShapeFilter | TagFilter | Description


@dataclass(frozen=True)
class Query:
    """Alternatives, of which a photo should answer one, and filters that hold for all of them."""

    alternatives: tuple[Conjunction, ...]
    filters: tuple[Filter, ...] = ()
