from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.labels import ID_BY_NAME
from featurestore.conditions import Asked, Condition, Kind, ObjectQuery, Only, Presence, Relation
from gallery.company import COMPANY_WEIGHT, with_company

DOG, CAT, COUCH, BOAT = (ID_BY_NAME[name] for name in ("dog", "cat", "couch", "boat"))


def kind(*class_ids: int) -> Kind:
    return Kind(np.array(class_ids, np.int64), np.ones(len(class_ids), np.float32))


def together(*pairs: tuple[int, int, float]) -> NDArray[np.float64]:
    """(91, 91) how often two classes are in one photo; of each class there are 10 photos."""
    matrix = np.zeros((91, 91))
    for one in (DOG, CAT, COUCH, BOAT):
        matrix[one, one] = 10
    for first, second, photos in pairs:
        matrix[first, second] = matrix[second, first] = photos
    return matrix


def weights(asked: Asked) -> dict[int, float]:
    return dict(zip(asked.kind.class_ids.tolist(), asked.kind.weights.tolist(), strict=True))


def widened(condition: Condition, cooccurrence: NDArray[np.float64]) -> Condition:
    [[only]] = with_company(ObjectQuery(((condition,),)), cooccurrence).alternatives
    return only


def test_what_is_often_beside_a_thing_counts_next_to_nothing() -> None:
    found = widened(Presence(Asked(kind(DOG))), together((DOG, COUCH, 8), (DOG, CAT, 2)))
    assert isinstance(found, Presence)
    counts = weights(found.asked)
    assert counts[DOG] == 1
    assert counts[COUCH] == pytest.approx(COMPANY_WEIGHT)
    assert 0 < counts[CAT] < counts[COUCH] / 2
    assert BOAT not in counts


def test_what_a_word_stands_for_keeps_its_weight() -> None:
    asked = Asked(Kind(np.array([DOG, CAT]), np.array([1, 0.3], np.float32)), 0.2, 0.1, 0.9)
    found = widened(Presence(asked, 2, 3), together((DOG, CAT, 8), (CAT, COUCH, 8)))
    assert isinstance(found, Presence)
    counts = weights(found.asked)
    assert counts[DOG] == 1
    assert counts[CAT] == pytest.approx(0.3)
    assert counts[COUCH] == pytest.approx(0.3 * COMPANY_WEIGHT)
    assert (found.at_least, found.at_most) == (2, 3)
    assert (found.asked.min_score, found.asked.min_area, found.asked.max_area) == (0.2, 0.1, 0.9)


def test_both_things_of_a_relation_have_company() -> None:
    relation = Relation(Asked(kind(DOG)), "on", Asked(kind(BOAT)))
    found = widened(relation, together((DOG, CAT, 5), (BOAT, COUCH, 5)))
    assert isinstance(found, Relation)
    assert set(weights(found.subject)) == {DOG, CAT}
    assert set(weights(found.object)) == {BOAT, COUCH}
    assert found.name == "on"


@pytest.mark.parametrize(
    "condition",
    [
        Presence(Asked(kind(DOG)), negated=True),
        Relation(Asked(kind(DOG)), "on", Asked(kind(COUCH)), negated=True),
        Only((kind(DOG),)),
    ],
)
def test_what_should_not_be_there_has_no_company(condition: Condition) -> None:
    assert widened(condition, together((DOG, CAT, 5))) is condition


def test_in_an_empty_gallery_nothing_keeps_company() -> None:
    found = widened(Presence(Asked(kind(DOG))), np.zeros((91, 91)))
    assert isinstance(found, Presence)
    assert weights(found.asked) == {DOG: 1}
