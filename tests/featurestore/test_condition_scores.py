from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore import condition_kernels
from featurestore import condition_scores as module
from featurestore.condition_scores import condition_scores, index_condition_scores
from featurestore.conditions import (
    HINT_WEIGHT,
    Alternative,
    Asked,
    Condition,
    Kind,
    ObjectQuery,
    Only,
    Presence,
    Relation,
)
from featurestore.explanations import Explainer
from featurestore.index import Index, IndexPart
from featurestore.look_postings import LookPostings, LookPostingsIndex
from featurestore.looks import KEPT_CLASSES, LookScores
from featurestore.relations import RELATIONS
from tests.featurestore.samples import detections, postings, random_detections

PERSON, CAT, DOG, CHAIR = 1, 17, 18, 62
IMAGES_A_PART = 12
CLASS_IDS = (PERSON, 2, 3, CAT, DOG, CHAIR, 90)


def kind(*class_ids: int, weights: tuple[float, ...] = ()) -> Kind:
    return Kind(
        np.array(class_ids, np.int64), np.array(weights or [1.0] * len(class_ids), np.float32)
    )


def asked(*class_ids: int, min_score: float = 0, min_area: float = 0, max_area: float = 1) -> Asked:
    return Asked(kind(*class_ids), min_score, min_area, max_area)


def query(*alternatives: Alternative) -> ObjectQuery:
    return ObjectQuery(alternatives)


kinds = st.lists(st.sampled_from(CLASS_IDS), unique=True, max_size=4).flatmap(
    lambda class_ids: st.lists(
        st.sampled_from([0, 0.01, 0.3, 0.875, 1]),
        min_size=len(class_ids),
        max_size=len(class_ids),
    ).map(lambda weights: Kind(np.array(class_ids, np.int64), np.array(weights, np.float32)))
)
look_weights = st.dictionaries(st.integers(0, 5), st.sampled_from([0.01, 0.3, 1]), max_size=4)
kinds_with_looks = st.builds(
    lambda kind, looks: replace(
        kind,
        look_ids=np.array(list(looks), np.int64),
        look_weights=np.array(list(looks.values()), np.float32),
    ),
    kinds,
    look_weights,
)
things = st.builds(
    Asked,
    kind=kinds | kinds_with_looks,
    min_score=st.sampled_from([0, 0, 0.2, 0.5, 0.9]),
    min_area=st.sampled_from([0, 0, 0.01, 0.1]),
    max_area=st.sampled_from([1, 1, 0.05, 0.3]),
)
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Presence, asked=things, negated=st.booleans()),
    st.builds(
        Presence,
        asked=things,
        at_least=st.integers(0, 22),
        at_most=st.none() | st.integers(0, 22),
        negated=st.booleans(),
    ),
    st.builds(
        Relation,
        subject=things,
        name=st.sampled_from(sorted(RELATIONS)),
        object=things,
        negated=st.booleans(),
    ),
    st.builds(Only, kinds=st.lists(kinds, max_size=3).map(tuple)),
)
queries = st.lists(st.lists(conditions, max_size=5).map(tuple), max_size=3).map(
    lambda alternatives: ObjectQuery(tuple(alternatives))
)


def random_index(seed: int) -> Index:
    """Two parts, each with dead rows; with full, empty and sure images."""
    random = np.random.default_rng(seed)
    parts = []
    for part in range(2):
        sizes = random.choice([0, 1, 4, 7, 20], IMAGES_A_PART)
        found = [random_detections(seed + 50 * part + n, int(sizes[n])) for n in range(len(sizes))]
        for image in found:
            image[:, 1] = np.where(image[:, 0] > 0, image[:, 1] ** random.choice([0.01, 1, 3]), 0)
        whole = postings(*found)
        parts.append(IndexPart(whole, random.random(len(whole)) < 0.8))
    return Index(tuple(parts), random_looks(seed))


def random_looks(seed: int) -> LookPostingsIndex:
    """Of most images, of some of them twice: the later looks count. Others are of no image."""
    random = np.random.default_rng(seed)
    parts = []
    for size in (IMAGES_A_PART + 3, 4):
        ids = np.sort(random.choice(np.arange(1, 2 * IMAGES_A_PART + 3), size, replace=False))
        shares = random.dirichlet([0.2] * 7, size)[:, :KEPT_CLASSES]
        classes = random.permuted(np.tile(np.arange(6), (size, 1)), axis=1)[:, :KEPT_CLASSES]
        parts.append(
            LookPostings.of(
                LookScores(
                    ids, classes.astype(np.int16), shares.astype(np.float32), np.zeros(size, int)
                )
            )
        )
    return LookPostingsIndex((parts[0].without(parts[1].image_ids), parts[1]))


