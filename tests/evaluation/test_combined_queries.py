from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from featurestore.relations import RELATIONS
from gallery.evaluation.combined_queries import (
    negation_queries,
    only_queries,
    relation_queries,
    together_queries,
)
from gallery.evaluation.queries import JudgedQuery
from tests.evaluation.truths import CAR, CAT, DOG, PERSON, Object, holding, truth_of


def relevant_rows(queries: Sequence[JudgedQuery]) -> dict[str, list[int]]:
    return {query.text: np.flatnonzero(query.relevant).tolist() for query in queries}


def test_terms_together_want_all_of_their_classes() -> None:
    truth = holding(
        [DOG, PERSON],
        [PERSON],
        [PERSON, DOG, CAR],
        [DOG, DOG],
        [DOG, CAR, PERSON, PERSON],
        [CAR, PERSON, CAT],
        [CAR, CAT, PERSON, DOG],
    )
    assert relevant_rows(together_queries(truth, 2)) == {
        "person and car": [2, 4, 5, 6],
        "person and dog": [0, 2, 4, 6],
        "car and dog": [2, 4, 6],
    }
    assert relevant_rows(together_queries(truth, 3)) == {"person and car and dog": [2, 4, 6]}


def test_a_negation_wants_the_one_and_not_the_other() -> None:
    truth = holding(*[[PERSON]] * 5, [DOG], *[[PERSON, DOG]] * 3, [CAT])
    # Too few images hold a dog and no person to ask for that.
    assert relevant_rows(negation_queries(truth)) == {"person -dog": [0, 1, 2, 3, 4]}


@pytest.mark.parametrize(("alone", "both"), [(4, 3), (5, 2)])
def test_a_negation_that_hardly_matters_is_not_asked_for(alone: int, both: int) -> None:
    assert negation_queries(holding(*[[PERSON]] * alone, *[[PERSON, DOG]] * both)) == []


def test_only_wants_nothing_else() -> None:
    truth = holding(
        *[[DOG, DOG]] * 3, [DOG, CAT], *[[PERSON, DOG]] * 3, *[[PERSON, DOG, CAT]] * 3, []
    )
    assert relevant_rows(only_queries(truth)) == {
        "only dog": [0, 1, 2],
        "only person and dog": [4, 5, 6],
    }


def related(name: str, *layouts: list[Object]) -> dict[str, list[int]]:
    """Relevant rows by query, each layout three times so that it is asked for."""
    repeated = [layout for layout in layouts for _ in range(3)]
    return relevant_rows(relation_queries(truth_of(*repeated), name, RELATIONS[name]))


BESIDE: list[Object] = [(PERSON, [0, 0, 30, 100]), (CAR, [60, 0, 100, 100])]
STACKED: list[Object] = [(DOG, [20, 20, 60, 60]), (CAR, [0, 50, 100, 100])]


def test_a_relation_is_asked_for_in_the_order_of_its_objects() -> None:
    assert related("left of", BESIDE) == {"person left of car": [0, 1, 2]}
    assert related("right of", BESIDE) == {"car right of person": [0, 1, 2]}


def test_an_image_without_the_relation_is_not_relevant() -> None:
    mirrored: list[Object] = [(PERSON, [70, 0, 100, 100]), (CAR, [0, 0, 40, 100])]
    assert related("left of", BESIDE, mirrored) == {
        "person left of car": [0, 1, 2],
        "car left of person": [3, 4, 5],
    }


def test_all_relations_are_known() -> None:
    assert related("above", STACKED) == {"dog above car": [0, 1, 2]}
    assert related("below", STACKED) == {"car below dog": [0, 1, 2]}
    assert related("on", STACKED) == {"dog on car": [0, 1, 2]}
    within: list[Object] = [(DOG, [10, 10, 20, 20]), (CAR, [0, 0, 50, 50])]
    assert related("inside", within) == {"dog inside car": [0, 1, 2]}
    touching = {"person touching dog": [0, 1, 2], "dog touching person": [0, 1, 2]}
    meeting: list[Object] = [(PERSON, [0, 0, 50, 50]), (DOG, [50, 0, 80, 50])]
    assert related("touching", meeting) == touching
    # 9 of 100 pixels apart.
    apart: list[Object] = [(PERSON, [0, 0, 50, 50]), (DOG, [59, 0, 80, 50])]
    assert related("touching", apart) == {}
    assert len(related("near", apart)) == 2


def test_an_object_is_not_related_to_itself() -> None:
    assert related("touching", [(DOG, [0, 0, 50, 50])]) == {}
    two: list[Object] = [(DOG, [0, 0, 50, 50]), (DOG, [40, 0, 90, 50])]
    assert related("touching", two) == {"dog touching dog": [0, 1, 2]}


def test_a_relation_that_few_images_show_is_not_asked_for() -> None:
    truth = truth_of(BESIDE, BESIDE)
    assert relation_queries(truth, "left of", RELATIONS["left of"]) == []
