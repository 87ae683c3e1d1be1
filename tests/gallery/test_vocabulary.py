from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from gensim.models import KeyedVectors

from detector.labels import CLASS_NAMES, ID_BY_NAME
from gallery import components
from gallery.look_words import BROADER_OBJECT, MOST_NARROW
from gallery.meanings import Meaning
from gallery.plurals import singulars
from gallery.vocabulary import Vocabulary
from gallery.word_vectors import load_word_vectors


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return components.vocabulary()


def test_each_class_is_nearest_to_itself(vocabulary: Vocabulary) -> None:
    for place, name in enumerate(CLASS_NAMES):
        similarities = vocabulary.similarities(name)
        assert int(similarities.argmax()) == place, name
        assert similarities[place] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("puppy", "dog"),
        ("kitten", "cat"),
        ("motorbike", "motorcycle"),
        ("stallion", "horse"),
        ("woman", "person"),
        ("sofa", "couch"),
    ],
)
def test_a_synonym_is_nearest_to_its_class(word: str, name: str, vocabulary: Vocabulary) -> None:
    assert CLASS_NAMES[int(vocabulary.similarities(word).argmax())] == name


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("dogs", "dog"),
        ("knives", "knife"),
        ("buses", "bus"),
        ("hot dogs", "hot dog"),
        ("skis", "skis"),
        ("scissors", "scissors"),
        ("sandwiches", "sandwich"),
        ("teddy bear", "teddy bear"),
    ],
)
def test_a_class_is_known_in_singular_and_plural(
    phrase: str, name: str, vocabulary: Vocabulary
) -> None:
    assert vocabulary.class_named(phrase) == name


@pytest.mark.parametrize("phrase", ["puppy", "", "hot", "dog hot", "s"])
def test_other_words_name_no_class(phrase: str, vocabulary: Vocabulary) -> None:
    assert vocabulary.class_named(phrase) is None


def meant(phrase: str, vocabulary: Vocabulary) -> Meaning:
    meaning = vocabulary.meaning(phrase)
    assert meaning is not None, phrase
    return meaning


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_class_name_means_its_class_alone(name: str, vocabulary: Vocabulary) -> None:
    meaning = meant(name, vocabulary)
    assert meaning.class_names == [name]
    assert meaning.kind.weights.tolist() == [1.0]
    assert meaning.is_named


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("puppies", "dog"),
        ("retriever", "dog"),
        ("golden retriever", "dog"),
        ("station wagon", "car"),
        ("automobile", "car"),
        ("schoolgirl", "person"),
        ("tabby", "cat"),
        ("sofas", "couch"),
        ("mare", "horse"),
        ("kitten", "cat"),
        ("lamb", "sheep"),
        ("human", "person"),
        ("men", "person"),
        ("hotdogs", "hot dog"),
    ],
)
def test_a_kind_of_a_class_means_that_class(word: str, name: str, vocabulary: Vocabulary) -> None:
    meaning = meant(word, vocabulary)
    assert meaning.class_names[0] == name
    # A look of its own tells more of a station wagon than that there is a car.
    has_own = meaning.is_look and len(meaning.look_names) <= MOST_NARROW
    assert meaning.kind.weights[0] == pytest.approx(BROADER_OBJECT if has_own else 1)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("vehicle", {"car", "truck", "bicycle", "motorcycle", "airplane", "boat"}),
        ("animals", {"cat", "dog", "bird", "horse", "sheep", "cow", "elephant", "zebra"}),
        ("furniture", {"chair", "couch", "bed", "dining table", "bench"}),
        ("fruit", {"apple", "banana", "orange"}),
    ],
)
def test_a_general_word_means_its_classes(
    word: str, names: set[str], vocabulary: Vocabulary
) -> None:
    assert names <= set(meant(word, vocabulary).class_names)


def test_what_is_merely_near_counts_as_much_as_it_is_near(vocabulary: Vocabulary) -> None:
    meaning = meant("pet", vocabulary)
    assert meaning.class_names[0] == "cat"
    assert meaning.kind.weights[0] == pytest.approx(meaning.similarity)
    assert 0.6 < meaning.similarity < 1


@pytest.mark.parametrize("word", ["red", "blue", "very", "she", "have", "happy", "sleeping"])
def test_words_that_name_no_thing_mean_none(word: str, vocabulary: Vocabulary) -> None:
    assert vocabulary.meaning(word) is None


