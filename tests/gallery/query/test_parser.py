from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from detector.labels import CLASS_NAMES
from gallery.query.errors import QuerySyntaxError
from gallery.query.parser import parse_query
from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Conjunction,
    Count,
    DateFilter,
    NameFilter,
    Only,
    Query,
    Relation,
    ShapeFilter,
    Thing,
    TypeFilter,
)
from tests.gallery.query.names import NAMES, parsed

CAT = Thing("cat")
COUCH = Thing("couch")


def conditions(text: str) -> list[object]:
    """What a query of one alternative asks for."""
    (alternative,) = parsed(text).alternatives
    return list(alternative.conditions)


def refusal(text: str) -> str:
    with pytest.raises(QuerySyntaxError) as caught:
        parsed(text)
    return str(caught.value)


def blamed(text: str) -> str:
    """The part of a refused text that is to blame."""
    with pytest.raises(QuerySyntaxError) as caught:
        parsed(text)
    start, stop = caught.value.span
    return text[start:stop]


def test_a_thing_has_all_that_is_said_about_it() -> None:
    assert conditions("2 big dogs > 60%") == [Thing("dogs", False, Count(2, 2), "big", 60)]
    assert conditions("at least 3 tiny people") == [Thing("people", count=Count(3), size="small")]


def test_commas_part_alternatives_and_blanks_join_things() -> None:
    assert parsed("dog cat, ,couch or tv").alternatives == (
        Conjunction((Thing("dog"), CAT)),
        Conjunction((COUCH,)),
        Conjunction((Thing("tv"),)),
    )


def test_filters_hold_for_the_whole_query_wherever_they_stand() -> None:
    assert parsed("wide cat -name:IMG_1, couch type:JPEG").filters == (
        ShapeFilter("wide"),
        NameFilter("IMG_1", negated=True),
        TypeFilter("jpg"),
    )


def test_a_date_is_as_exact_as_it_was_typed() -> None:
    assert parsed("after:2024 before:2025-2 -after:2025/01/31").filters == (
        DateFilter("after", 2024),
        DateFilter("before", 2025, 2),
        DateFilter("after", 2025, 1, 31, negated=True),
    )


def test_a_chain_is_one_relation_for_each_pair() -> None:
    assert conditions("cat on the couch near 2 tvs") == [
        Relation(CAT, "on", COUCH),
        Relation(COUCH, "near", Thing("tvs", count=Count(2, 2))),
    ]


def test_a_thing_that_is_not_on_another_is_asked_for_itself() -> None:
    assert conditions("cat not on couch") == [CAT, Relation(CAT, "on", COUCH, negated=True)]
    assert conditions("no cat on couch") == [Relation(CAT, "on", COUCH, negated=True)]


def test_only_takes_all_things_of_its_alternative_and_comes_last() -> None:
    assert parsed("only cats -chair and dogs, bird").alternatives == (
        Conjunction((Thing("chair", negated=True), Only((Thing("cats"), Thing("dogs"))))),
        Conjunction((Thing("bird"),)),
    )


def test_what_is_typed_twice_is_asked_for_once() -> None:
    assert parsed("dog dog wide, wide dog") == parsed("dog wide")


def test_none_of_a_thing_is_its_negation() -> None:
    assert conditions("0 dogs") == [Thing("dogs", negated=True)]


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_every_class_name_is_one_thing_with_quotes_and_without(name: str) -> None:
    assert conditions(name) == [Thing(name)]
    assert conditions(f'"{name.upper()}"') == [Thing(name, quoted=True)]
    assert conditions(f"{name} {name} near {name}") == [
        Thing(name),
        Relation(Thing(name), "near", Thing(name)),
    ]


def test_a_name_may_begin_with_a_word_of_the_language() -> None:
    names = {"big wheel", "on button", "wide receiver", "no parking sign"}.__contains__
    for name in ("big wheel", "on button", "wide receiver", "no parking sign"):
        query = parse_query(f"2 {name} near {name} > 60%", names)
        assert query.alternatives[0].conditions == (
            Relation(Thing(name, count=Count(2, 2)), "near", Thing(name, min_score=60)),
        )


@pytest.mark.parametrize("word", ["behind", "square", "only", "no", "left of", "2", "or"])
def test_words_of_the_language_name_things_within_quotes(word: str) -> None:
    assert conditions(f'"{word}"') == [Thing(word, quoted=True)]


def test_words_that_the_language_does_not_know_are_things() -> None:
    assert conditions("very beautiful dog") == [
        Thing("very"),
        Thing("beautiful"),
        Thing("dog"),
    ]


def test_words_of_any_script_keep_their_marks_hyphens_and_apostrophes() -> None:
    words = "t-shirt o'clock कुत्ता 狗 собака ça l’été"
    assert [thing.words for thing in conditions(words) if isinstance(thing, Thing)] == [
        *("t-shirt", "o'clock", "कुत्ता", "狗", "собака", "ça", "l'été"),
    ]


def test_typographic_signs_and_wide_letters_are_read_as_plain_ones() -> None:
    assert parsed("“Hot Dog” –ｃａｔ，2–4 dogs") == parsed('"hot dog" -cat, 2-4 dogs')


def test_spans_tell_where_everything_was_typed() -> None:
    text = "①  Dogs on the “Couch”, -name:ﬁle no cat"
    query = parsed(text)
    relation = query.alternatives[0].conditions[0]
    assert isinstance(relation, Relation)
    spans = [relation.subject.span, relation.object.span, relation.span, query.filters[0].span]
    assert [text[start:stop] for start, stop in spans] == [
        "①  Dogs",
        "“Couch”",
        "①  Dogs on the “Couch”",
        "-name:ﬁle",
    ]


