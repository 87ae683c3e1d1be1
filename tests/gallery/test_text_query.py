from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.labels import CLASS_NAMES, NAME_BY_ID
from featurestore.conditions import Asked, Condition, Only, Presence, Relation
from gallery import components
from gallery.asked_objects import BIG_AREA, SMALL_AREA
from gallery.errors import QueryRefused
from gallery.query.printer import print_query
from gallery.query.syntax import MAX_QUERY_LENGTH
from gallery.text_query import MAX_RELATIONS, TextQuery, read_query, relations_of
from tests.gallery.query.strategies import LANGUAGE_TEXTS, QUERIES

TYPED = (
    QUERIES.filter(lambda query: len(relations_of(query)) <= MAX_RELATIONS)
    .map(print_query)
    .filter(bool)
)


def parsed(text: str) -> TextQuery:
    return read_query(text, components.vocabulary())


def best_class(asked: Asked) -> str:
    return NAME_BY_ID[int(asked.kind.class_ids[0])]


def described(condition: Condition) -> str:
    """A condition with the best class for each word."""
    match condition:
        case Presence():
            upper = condition.at_most if condition.at_most is not None else "more"
            negation = "not " if condition.negated else ""
            return f"{negation}{condition.at_least} to {upper} {best_class(condition.asked)}"
        case Relation():
            negation = "not " if condition.negated else ""
            both = best_class(condition.subject), best_class(condition.object)
            return f"{negation}{both[0]} {condition.name} {both[1]}"
        case Only():
            return "only " + ", ".join(
                NAME_BY_ID[int(kind.class_ids[0])] for kind in condition.kinds
            )


def conditions(text: str) -> list[list[str]]:
    """What is asked of the objects, by alternative."""
    return [[described(one) for one in each] for each in parsed(text).objects.alternatives]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("dog", [["1 to more dog"]]),
        ("dog  cat\tsofa", [["1 to more dog", "1 to more cat", "1 to more couch"]]),
        ("dog, cat", [["1 to more dog"], ["1 to more cat"]]),
        ("dog or cat", [["1 to more dog"], ["1 to more cat"]]),
        (",dog,, ,cat,", [["1 to more dog"], ["1 to more cat"]]),
        ("DOG", [["1 to more dog"]]),
        ("ｄｏｇ", [["1 to more dog"]]),
        ("dog\x00cat\x1f", [["1 to more dog", "1 to more cat"]]),
        ("2 dogs", [["2 to 2 dog"]]),
        ("3+ people", [["3 to more person"]]),
        ("at most 2 dogs", [["0 to 2 dog"]]),
        ("2-4 dogs", [["2 to 4 dog"]]),
        ("not 2 dogs", [["not 2 to 2 dog"]]),
        ("-dog", [["not 1 to more dog"]]),
        ("0 dogs", [["not 1 to more dog"]]),
        ("dog without a cat", [["1 to more dog", "not 1 to more cat"]]),
        ("person left of car", [["person left of car"]]),
        ("cat on couch near tv", [["cat on couch", "couch near tv"]]),
        ("no cat on couch", [["not cat on couch"]]),
        ("cat not on couch", [["1 to more cat", "not cat on couch"]]),
        ("2 dogs on couch", [["dog on couch", "2 to 2 dog"]]),
        ("only cats", [["1 to more cat", "only cat"]]),
        ("only cats and 2 dogs", [["1 to more cat", "2 to 2 dog", "only cat, dog"]]),
        ("dog and dog", [["1 to more dog"]]),
        ("dog wide", [["1 to more dog"]]),
        ("wide", []),
    ],
)
def test_each_form_of_the_language_asks_something_of_the_objects(
    text: str, asked: list[list[str]]
) -> None:
    assert conditions(text) == asked


