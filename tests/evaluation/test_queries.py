from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.labels import CLASS_NAMES as COCO_NAMES
from gallery.evaluation.queries import (
    LARGEST_SET,
    JudgedQuery,
    at_least_count_queries,
    big_queries,
    exact_count_queries,
    hypernym_queries,
    more_synonym_queries,
    name_queries,
    plural,
    sample,
    small_queries,
    synonym_queries,
)
from gallery.evaluation.truth import load_truth
from gallery.evaluation.words import (
    CAPTION_WORDS,
    CLASS_NAME_BY_SYNONYM,
    CLASS_NAMES_BY_HYPERNYM,
)
from tests.evaluation.truths import CAR, CAT, DOG, PERSON, holding, truth_of

WriteCoco = Callable[..., Path]


def relevant_rows(queries: Sequence[JudgedQuery]) -> dict[str, list[int]]:
    return {query.text: np.flatnonzero(query.relevant).tolist() for query in queries}


def test_only_classes_that_an_image_holds_are_asked_for(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((1, DOG, [0, 0, 9, 9]), (2, PERSON, [0, 0, 9, 9], 1)))
    assert relevant_rows(name_queries(truth)) == {"dog": [0]}
    assert relevant_rows(synonym_queries(truth)) == {"puppy": [0], "hound": [0], "pup": [0]}
    assert relevant_rows(more_synonym_queries(truth)) == {
        "beagle": [0],
        "chihuahua": [0],
        "schnauzer": [0],
    }


def test_a_hypernym_is_answered_by_an_object_of_any_of_its_classes() -> None:
    rows = relevant_rows(hypernym_queries(holding([DOG], [PERSON], [CAT, CAT], [CAR, DOG])))
    assert rows["pet"] == [0, 2, 3]
    assert rows["vehicle"] == [3]
    assert "fruit" not in rows


def test_words_belong_to_one_table_and_name_classes_of_coco() -> None:
    caption_words = [word for words in CAPTION_WORDS.values() for word in words]
    words = [*COCO_NAMES, *CLASS_NAME_BY_SYNONYM, *caption_words, *CLASS_NAMES_BY_HYPERNYM]
    assert len(CLASS_NAME_BY_SYNONYM) == 32
    assert len(words) == len(set(words))
    meant = {*CLASS_NAME_BY_SYNONYM.values(), *CAPTION_WORDS}
    meant |= {name for names in CLASS_NAMES_BY_HYPERNYM.values() for name in names}
    assert meant <= set(COCO_NAMES)


def test_no_class_has_more_than_three_words_of_captions() -> None:
    assert max(map(len, CAPTION_WORDS.values())) == 3


COUNTED = holding([DOG], [DOG] * 2, [DOG] * 2, [DOG] * 3, [DOG] * 2, [DOG, CAT], [CAT], [CAT])


def test_exact_counts_want_neither_fewer_nor_more() -> None:
    assert relevant_rows(exact_count_queries(COUNTED)) == {"1 cat": [5, 6, 7], "2 dogs": [1, 2, 4]}


def test_at_least_counts_want_so_many_or_more() -> None:
    assert relevant_rows(at_least_count_queries(COUNTED)) == {"2+ dogs": [1, 2, 3, 4]}


def test_no_more_than_ten_are_counted() -> None:
    crowded = holding(*[[CAR] * 12] * 3)
    assert exact_count_queries(crowded) == []
    texts = [query.text for query in at_least_count_queries(crowded)]
    assert texts == [f"{number}+ cars" for number in range(2, 11)]


def test_sizes_are_parts_of_the_frame() -> None:
    truth = truth_of(
        [(DOG, [0, 0, 40, 50])],
        [(DOG, [0, 0, 39, 50])],
        [(DOG, [0, 0, 19, 20]), (DOG, [0, 0, 100, 100])],
        [(DOG, [0, 0, 10, 39]), (PERSON, [0, 0, 90, 90])],
        [(DOG, [0, 0, 50, 50]), (PERSON, [0, 0, 10, 10])],
        [(DOG, [0, 0, 5, 5])],
    )
    assert relevant_rows(big_queries(truth)) == {"big dog": [0, 2, 4]}
    assert relevant_rows(small_queries(truth)) == {"small dog": [2, 3, 5]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dog", "dogs"),
        ("person", "people"),
        ("bus", "buses"),
        ("couch", "couches"),
        ("wine glass", "wine glasses"),
        ("toothbrush", "toothbrushes"),
        ("knife", "knives"),
        ("sheep", "sheep"),
    ],
)
def test_plurals_are_english(name: str, expected: str) -> None:
    assert plural(name) == expected


def test_a_large_set_is_sampled_the_same_way_each_time() -> None:
    candidates = list(range(LARGEST_SET * 3))
    chosen = sample(candidates)
    assert len(set(chosen)) == LARGEST_SET
    assert chosen == sorted(chosen)
    assert chosen == sample(candidates)
    assert chosen != sample(candidates, seed=1)


def test_a_set_that_is_small_enough_stays_whole() -> None:
    assert sample([3, 1, 2]) == [3, 1, 2]