def test_an_animal_is_no_person_and_a_person_no_animal(vocabulary: Vocabulary) -> None:
    assert "person" not in meant("animal", vocabulary).class_names
    assert meant("woman", vocabulary).class_names == ["person"]


@pytest.mark.parametrize("word", ["beach", "lake", "wedding", "justice", "object"])
def test_a_word_that_shares_nothing_with_any_class_means_none(
    word: str, vocabulary: Vocabulary
) -> None:
    assert vocabulary.meaning(word) is None
    assert vocabulary.knows(word)


def test_nonsense_is_not_known(vocabulary: Vocabulary) -> None:
    assert not vocabulary.knows("qqxqq")
    assert vocabulary.meaning("qqxqq") is None


def test_an_exact_meaning_takes_only_a_class_name(vocabulary: Vocabulary) -> None:
    assert vocabulary.exact_meaning("puppy") is None
    exact = vocabulary.exact_meaning("dogs")
    assert exact is not None
    assert exact.class_names == ["dog"]


def test_names_of_several_words_are_known(vocabulary: Vocabulary) -> None:
    assert vocabulary.is_name("hot dogs")
    assert vocabulary.is_name("golden retrievers")
    assert not vocabulary.is_name("dog cat")


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("bycicle", "bicycle"),
        ("pupy", "puppy"),
        ("umbrela", "umbrella"),
        ("motorcicle", "motorcycle"),
        ("dgo", "dog"),
        ("skatebord", "skateboard"),
    ],
)
def test_typing_mistakes_have_corrections(typed: str, word: str, vocabulary: Vocabulary) -> None:
    assert vocabulary.corrections(typed)[0] == word
    assert not vocabulary.is_usual(typed)


@pytest.mark.parametrize("word", ["dog", "puppies", "beach", "teddy bear"])
def test_words_in_use_are_no_typing_mistakes(word: str, vocabulary: Vocabulary) -> None:
    assert vocabulary.is_usual(word)


def test_what_is_like_no_word_has_no_correction(vocabulary: Vocabulary) -> None:
    assert vocabulary.corrections("qqxqqwzk") == []


def test_a_word_is_the_first_of_its_own_singulars() -> None:
    assert singulars("glass")[0] == "glass"
    assert "pony" in singulars("ponies")
    assert singulars("s") == ["s"]


def test_a_sentence_vector_is_the_mean_of_its_classes(vocabulary: Vocabulary) -> None:
    ids = [ID_BY_NAME["dog"], ID_BY_NAME["cat"]]
    expected = (vocabulary.phrase_vector(["dog"]) + vocabulary.phrase_vector(["cat"])) / 2
    np.testing.assert_allclose(vocabulary.sentence_vector(ids), expected, rtol=1e-5)


def test_no_class_gives_a_sentence_vector_of_zeros(vocabulary: Vocabulary) -> None:
    vector = vocabulary.sentence_vector([])
    assert vector.shape == (50,)
    assert not vector.any()


def test_unknown_words_are_left_out_of_a_phrase(vocabulary: Vocabulary) -> None:
    np.testing.assert_array_equal(
        vocabulary.phrase_vector(["dog", "qqxqq"]), vocabulary.phrase_vector(["dog"])
    )
    assert not vocabulary.phrase_vector(["qqxqq"]).any()


@pytest.mark.parametrize(("name", "binary"), [("words.txt", False), ("words.bin", True)])
def test_any_word2vec_file_can_take_the_place_of_the_vectors(
    name: str, binary: bool, tmp_path: Path
) -> None:
    words = sorted({word for class_name in CLASS_NAMES for word in class_name.split(" ")})
    vectors = KeyedVectors(vector_size=3)
    generator = np.random.default_rng(7)
    vectors.add_vectors(words, generator.normal(size=(len(words), 3)).astype(np.float32))
    vectors.save_word2vec_format(str(tmp_path / name), binary=binary)
    vocabulary = Vocabulary.load(tmp_path / name, settings.LEXICON)
    assert vocabulary.dimensions == 3
    zebra = vocabulary.meaning("zebra")
    assert zebra is not None
    assert zebra.class_names == ["zebra"]
    # WordNet alone knows what these vectors do not.
    puppy = vocabulary.meaning("puppy")
    assert puppy is not None
    assert puppy.class_names == ["dog"]


def test_missing_vectors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        load_word_vectors(tmp_path / "words.kv")