def test_each_condition_has_its_text() -> None:
    for text in ("cat on couch near tv", "2 dogs on couch, only cats", "no dog and 3+ big cats"):
        query = parsed(text)
        assert [len(labels) for labels in query.labels] == [
            len(alternative) for alternative in query.objects.alternatives
        ]
    assert parsed("2 dogs on couch").labels == (("2 dogs on couch", "2 dogs"),)
    assert parsed("only cats").labels == (("cats", "only cats"),)


def asked(text: str) -> Asked:
    [[condition]] = parsed(text).objects.alternatives
    assert isinstance(condition, Presence)
    return condition.asked


def test_sizes_are_parts_of_the_frame() -> None:
    assert (asked("big dog").min_area, asked("big dog").max_area) == (BIG_AREA, 1)
    assert (asked("small dog").min_area, asked("small dog").max_area) == (0, SMALL_AREA)
    assert (asked("dog").min_area, asked("dog").max_area) == (0, 1)


def test_a_certainty_is_a_limit_of_scores() -> None:
    assert asked("dog > 60%").min_score == 0.6
    assert asked("dog").min_score == 0


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_class_name_stands_for_itself_alone(name: str) -> None:
    [[condition]] = parsed(name).objects.alternatives
    assert isinstance(condition, Presence)
    assert [NAME_BY_ID[int(one)] for one in condition.asked.kind.class_ids] == [name]
    [reading] = parsed(name).readings
    assert reading.meaning is not None
    assert reading.meaning.is_named
    assert reading.exact_query is None


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("puppy", "dog"),
        ("puppies", "dog"),
        ("ponies", "horse"),
        ("motorbike", "motorcycle"),
        ("buses", "bus"),
        ("sofa", "couch"),
        ("people", "person"),
    ],
)
def test_other_words_for_a_class_mean_it(word: str, name: str) -> None:
    assert best_class(asked(word)) == name
    assert parsed(word).unknown_words == []


def test_a_query_without_words_asks_for_no_object() -> None:
    assert not parsed("wide after:2024").asks_for_objects
    assert parsed("wide after:2024").has_filters
    assert parsed("dog wide").asks_for_objects
    # What was not understood was asked for all the same.
    assert parsed("qqxqq wide").asks_for_objects
    assert not parsed("dog").has_filters


def test_unknown_words_are_named_and_the_rest_is_searched() -> None:
    query = parsed("qqxqq dog, zzyzzy")
    assert query.unknown_words == ["qqxqq", "zzyzzy"]
    assert [[described(one) for one in each] for each in query.objects.alternatives] == [
        ["1 to more dog"]
    ]
    assert query.labels == (("dog",),)


def test_a_relation_to_an_unknown_thing_still_asks_for_the_other() -> None:
    assert conditions("dog on qqxqq") == [["1 to more dog"]]
    assert conditions("qqxqq on couch") == [["1 to more couch"]]
    assert conditions("no dog on qqxqq") == []
    assert conditions("only dogs and qqxqq") == [["1 to more dog", "only dog"]]


def test_a_word_that_is_written_wrongly_comes_with_corrections() -> None:
    query = parsed("big dgo -elefant, 2 bycicle type:png")
    corrections = {reading.words: reading.corrections for reading in query.readings}
    assert ("dog", "big dog -elefant, 2 bycicle type:png") in corrections["dgo"]
    assert ("elephant", "big dgo -elephant, 2 bycicle type:png") in corrections["elefant"]
    assert ("bicycle", "big dgo -elefant, 2 bicycle type:png") in corrections["bycicle"]


def test_a_word_that_is_written_rightly_comes_with_none() -> None:
    for word in ("dog", "puppies", "hot dogs", "animal"):
        [reading] = parsed(word).readings
        assert reading.corrections == ()
        assert reading.is_known


