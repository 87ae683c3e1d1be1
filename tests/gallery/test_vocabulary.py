from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from detector.labels import CLASS_NAMES, ID_BY_NAME
from gallery import components
from gallery.vocabulary import Vocabulary, singulars
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
    vocabulary = Vocabulary.load(tmp_path / name)
    assert vocabulary.dimensions == 3
    assert vocabulary.knows("zebra")
    assert not vocabulary.knows("puppy")


def test_missing_vectors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        load_word_vectors(tmp_path / "words.kv")
