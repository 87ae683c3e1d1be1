"""The queries are written in the gallery's language, and mean there what they are judged by."""

from __future__ import annotations

import pytest

from detector.labels import CLASS_NAMES as COCO_NAMES
from gallery.evaluation.queries import plural
from gallery.evaluation.query_sets import text_query_sets
from gallery.evaluation.truth import Truth
from gallery.evaluation.words import (
    CAPTION_WORDS,
    CLASS_NAME_BY_SYNONYM,
    CLASS_NAMES_BY_HYPERNYM,
)
from gallery.query.parser import parse_query
from gallery.query.syntax import Condition, Conjunction, Count, Only, Query, Relation, Thing
from tests.evaluation.truths import PERSON, Object, truth_of

WINE_GLASS, TABLE = 46, 67
NAMES = {PERSON: "person", WINE_GLASS: "wine glass", TABLE: "dining table"}
NAMES_AND_PLURALS = {*COCO_NAMES, *map(plural, COCO_NAMES)}

# A glass on a table, with a person on its left.
DINNER: list[Object] = [
    (PERSON, [0, 0, 40, 100]),
    (TABLE, [50, 40, 100, 100]),
    (WINE_GLASS, [70, 30, 80, 50]),
]
TWO_TABLES: list[Object] = [(TABLE, [0, 0, 50, 50]), (TABLE, [0, 40, 50, 90])]
ALONE: list[Object] = [(PERSON, [0, 0, 9, 9])]


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """The texts of each set of queries about a few dinners."""
    images = truth_of(*[DINNER] * 3, *[TWO_TABLES] * 5, *[ALONE] * 5).images
    sets = text_query_sets(Truth(images, NAMES))
    return {name: [query.text for query in queries] for name, queries in sets.items()}


def is_name(words: str) -> bool:
    return words in NAMES_AND_PLURALS


def conditions_of(text: str) -> tuple[Condition, ...]:
    """The conditions of a query without alternatives and filters."""
    query = parse_query(text, is_name)
    assert query == Query((Conjunction(query.alternatives[0].conditions),))
    return query.alternatives[0].conditions


@pytest.mark.parametrize(
    ("set_name", "text", "conditions"),
    [
        ("names", "wine glass", (Thing("wine glass"),)),
        ("two terms", "person and dining table", (Thing("person"), Thing("dining table"))),
        (
            "three terms",
            "person and wine glass and dining table",
            (Thing("person"), Thing("wine glass"), Thing("dining table")),
        ),
        ("exact counts", "1 wine glass", (Thing("wine glass", count=Count(1, 1)),)),
        ("exact counts", "2 dining tables", (Thing("dining tables", count=Count(2, 2)),)),
        ("at-least counts", "2+ dining tables", (Thing("dining tables", count=Count(2)),)),
        (
            "negation",
            "person -dining table",
            (Thing("person"), Thing("dining table", negated=True)),
        ),
        (
            "left of",
            "person left of dining table",
            (Relation(Thing("person"), "left of", Thing("dining table")),),
        ),
        (
            "on",
            "wine glass on dining table",
            (Relation(Thing("wine glass"), "on", Thing("dining table")),),
        ),
        ("big", "big dining table", (Thing("dining table", size="big"),)),
        ("small", "small wine glass", (Thing("wine glass", size="small"),)),
        ("only", "only person", (Only((Thing("person"),)),)),
    ],
)
def test_queries_are_read_as_they_are_judged(
    texts: dict[str, list[str]], set_name: str, text: str, conditions: tuple[Condition, ...]
) -> None:
    assert text in texts[set_name]
    assert conditions_of(text) == conditions


def test_only_two_classes_are_read_as_one_condition() -> None:
    assert conditions_of("only person and wine glass") == (
        Only((Thing("person"), Thing("wine glass"))),
    )


def test_every_relation_is_read_as_one(texts: dict[str, list[str]]) -> None:
    for name in ("right of", "above", "below", "inside", "near", "touching"):
        for text in texts[name]:
            (condition,) = conditions_of(text)
            assert isinstance(condition, Relation)
            assert condition.name == name
    assert texts["right of"] == ["wine glass right of person", "dining table right of person"]


@pytest.mark.parametrize("name", COCO_NAMES)
def test_every_class_can_be_asked_for_in_every_form(name: str) -> None:
    assert conditions_of(name) == (Thing(name),)
    assert conditions_of(f"3 {plural(name)}") == (Thing(plural(name), count=Count(3, 3)),)
    assert conditions_of(f"person -{name}") == (Thing("person"), Thing(name, negated=True))
    assert conditions_of(f"{name} left of {name}") == (
        Relation(Thing(name), "left of", Thing(name)),
    )
    assert conditions_of(f"only {name}") == (Only((Thing(name),)),)


def test_every_word_is_read_as_what_it_is() -> None:
    captions = [word for words in CAPTION_WORDS.values() for word in words]
    words = {*CLASS_NAME_BY_SYNONYM, *captions, *CLASS_NAMES_BY_HYPERNYM}
    for word in words:
        query = parse_query(word, words.__contains__)
        assert query == Query((Conjunction((Thing(word),)),))
