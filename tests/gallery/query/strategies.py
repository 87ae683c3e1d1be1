"""Queries and texts of queries, as Hypothesis makes them up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from gallery.query.assembly import assemble
from gallery.query.counts import MAX_COUNT
from gallery.query.filters import KEYS
from gallery.query.printer import print_query
from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Condition,
    Count,
    DateFilter,
    Description,
    Filter,
    NameFilter,
    Only,
    Query,
    Relation,
    ShapeFilter,
    Thing,
    TypeFilter,
)
from gallery.query.words import (
    AMOUNTS,
    BOUNDS,
    ENDINGS,
    JOINING_WORDS,
    NEGATIONS,
    NUMBERS,
    RELATION_PHRASES,
    RESERVED_WORDS,
    SHAPES,
    SIZES,
)

LETTERS = "abcdefghijklmnopqrstuvwxyzäßéжяनकת狗"
FREE_WORDS = st.one_of(
    st.sampled_from(["dog", "cats", "t-shirt", "o'clock", "left", "top", "more", "least", "2x"]),
    st.text(LETTERS, min_size=1, max_size=8).filter(lambda word: word not in RESERVED_WORDS),
    st.sampled_from(["🐕", "€"]),
)
NAMES_OF_SEVERAL_WORDS = st.sampled_from(["hot dog", "stop signs", "dining tables", "teddy bear"])
QUOTED_WORDS = st.one_of(
    NAMES_OF_SEVERAL_WORDS,
    st.lists(FREE_WORDS | st.sampled_from(sorted(RESERVED_WORDS)), min_size=1, max_size=3).map(
        " ".join
    ),
    st.sampled_from(["dog, cat", "name:x", "-dog", "(dog)", "3+", "> 60%"]),
)
COUNTS = st.one_of(
    st.builds(Count, st.integers(1, MAX_COUNT)),
    st.tuples(st.integers(0, MAX_COUNT), st.integers(1, MAX_COUNT)).map(
        lambda bounds: Count(min(bounds), max(bounds))
    ),
)
RELATIONS = sorted({name for name in RELATION_PHRASES.values() if isinstance(name, str)})


@st.composite
def things(draw: st.DrawFn, *, may_be_negated: bool = True) -> Thing:
    quoted = draw(st.booleans())
    return Thing(
        draw(QUOTED_WORDS if quoted else FREE_WORDS | NAMES_OF_SEVERAL_WORDS),
        quoted=quoted,
        count=draw(st.none() | COUNTS),
        size=draw(st.sampled_from([None, "big", "small"])),
        min_score=draw(st.none() | st.integers(0, 100)),
        negated=may_be_negated and draw(st.booleans()),
    )


SHOWN_THINGS = things(may_be_negated=False)
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    things(),
    st.builds(
        Relation, SHOWN_THINGS, st.sampled_from(RELATIONS), SHOWN_THINGS, negated=st.booleans()
    ),
    st.builds(Only, st.lists(SHOWN_THINGS, min_size=1, max_size=3).map(tuple)),
)


@st.composite
def chains(draw: st.DrawFn) -> list[Condition]:
    """Relations of which each goes on with the thing that the last one ended with."""
    links: Sequence[Thing] = draw(st.lists(SHOWN_THINGS, min_size=2, max_size=4))
    return [
        Relation(subject, draw(st.sampled_from(RELATIONS)), thing)
        for subject, thing in pairwise(links)
    ]


ALTERNATIVES = st.lists(CONDITIONS.map(lambda each: [each]) | chains(), max_size=3).map(
    lambda parts: [condition for part in parts for condition in part]
)
DATES = st.dates().flatmap(
    lambda day: st.sampled_from(
        [(day.year, None, None), (day.year, day.month, None), (day.year, day.month, day.day)]
    )
)
FILE_NAMES = st.one_of(
    st.sampled_from(["beach", "IMG_1234.jpg", "summer party", "a, b", "mum’s – 3:4", "(x)", "-"]),
    st.text(LETTERS + "AB_-.,:;()' ", min_size=1, max_size=12).map(str.strip).filter(bool),
)
FILTERS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(
        lambda direction, date, negated: DateFilter(direction, date[0], date[1], date[2], negated),
        st.sampled_from(["after", "before"]),
        DATES,
        st.booleans(),
    ),
    st.builds(NameFilter, FILE_NAMES, st.booleans()),
    st.builds(TypeFilter, st.sampled_from(sorted(set(ENDINGS.values()))), st.booleans()),
    st.builds(
        lambda text, negated: Description(" ".join(text.split()), negated),
        FILE_NAMES,
        st.booleans(),
    ),
    st.builds(ShapeFilter, st.sampled_from(["wide", "tall", "square"]), st.booleans()),
)
QUERIES: st.SearchStrategy[Query] = st.builds(
    assemble, st.lists(ALTERNATIVES, max_size=3), st.lists(FILTERS, max_size=3)
).filter(lambda query: len(print_query(query)) <= MAX_QUERY_LENGTH)

LANGUAGE_WORDS = sorted(
    {"dog", "hot", "cat", "only", "or", "percent", "exactly", "more", "less", "IMG_1", "2-4"}
    | {" ".join(phrase) for phrase in (*RELATION_PHRASES, *BOUNDS)}
    | JOINING_WORDS
    | NEGATIONS
    | NUMBERS.keys()
    | AMOUNTS.keys()
    | SIZES.keys()
    | SHAPES.keys()
    | {f"{key}:" for key in KEYS}
    | {"2", "0", "60", "100%", "1000", "2024-05", "0.5", "png"}
)
LANGUAGE_SIGNS = (*",;|/&+-!>=<%\":'_.()“”–’ \t\n", "   ")
LANGUAGE_TEXTS = st.lists(
    st.tuples(
        st.sampled_from(LANGUAGE_WORDS) | st.sampled_from(LANGUAGE_SIGNS),
        st.sampled_from([" ", " ", " ", ""]),
    ).map("".join),
    max_size=14,
).map("".join)
