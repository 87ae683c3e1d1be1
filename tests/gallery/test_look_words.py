"""Words and what photos look like as a whole."""

from __future__ import annotations

import pytest

from detector.look_labels import LOOK_NAMES, LOOK_SYNSETS
from featurestore.conditions import Presence
from gallery import components
from gallery.look_words import LOOKS_WITH_WORD
from gallery.templatetags.pictures import meaning_in_words
from gallery.text_query import read_query
from gallery.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return components.vocabulary()


def test_there_is_a_name_for_each_of_a_thousand_classes() -> None:
    assert len(LOOK_NAMES) == len(set(LOOK_NAMES)) == len(LOOK_SYNSETS) == 1000
    # Two maillots and two kinds of sunglasses look the same.
    assert len(set(LOOK_SYNSETS)) == 998


@pytest.mark.parametrize(
    ("word", "look"),
    [
        ("espresso", "espresso"),
        ("castle", "castle"),
        ("castles", "castle"),
        ("sunglasses", "sunglasses"),
        ("labrador", "Labrador retriever"),
        ("Labrador retrievers".lower(), "Labrador retriever"),
        ("siberian", "Siberian husky"),
        ("rocket", "missile"),
        ("cappuccino", "espresso"),
        ("mushrooms", "mushroom"),
        ("t-shirt", "T-shirt"),
        ("jerseys", "T-shirt"),
        ("sea", "seashore"),
        ("shorts", "swimming trunks"),
    ],
)
def test_a_word_means_what_photos_look_like(word: str, look: str, vocabulary: Vocabulary) -> None:
    meaning = vocabulary.meaning(word)
    assert meaning is not None
    assert meaning.is_look
    assert look in meaning.look_names[:2]


@pytest.mark.parametrize(
    ("word", "told"), [("jeans", "jeans"), ("beer", "beer glass, beer bottle")]
)
def test_objects_that_only_hint_at_a_look_are_not_told(
    word: str, told: str, vocabulary: Vocabulary
) -> None:
    meaning = vocabulary.meaning(word)
    assert meaning is not None
    assert meaning.class_names
    assert meaning_in_words(meaning) == told


def test_what_is_akin_to_a_word_names_classes_and_no_word_that_has_its_own(
    vocabulary: Vocabulary,
) -> None:
    for word, names in LOOKS_WITH_WORD.items():
        meaning = vocabulary.meaning(word)
        assert meaning is not None, word
        assert set(meaning.look_names) == set(names), word
        assert meaning.kind.look_weights.max() == 0.5, word


@pytest.mark.parametrize("word", ["love", "happiness", "sam", "honor", "red", "running", "device"])
def test_a_word_that_no_photo_looks_like_means_nothing(word: str, vocabulary: Vocabulary) -> None:
    meaning = vocabulary.meaning(word)
    assert meaning is None or not meaning.is_look


def test_an_object_is_told_by_its_look_as_well_but_less(vocabulary: Vocabulary) -> None:
    meaning = vocabulary.meaning("dog")
    assert meaning is not None
    assert meaning.class_names == ["dog"]
    assert len(meaning.look_names) == 118
    assert meaning.kind.look_weights.max() < 0.1
    assert not meaning.is_look
    exact = vocabulary.exact_meaning("dog")
    assert exact is not None
    assert exact.look_names == []


def test_a_kind_of_an_object_is_rather_told_by_its_look(vocabulary: Vocabulary) -> None:
    meaning = vocabulary.meaning("labrador")
    assert meaning is not None
    assert (meaning.class_names, meaning.look_names) == (["dog"], ["Labrador retriever"])
    assert meaning.kind.weights[0] < meaning.kind.look_weights[0] == 1


def test_a_kite_is_no_bird_and_a_big_cat_a_cat_that_is_big(vocabulary: Vocabulary) -> None:
    kite = vocabulary.meaning("kite")
    assert kite is not None
    assert kite.look_names == []
    assert not vocabulary.is_name("big cat")
    assert vocabulary.is_name("tabby cat")


def test_of_several_things_no_look_merely_hints_at_an_object(vocabulary: Vocabulary) -> None:
    def looks_asked(text: str) -> list[int]:
        [conditions] = read_query(text, vocabulary).objects.alternatives
        presences = [one for one in conditions if isinstance(one, Presence)]
        return [len(one.asked.kind.look_ids) for one in presences]

    assert looks_asked("dog") == [118]
    assert looks_asked("dog and cup") == [0, 0]
    assert looks_asked("dog and espresso") == [0, 1]
