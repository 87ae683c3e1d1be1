from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.labels import CLASS_NAMES
from gallery import components
from gallery.errors import QueryRefused
from gallery.text_query import MAX_QUERY_LENGTH, TextQuery, parse_text


def parsed(text: str) -> TextQuery:
    return parse_text(text, components.vocabulary())


def words(text: str) -> list[list[str]]:
    """The terms of a query, by alternative."""
    return [[term.text for term in alternative] for alternative in parsed(text).alternatives]


def test_one_word_is_one_term() -> None:
    assert words("dog") == [["dog"]]


def test_blanks_part_words_that_belong_together() -> None:
    assert words("dog  cat\tsofa") == [["dog", "cat", "sofa"]]


def test_commas_part_alternatives() -> None:
    assert words("shoes, t-shirt") == [["shoes"], ["t-shirt"]]


def test_empty_alternatives_are_left_out() -> None:
    assert words(",dog,, ,cat,") == [["dog"], ["cat"]]


def test_joining_words_name_nothing() -> None:
    assert words("a dog on the sofa with the cat") == [["dog", "sofa", "cat"]]


def test_capitals_and_wide_letters_are_read_as_plain_ones() -> None:
    assert words("DOG") == [["dog"]]
    assert words("ｄｏｇ") == [["dog"]]


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_class_name_is_one_term_that_stands_for_itself(name: str) -> None:
    query = parsed(name)
    assert [term.text for term in query.terms] == [name]
    assert query.terms[0].weights.argmax() == CLASS_NAMES.index(name)


def test_a_class_name_of_two_words_is_found_among_others() -> None:
    assert words("man hot dogs dog") == [["man", "hot dogs", "dog"]]


def test_a_plural_means_its_singular() -> None:
    for plural, name in (("puppies", "dog"), ("ponies", "horse"), ("buses", "bus")):
        query = parsed(plural)
        assert query.unknown_words == ()
        assert CLASS_NAMES[int(query.terms[0].weights.argmax())] == name


def test_a_synonym_weighs_its_own_class_most() -> None:
    assert CLASS_NAMES[int(parsed("motorbike").terms[0].weights.argmax())] == "motorcycle"


def test_a_hyphenated_word_is_known_by_its_parts() -> None:
    query = parsed("dog-friendly")
    assert query.unknown_words == ()
    assert len(query.terms) == 1


def test_unknown_words_are_named_once_and_the_rest_is_searched() -> None:
    query = parsed("qqxqq dog QQXQQ, zzyzzy")
    assert query.unknown_words == ("qqxqq", "zzyzzy")
    assert [term.text for term in query.terms] == ["dog"]


def test_a_query_of_unknown_words_has_no_terms() -> None:
    query = parsed("qqxqq")
    assert query.terms == ()
    assert query.unknown_words == ("qqxqq",)


def test_a_query_of_500_characters_is_read() -> None:
    assert [term.text for term in parsed("dog " * 125).terms] == ["dog"]


def test_a_query_of_10_000_characters_is_refused_with_its_length() -> None:
    with pytest.raises(QueryRefused, match="10,000 characters; the limit is 500"):
        parsed("d" * 10_000)


@pytest.mark.parametrize(
    "text",
    ["", " ", "!?…--'", ",,,", "\x00\x01\x1b[31m"[:3], "\u202e\u200d", "___", "the and of", "🐕"],
)
def test_a_query_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(QueryRefused, match="no word to search for"):
        parsed(text)


def test_control_characters_part_words() -> None:
    assert words("dog\x00cat\x1f") == [["dog", "cat"]]


@given(st.text(max_size=MAX_QUERY_LENGTH + 20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        query = parsed(text)
    except QueryRefused:
        return
    assert query.terms or query.unknown_words
    for term in query.terms:
        assert -1.001 <= term.similarity <= 1.001
        assert term.weights.max() == 1


def test_or_parts_alternatives_as_a_comma_does() -> None:
    both = [[term.text for term in terms] for terms in parsed("dog or cat").alternatives]
    assert both == [["dog"], ["cat"]]


@pytest.mark.parametrize("word", ["2", "two", "no", "not", "without"])
def test_words_that_this_language_has_no_meaning_for_are_named(word: str) -> None:
    query = parsed(f"{word} dogs")
    assert query.unknown_words == (word,)
    assert [term.text for term in query.terms] == ["dogs"]