@pytest.mark.parametrize(
    "text", ["", " ", ",,,", "the and of", "or", "…?.", "\u202e\u200d", "\x00"]
)
def test_a_text_that_asks_for_nothing_is_an_empty_query(text: str) -> None:
    assert parsed(text) == Query(())


@pytest.mark.parametrize(
    ("text", "sentence", "part"),
    [
        ('cat "hot dog', "This quote is never closed", '"hot dog'),
        ('cat ""', "no word between these quotes", '""'),
        ("cat after:soon", "needs a date like 2024, 2024-05 or 2024-05-17", "after:soon"),
        ("before:2023-02-29", "There is no such date as 2023-02-29.", "before:2023-02-29"),
        ("before:2023-13", "There is no such date as 2023-13.", "before:2023-13"),
        ("after:", "“after:” needs something right after it, like: after:2024-05", "after:"),
        ('cat name:""', "“name:” needs something right after it, like: name:beach", 'name:""'),
        ("type:tga", "There is no type “tga”. The types are avif, bmp", "type:tga"),
        ("cat colour:red", "There is no filter “colour:”", "colour:"),
        ("cat 3+", "“3+” needs a thing after it, like: 3+ dogs", "3+"),
        ("1, cat", "“1” needs a thing after it, like: 1 dog", "1"),
        ("5-2 dogs", "smaller number to the larger one, like: 2-5", "5-2"),
        ("100 dogs", "Things can be counted up to 99.", "100"),
        ("dogs 2024", "For a year, write: after:2024 before:2025", "2024"),
        ("2.5 dogs", "Things are counted in whole numbers.", "2.5"),
        ("0+ dogs", "Every photo has 0 or more of everything.", "0+"),
        ("fewer than 0 dogs", "There cannot be fewer than 0", "fewer than 0"),
        ("at least dogs", "“at least” needs a number after it", "at least"),
        ("cat > 101%", "Nothing is more sure than 100%.", "> 101%"),
        ("cat > 2", "“3+” before the thing for how many", "> 2"),
        ("cat > 0.6", "Say how sure in whole per cent", "> 0.6"),
        ("cat > dog", "Say how sure in whole per cent", "> dog"),
        ("cat < 60%", "Only a lowest certainty can be asked for", "<"),
        ("cat > 60% > 70%", "Say only once how sure", "> 60% >"),
        ("60% cat", "Say what should be 60% sure, like: cat > 60%", "60"),
        ("> 60%", "“>” needs a thing before it", ">"),
        ("Left of car", "“Left of” needs something before it", "Left of"),
        ("cat, on couch", "“on” needs something before it", "on"),
        ("cat on", "“on” needs something after it", "on"),
        ("cat on and couch", "“on” needs something after it", "on"),
        ("cat behind couch", "What is in front and what is behind cannot be told", "behind"),
        ("cat in front of tv", "What is in front and what is behind", "in front of"),
        ("ball between cat and dog", "two at a time", "between"),
        ("dog on the left", "Say of what, like: person left of car", "on the left"),
        ("cat near no dog", "Say “not” before the relation", "near no"),
        ("no cat not on couch", "Say “no” only once.", "not on"),
        ("no cat on couch near tv", "Say each relation that photos should not show", "near"),
        ("no, dog", "“no” needs something after it, like: no chair", "no"),
        ("--dog", "Say “no” only once.", "--"),
        ("dog - cat", "Put “-” right before what should not be there", "-"),
        ("big", "“big” needs a thing right after it, like: big dog", "big"),
        ("only", "“only” needs a thing after it", "only"),
        ("not only cats", "“only” cannot be negated.", "not"),
        ("only cats on couch", "“only” takes things and no relation", "cats on couch"),
        ("(dog or cat) couch", "Brackets have no meaning in a search", "("),
    ],
)
def test_what_breaks_the_rules_is_refused_with_the_part_to_blame(
    text: str, sentence: str, part: str
) -> None:
    assert sentence in refusal(text)
    assert blamed(text) == part


def test_a_query_has_at_most_500_characters() -> None:
    assert conditions("dog " * 125) == [Thing("dog")]
    assert refusal("d" * 10_000) == "This search has 10,000 characters; the limit is 500."


@pytest.mark.parametrize(
    "text",
    [
        *("-", '"', "a", "2-", "at ", "on the ", "to the left side ", "no ", "a on ", "2 or "),
        *("hot ", "dog hot ", "cat on ", "and ", "with the ", "is not ", "name:", "big ", "❤ "),
        *("\u0301", "a\u0301", "between 2 and ", ">", "1.", "1.1.", "a-", "+", "only ", "2+"),
    ],
)
def test_reading_takes_few_steps_for_every_character(text: str) -> None:
    def read(length: int) -> Callable[[], None]:
        nasty = (text * MAX_QUERY_LENGTH)[:length]

        def reading() -> None:
            try:
                parsed(nasty)
            except QuerySyntaxError:
                return

        return reading

    assert function_calls(read(MAX_QUERY_LENGTH)) < 500 * MAX_QUERY_LENGTH


def function_calls(work: Callable[[], None]) -> int:
    """How many functions are called, an amount of work that does not depend on the machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def test_names_are_asked_for_once_at_every_place() -> None:
    asked: list[str] = []

    def names(phrase: str) -> bool:
        asked.append(phrase)
        return phrase in NAMES

    parse_query("a hot dog on the couch near tv", names)
    assert len(asked) == len(set(asked))
