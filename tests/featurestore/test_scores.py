from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from featurestore.index import Index, IndexPart
from featurestore.layout_scores import (
    layout_scores,
    matched_pairs,
    original_layout_scores,
    pairwise_iou,
)
from featurestore.text_scores import class_weights, cosines, word_scores
from tests.featurestore.samples import detections, postings, random_detections

DOG, CAT = 18, 17


def layout_of(found: NDArray[np.float32]) -> NDArray[np.float32]:
    return found[found[:, 0] > 0]


def test_postings_hold_each_object_once_under_its_class() -> None:
    index = postings(
        detections((DOG, 0.9, 0, 0, 10, 10), (CAT, 0.8, 0, 0, 20, 20)),
        detections(),
        detections((DOG, 0.7, 0, 0, 30, 30)),
    )
    dogs = index.of_class(DOG)
    assert dogs.image_rows.tolist() == [0, 2]
    assert dogs.scores.tolist() == pytest.approx([0.9, 0.7])
    assert index.of_class(CAT).boxes.tolist() == [[0, 0, 20, 20]]
    assert len(index.of_class(1).image_rows) == 0


def test_postings_count_images_and_not_objects() -> None:
    two_dogs = detections((DOG, 0.9, 0, 0, 10, 10), (DOG, 0.8, 5, 5, 20, 20))
    weak_dog = detections((DOG, 0.1, 0, 0, 10, 10))
    index = Index((IndexPart(postings(two_dogs, weak_dog), np.empty(0, np.int64)),))
    assert index.images_per_class(0.3)[DOG] == 1


def test_the_row_of_an_image_without_features_is_none() -> None:
    index = postings(detections(), detections())
    assert [index.row_of(image_id) for image_id in (1, 2, 3)] == [0, 1, None]


def test_the_nearest_class_weighs_one_and_far_ones_nothing() -> None:
    weights = class_weights(np.array([0.3, 0.8, 0.79], np.float32))
    assert weights[1] == 1
    assert 0.5 < weights[2] < 1
    assert weights[0] < 1e-6


def test_a_word_scores_by_the_surest_object_of_its_class() -> None:
    index = postings(
        detections((DOG, 0.6, 0, 0, 1, 1), (DOG, 0.5, 0, 0, 9, 9)),
        detections((CAT, 0.9, 0, 0, 1, 1)),
        detections(),
    )
    scores = word_scores(index, np.array([CAT, DOG]), np.array([0.1, 1.0], np.float32))
    assert scores.tolist() == pytest.approx([0.6, 0.09, 0])


def test_a_cosine_with_nothing_is_zero() -> None:
    vectors = np.array([[1, 0], [0, 0], [-2, 0]], np.float32)
    assert cosines(vectors, np.array([3, 0], np.float32)).tolist() == [1, 0, -1]
    assert cosines(vectors, np.zeros(2, np.float32)).tolist() == [0, 0, 0]


def test_iou_of_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]], np.float32)
    assert pairwise_iou(boxes[:1], boxes)[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])


@given(st.integers(0, 10_000))
def test_a_layout_ranks_its_own_image_first(seed: int) -> None:
    others = [random_detections(seed + number) for number in range(1, 20)]
    own = random_detections(seed)
    own[:, 1] = np.where(own[:, 0] > 0, 0.9, 0)
    for other in others:
        other[:, 1] = np.where(other[:, 0] > 0, 0.9, 0)
    scores = layout_scores(postings(own, *others), layout_of(own))
    assert scores.argmax() == 0
    assert scores[0] <= 1.0001


@given(st.integers(0, 10_000))
def test_layout_scores_equal_a_plain_loop(seed: int) -> None:
    images = [random_detections(seed + number, objects=number % 8) for number in range(1, 9)]
    query = layout_of(random_detections(seed))
    expected = [plain_layout_score(query, layout_of(image)) for image in images]
    assert layout_scores(postings(*images), query) == pytest.approx(expected, abs=1e-5)


def plain_layout_score(query: NDArray[np.float32], image: NDArray[np.float32]) -> float:
    """The definition, object by object."""

    def agreement(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
        if a[0] != b[0]:
            return 0.0
        iou = float(pairwise_iou(a[None, 2:], b[None, 2:])[0, 0])
        return (iou + 0.02) / 1.02 * float(np.sqrt(a[1] * b[1]))

    def weight(a: NDArray[np.float32]) -> float:
        area = float((a[4] - a[2]) * (a[5] - a[3])) / 300**2
        return math.sqrt(math.sqrt(area)) * float(a[1])

    def direction(asking: NDArray[np.float32], answering: NDArray[np.float32]) -> float:
        total = sum(weight(a) for a in asking)
        best = [max((agreement(a, b) for b in answering), default=0.0) for a in asking]
        return sum(weight(a) * b for a, b in zip(asking, best, strict=True)) / max(total, 1e-9)

    def total(other: NDArray[np.float32]) -> float:
        return float(np.sqrt(direction(query, other) * direction(other, query)))

    ratio = total(image) / total(query)
    return min(ratio, 1 / ratio) if ratio else 0.0


def test_moving_a_box_away_never_raises_the_score() -> None:
    query = layout_of(detections((DOG, 0.9, 0, 0, 100, 100)))
    moved = [detections((DOG, 0.9, shift, 0, 100 + shift, 100)) for shift in range(0, 200, 10)]
    scores = layout_scores(postings(*moved), query)
    assert (np.diff(scores) <= 1e-6).all()
    assert scores[0] > scores[5] > scores[10]


def test_the_original_photo_score_prefers_a_bigger_surer_box_elsewhere() -> None:
    query = layout_of(detections((DOG, 0.5, 0, 0, 50, 50)))
    identical = detections((DOG, 0.5, 0, 0, 50, 50))
    elsewhere = detections((DOG, 0.9, 100, 100, 300, 300))
    assert original_layout_scores(postings(identical, elsewhere), query).argmax() == 1
    assert layout_scores(postings(identical, elsewhere), query).argmax() == 0


def test_pairs_name_the_best_answer_of_each_object_of_the_query() -> None:
    query = layout_of(detections((DOG, 0.9, 0, 0, 50, 50), (CAT, 0.8, 100, 100, 150, 150)))
    image = layout_of(
        detections((DOG, 0.9, 200, 200, 250, 250), (DOG, 0.8, 0, 0, 50, 40), (1, 0.9, 0, 0, 9, 9))
    )
    (pair,) = matched_pairs(query, image)
    assert (pair.query_object, pair.image_object) == (0, 1)
    assert pair.iou == pytest.approx(0.8)


def test_no_pairs_with_an_image_without_objects() -> None:
    query = layout_of(detections((DOG, 0.9, 0, 0, 50, 50)))
    assert matched_pairs(query, np.zeros((0, 6), np.float32)) == []