def test_corrections_lead_to_queries_that_are_understood() -> None:
    for text in ("dgo on coach", "only catts and dogz", "3 elefants left of 2 girafes"):
        for reading in parsed(text).readings:
            for word, corrected in reading.corrections:
                again = parsed(corrected)
                assert word in [other.words for other in again.readings]
                assert word not in again.unknown_words


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("puppy", '"dog"'),
        ("2 big puppies > 60%", '2 big "dog" > 60%'),
        ("cat left of puppy wide", 'cat left of "dog" wide'),
        ("only puppies", 'only "dog"'),
        ("puppy, cat", '"dog", cat'),
    ],
)
def test_a_word_can_be_pinned_to_its_best_class(text: str, exact: str) -> None:
    [reading] = [reading for reading in parsed(text).readings if reading.exact_query]
    assert reading.exact_query == exact
    pinned = parsed(exact)
    assert [each.exact_query for each in pinned.readings] == [None] * len(pinned.readings)
    assert conditions(exact) == conditions(text)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("dog", [""]),
        ("dog and cat", ["cat", "dog"]),
        ("dog, cat wide", ["cat wide", "dog wide", "dog, cat"]),
        ("dog -cat after:2024", ["-cat after:2024", "dog after:2024", "dog -cat"]),
        ("cat on couch near tv", ["couch near tv", "cat on couch"]),
        ("only cats, dog", ["dog", "only cats"]),
    ],
)
def test_each_part_can_be_taken_out(text: str, without: list[str]) -> None:
    assert [chip.without for chip in parsed(text).chips] == without


@settings(deadline=None)
@given(TYPED)
def test_what_is_left_without_a_part_is_understood(text: str) -> None:
    for chip in parsed(text).chips:
        if chip.without:
            assert parsed(chip.without).printed == chip.without


@settings(deadline=None)
@given(TYPED)
def test_a_printed_query_means_what_was_typed(text: str) -> None:
    query = parsed(text)
    again = parsed(query.printed)
    assert again.labels == query.labels
    assert again.printed == query.printed
    assert str(again.objects) == str(query.objects)
    assert str(again.catalogue) == str(query.catalogue)


@pytest.mark.parametrize(
    "text",
    ["", " ", "!?…--'", ",,,", "\x00\x01\x1b"[:3], "\u202e\u200d", "___", "the and of"],
)
def test_a_query_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(QueryRefused):
        parsed(text)


def test_a_query_of_500_characters_is_read() -> None:
    assert conditions("dog " * 125) == [["1 to more dog"]]


def test_a_query_of_10_000_characters_is_refused_with_its_length() -> None:
    with pytest.raises(QueryRefused, match="10,000 characters; the limit is 500"):
        parsed("d" * 10_000)


def test_a_query_of_nine_relations_is_refused_from_the_ninth_on() -> None:
    eight = [f"dog near {number} cats" for number in range(2, 10)]
    assert parsed(", ".join(eight[:4]) + " or " + " and ".join(eight[4:])).chips
    text = ", ".join(eight[:4]) + " or " + " and ".join([*eight[4:], "cat on dog"])
    with pytest.raises(
        QueryRefused, match="9 times how things lie to each other; the limit is 8"
    ) as refused:
        parsed(text)
    assert refused.value.span is not None
    assert text[slice(*refused.value.span)] == "cat on dog"


@pytest.mark.parametrize(
    ("text", "piece"),
    [("dog behind cat", "behind"), ("dog colour:red", "colour:"), ("dog (cat)", "(")],
)
def test_a_refusal_names_the_piece_that_is_to_blame(text: str, piece: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        parsed(text)
    assert refused.value.span is not None
    assert piece in text[slice(*refused.value.span)]


@settings(deadline=None)
@given(st.text(max_size=MAX_QUERY_LENGTH + 20) | LANGUAGE_TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        query = parsed(text)
    except QueryRefused:
        return
    assert query.chips
    for reading in query.readings:
        assert reading.words
        if reading.meaning is not None:
            assert -1.001 <= reading.meaning.similarity <= 1.001
            assert reading.meaning.kind.weights.max() <= 1
            assert len(reading.meaning.class_names) > 0
