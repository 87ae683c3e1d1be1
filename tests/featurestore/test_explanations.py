from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore.conditions import Alternative, ObjectQuery, Only, Presence, Relation
from featurestore.explanations import Explainer, Explanation
from tests.featurestore.samples import detections, postings
from tests.featurestore.test_condition_scores import (
    CAT,
    DOG,
    PERSON,
    asked,
    kind,
    queries,
    query,
    random_index,
)


def explained(asked_for: Alternative, *objects: tuple[float, ...]) -> Explanation:
    """Of an image of (class_id, score) or whole rows."""
    found = detections(*((*one, 0, 0, 300, 300)[:6] for one in objects))
    return Explainer(query(asked_for)).explain(postings(found).detections_of(0))


@given(st.integers(0, 10_000), queries)
@settings(max_examples=300)
def test_the_parts_of_a_score_sum_to_it(seed: int, asked_for: ObjectQuery) -> None:
    explainer = Explainer(asked_for)
    index = random_index(seed)
    for row in range(0, index.rows, 3):
        explanation = explainer.explain(index.detections_of(row))
        parts = [one.part for one in explanation.conditions]
        if asked_for.alternatives and asked_for.alternatives[explanation.alternative]:
            assert sum(parts) == pytest.approx(explanation.score, abs=1e-6)
        assert all(part >= 0 for part in parts)
        for one in explanation.conditions:
            of_objects = sum(matched.part for matched in one.objects)
            assert of_objects == pytest.approx(0, abs=1e-9) or of_objects == pytest.approx(one.part)


@given(st.integers(0, 10_000), queries)
@settings(max_examples=100)
def test_objects_of_other_classes_change_nothing(seed: int, asked_for: ObjectQuery) -> None:
    explainer = Explainer(asked_for)
    index = random_index(seed).parts[0].postings
    for row in range(len(index)):
        of_all = explainer.explain(index.detections_of(row))
        of_needed = explainer.explain(index.objects_of(row, explainer.class_ids))
        assert of_needed.score == pytest.approx(of_all.score, abs=1e-12)


def test_each_object_has_its_share() -> None:
    explanation = explained((Presence(asked(DOG)),), (DOG, 0.6), (CAT, 0.5), (DOG, 0.2))
    (dogs,) = explanation.conditions
    assert [one.object for one in dogs.objects] == [0, 2]
    assert [one.probability for one in dogs.objects] == pytest.approx([0.6, 0.2], abs=1e-5)
    assert [one.part for one in dogs.objects] == pytest.approx([0.51, 0.17], abs=1e-5)
    assert explanation.score == dogs.part == pytest.approx(0.68, abs=1e-5)


def test_each_condition_has_its_share() -> None:
    both = (Presence(asked(DOG)), Presence(asked(CAT), negated=True))
    explanation = explained(both, (DOG, 0.8), (CAT, 0.4))
    dog, no_cat = explanation.conditions
    assert explanation.score == pytest.approx(0.48, abs=1e-5)
    assert (dog.probability, no_cat.probability) == pytest.approx((0.8, 0.6), abs=1e-5)
    assert dog.part / no_cat.part == pytest.approx(0.8 / 0.6, abs=1e-4)
    # The cat is named although it counts against the image.
    (cat,) = no_cat.objects
    assert (cat.object, cat.part) == (1, 0)


def test_a_relation_names_the_best_pair_and_whether_it_lies_so() -> None:
    left_of = (Relation(asked(DOG), "left of", asked(CAT)),)
    cat, dog = (CAT, 0.9, 200, 0, 250, 50), (DOG, 0.5, 0, 0, 50, 50)
    wrong_dog = (DOG, 0.8, 250, 0, 300, 50)
    (relation,) = explained(left_of, cat, wrong_dog, dog).conditions
    assert relation.holds
    assert [one.object for one in relation.objects] == [2, 0]
    assert relation.objects[0].part == relation.objects[1].part == relation.part / 2
    (relation,) = explained(left_of, cat, wrong_dog).conditions
    assert not relation.holds
    assert [one.object for one in relation.objects] == [1, 0]


def test_only_names_what_should_not_be_there() -> None:
    only_dogs = (Presence(asked(DOG)), Only((kind(DOG),)))
    explanation = explained(only_dogs, (DOG, 0.8), (CAT, 0.5), (PERSON, 0.2))
    only = explanation.conditions[1]
    assert only.probability == pytest.approx(0.5, abs=1e-5)
    assert [(one.object, one.part) for one in only.objects] == [(1, 0)]


def test_the_best_alternative_is_explained() -> None:
    either = query((Presence(asked(DOG)),), (Presence(asked(CAT)),))
    found = postings(detections((DOG, 0.3, 0, 0, 9, 9), (CAT, 0.6, 0, 0, 9, 9))).detections_of(0)
    explanation = Explainer(either).explain(found)
    assert explanation.alternative == 1
    assert explanation.conditions[0].condition == either.alternatives[1][0]


def test_an_image_without_objects_has_a_score_of_nothing() -> None:
    explanation = Explainer(query((Presence(asked(DOG)),))).explain(np.empty((0, 6), np.float32))
    assert explanation.score == explanation.conditions[0].part == 0


def test_only_classes_that_matter_are_asked_for() -> None:
    some = Explainer(query((Presence(asked(DOG)), Relation(asked(CAT), "on", asked(DOG)))))
    assert some.class_ids.tolist() == [CAT, DOG]
    assert len(Explainer(query((Only((kind(DOG),)),))).class_ids) == 90
