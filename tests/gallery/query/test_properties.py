from __future__ import annotations

import sys

from hypothesis import example, given
from hypothesis import strategies as st

from gallery.query.changes import with_exact, without
from gallery.query.errors import QuerySyntaxError
from gallery.query.printer import print_query
from gallery.query.syntax import MAX_QUERY_LENGTH, Query, Thing
from gallery.query.typed_text import plain, read_typed
from tests.gallery.query.names import parsed
from tests.gallery.query.strategies import LANGUAGE_TEXTS, QUERIES


def read_or_refused(text: str) -> Query | None:
    """The query; None where it was refused with a sentence about a part of the text."""
    try:
        return parsed(text)
    except QuerySyntaxError as caught:
        error = caught
    start, stop = error.span
    assert 0 <= start < stop <= len(text)
    assert str(error).strip()
    return None


def assert_canonical_form_is_the_same_query(text: str) -> None:
    query = read_or_refused(text)
    if query is not None:
        canonical = print_query(query)
        assert parsed(canonical) == query
        assert print_query(parsed(canonical)) == canonical


@given(QUERIES)
def test_a_printed_query_is_read_as_the_same_query(query: Query) -> None:
    assert parsed(print_query(query)) == query


@given(st.text(max_size=MAX_QUERY_LENGTH + 20))
@example("ﷺ" * 40)
@example("a>60" * 120)
@example("a b " * 125)
@example('"\u0301" \u0301 -\u0338')
@example("\ud800 \u200d\u202e \x00")
def test_any_text_is_read_or_refused_and_printed_as_the_same_query(text: str) -> None:
    assert_canonical_form_is_the_same_query(text)


@given(LANGUAGE_TEXTS)
def test_any_words_of_the_language_are_read_or_refused_and_printed_as_the_same_query(
    text: str,
) -> None:
    assert_canonical_form_is_the_same_query(text)


@given(LANGUAGE_TEXTS)
def test_spans_lie_within_the_text(text: str) -> None:
    query = read_or_refused(text)
    if query is None:
        return
    conditions = [each for part in query.alternatives for each in part.conditions]
    for condition in (*conditions, *query.filters):
        start, stop = condition.span
        assert 0 <= start < stop <= len(text)


@given(QUERIES, st.data())
def test_a_query_without_one_part_is_printed_as_the_same_query(
    query: Query, data: st.DataObject
) -> None:
    query = parsed(print_query(query))
    parts = [*query.filters, *(each for part in query.alternatives for each in part.conditions)]
    if not parts:
        return
    part = data.draw(st.sampled_from(parts))
    less = without(query, part)
    if len(print_query(less)) <= MAX_QUERY_LENGTH:
        assert parsed(print_query(less)) == less
    left = [*less.filters, *(each for other in less.alternatives for each in other.conditions)]
    assert all(each.span != part.span or each != part for each in left)


@given(QUERIES, st.data())
def test_a_query_with_an_exact_name_is_printed_as_the_same_query(
    query: Query, data: st.DataObject
) -> None:
    query = parsed(print_query(query))
    things = [
        each for part in query.alternatives for each in part.conditions if isinstance(each, Thing)
    ]
    if not things:
        return
    exact = with_exact(query, data.draw(st.sampled_from(things)), "hot dog")
    assert '"hot dog"' in print_query(exact)
    if len(print_query(exact)) <= MAX_QUERY_LENGTH:
        assert parsed(print_query(exact)) == exact


def test_plain_characters_stay_as_they_are() -> None:
    for number in range(sys.maxunicode + 1):
        once = plain(chr(number))
        assert plain(once) == once


@given(st.text())
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text())
def test_every_character_comes_from_its_place_in_the_text(text: str) -> None:
    typed = read_typed(text)
    assert len(typed.characters) == len(typed.signs) == len(typed.origins)
    assert all(0 <= start < stop <= len(text) for start, stop in typed.origins)