@given(st.integers(0, 10_000), queries)
@settings(max_examples=400, deadline=None)
def test_scores_of_all_images_are_those_that_are_explained(
    seed: int, asked_for: ObjectQuery
) -> None:
    index = random_index(seed)
    scores = index_condition_scores(index, asked_for)
    explainer = Explainer(asked_for)
    for row in range(index.rows):
        looks = index.looks_of(row, explainer.look_ids)
        explained = explainer.explain(index.detections_of(row), looks)
        assert scores[row] == pytest.approx(explained.score if index.alive[row] else 0, abs=2e-6)
        for part in explained.conditions:
            shares = [one.part for one in part.objects] + [one.part for one in part.looks]
            assert not any(shares) or sum(shares) == pytest.approx(part.part)
        if explained.conditions:
            parts = sum(part.part for part in explained.conditions)
            assert parts == pytest.approx(explained.score)


def probabilities(asked_for: Alternative, *images: tuple[tuple[float, ...], ...]) -> list[float]:
    """Scores of images, each of (class_id, score) or whole rows, for one alternative."""
    found = [detections(*((*one, 0, 0, 300, 300)[:6] for one in image)) for image in images]
    scores: list[float] = condition_scores(postings(*found), query(asked_for)).tolist()
    return scores


def about(*expected: float) -> object:
    return pytest.approx(list(expected), abs=2e-5)


def test_one_thing_scores_by_the_probability_that_any_is_there() -> None:
    images = [((DOG, 0.5), (DOG, 0.4)), ((CAT, 0.9),), (), ((DOG, 0.9),)]
    assert probabilities((Presence(asked(DOG)),), *images) == about(0.7, 0, 0, 0.9)


def test_a_class_counts_as_much_as_it_weighs() -> None:
    animal = Asked(kind(DOG, CAT, weights=(1, 0.5)))
    assert probabilities((Presence(animal),), ((CAT, 0.8),), ((CAT, 0.8), (DOG, 0.5))) == about(
        0.4, 0.7
    )


def test_things_are_counted_by_the_poisson_binomial() -> None:
    dogs = ((DOG, 0.5), (DOG, 0.5), (DOG, 0.5))
    for at_least, at_most, expected in (
        (0, 0, 0.125),
        (1, 1, 0.375),
        (2, 2, 0.375),
        (2, None, 0.5),
        (1, 2, 0.75),
        (3, None, 0.125),
        (4, None, 0),
        (0, None, 1),
        (2, 1, 0),
    ):
        of_count = Presence(asked(DOG), at_least, at_most)
        assert probabilities((of_count,), dogs) == about(expected)


def test_none_of_a_thing_may_be_asked_for() -> None:
    assert probabilities((Presence(asked(DOG), 0, 0),), (), ((DOG, 0.9),)) == about(1, 0.1)
    without = (Presence(asked(DOG), negated=True),)
    assert probabilities(without, (), ((DOG, 0.9),)) == about(1, 0.1)
    cat_alone = (Presence(asked(CAT)), *without)
    assert probabilities(cat_alone, ((CAT, 0.8), (DOG, 0.5)), ((DOG, 0.5),)) == about(0.4, 0)


def test_several_things_score_by_their_geometric_mean() -> None:
    both = (Presence(asked(DOG)), Presence(asked(CAT)))
    images = [((DOG, 0.9), (CAT, 0.4)), ((DOG, 0.9),), ((PERSON, 0.9),)]
    assert probabilities(both, *images) == about(0.6, (0.9 * 1e-4) ** 0.5, 0)
    for number in range(1, 8):
        of_many = tuple(Presence(asked(DOG)) for _ in range(number))
        assert probabilities(of_many, ((DOG, 0.3),)) == about(0.3)


def test_the_best_alternative_counts() -> None:
    either = query((Presence(asked(DOG)),), (Presence(asked(CAT)),))
    image = postings(detections((DOG, 0.3, 0, 0, 9, 9), (CAT, 0.6, 0, 0, 9, 9)))
    assert condition_scores(image, either).tolist() == about(0.6)


def test_only_objects_within_the_limits_count() -> None:
    small, large = (DOG, 0.4, 0, 0, 30, 30), (DOG, 0.8, 0, 0, 150, 300)
    for of, expected in (
        (asked(DOG, min_score=0.5), 0.8),
        (asked(DOG, min_score=0.8), 0.8),
        (asked(DOG, min_score=0.9), 0),
        (asked(DOG, max_area=0.05), 0.4),
        (asked(DOG, min_area=0.5), 0.8),
        (asked(DOG, min_area=0.6), 0),
    ):
        assert probabilities((Presence(of),), (small, large)) == about(expected)


def test_a_pair_that_lies_otherwise_is_worth_a_tenth() -> None:
    left_of = (Relation(asked(DOG), "left of", asked(CAT)),)
    dog, cat = (DOG, 0.8, 0, 0, 50, 50), (CAT, 0.5, 200, 0, 250, 50)
    other_dog = (DOG, 0.5, 250, 0, 300, 50)
    assert probabilities(left_of, (dog, cat), (other_dog, cat), (dog,)) == about(
        0.4**0.5, 0.025**0.5, 0
    )
    not_left_of = (Relation(asked(DOG), "left of", asked(CAT), negated=True),)
    assert probabilities(not_left_of, (dog, cat), (other_dog, cat), (dog,)) == about(0.6, 0.975, 1)


def test_a_pair_of_two_hints_is_no_pair() -> None:
    dog_or_hint = Asked(kind(DOG, PERSON, weights=(1, HINT_WEIGHT)))
    chair_or_hint = Asked(kind(CHAIR, PERSON, CAT, weights=(1, HINT_WEIGHT, HINT_WEIGHT)))
    dog, chair, cat, person = ((one, 0.8, 0, 0, 50, 50) for one in (DOG, CHAIR, CAT, PERSON))
    hinted = (0.8 * 0.8 * HINT_WEIGHT) ** 0.5
    images = [(dog, chair), (dog, cat), (person, chair), (person, cat), (person, person)]
    near = (Relation(dog_or_hint, "near", chair_or_hint),)
    assert probabilities(near, *images) == about(0.8, hinted, hinted, 0, 0)
    # Neither depends on which of the two has more objects.
    crowd = [(*image, person, person, dog) for image in images[:2]]
    assert probabilities(near, *crowd) == about(0.8, hinted)


def test_an_object_does_not_lie_to_itself() -> None:
    near = (Relation(asked(DOG), "near", asked(DOG)),)
    dog = (DOG, 0.8, 0, 0, 50, 50)
    assert probabilities(near, (dog,), (dog, dog)) == about(0, 0.8)


def test_only_some_things() -> None:
    only_dogs = (Presence(asked(DOG)), Only((kind(DOG),)))
    images = [((DOG, 0.8),), ((DOG, 0.8), (CAT, 0.5)), ((DOG, 0.8), (CAT, 0.25)), ((DOG, 1.0),)]
    assert probabilities(only_dogs, *images) == about(0.8, 0.4, 0.8, 1)
    either = (Only((kind(DOG), kind(CAT, weights=(0.5,)))),)
    assert probabilities(either, ((DOG, 0.8), (CAT, 0.5)), ()) == about(0.75, 1)


def test_nothing_answers_no_alternative() -> None:
    image = postings(detections((DOG, 0.9, 0, 0, 9, 9)))
    assert condition_scores(image, query()).tolist() == [0]


@pytest.mark.parametrize("terms", range(1, 7))
def test_scores_below_the_floor_may_be_left_out_and_no_others(terms: int) -> None:
    index = random_index(3)
    classes = (DOG, CAT, PERSON, DOG, CHAIR, 2)[:terms]
    asked_for = query(tuple(Presence(asked(class_id)) for class_id in classes))
    exact = index_condition_scores(index, asked_for)
    pruned = index_condition_scores(index, asked_for, floor=0.02)
    expected = np.where((exact < 0.02) & (pruned == 0), 0, exact)
    assert (exact >= 0.02).any()
    assert pruned.tolist() == expected.tolist()


def test_rows_that_are_not_allowed_score_nothing() -> None:
    index = random_index(5)
    anything = query((Presence(asked(DOG), negated=True),))
    allowed = np.arange(index.rows) % 2 == 0
    scores = index_condition_scores(index, anything, allowed)
    expected = np.where(allowed, index_condition_scores(index, anything), 0)
    assert scores.tolist() == expected.tolist()


def test_many_images_score_as_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are scored in blocks and ranges, in several threads."""
    monkeypatch.setattr(module, "ROWS_A_RANGE", 1000 + condition_kernels.BLOCK)
    some = [random_detections(seed, objects=seed % 8) for seed in range(100)]
    repeats = 3 * condition_kernels.BLOCK // len(some)
    asked_for = query(
        (Presence(asked(DOG, CAT), 2), Relation(asked(PERSON), "near", asked(DOG, PERSON))),
        (Presence(asked(CHAIR)), Only((kind(CHAIR),))),
    )
    of_some = condition_scores(postings(*some), asked_for)
    assert len(set(of_some.tolist())) > 20
    scores = condition_scores(postings(*(some * repeats)), asked_for)
    assert scores.reshape(repeats, -1).tolist() == [of_some.tolist()] * repeats


def test_an_unknown_relation_is_an_error() -> None:
    with pytest.raises(KeyError, match="beyond"):
        probabilities((Relation(asked(DOG), "beyond", asked(CAT)),), ())


def test_a_class_that_there_cannot_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="should be 0 to 90"):
        probabilities((Presence(asked(DOG, 91)),), ())
