from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from featurestore.index import Index, IndexPart
from featurestore.postings import Postings, merge_postings
from tests.featurestore.samples import detections, features, postings, random_detections

DOG, CAT = 18, 17

# Half a step of 16 bits.
SCORE_TOLERANCE = 0.5 / 65535 + 1e-7
BOX_TOLERANCE = 150 / 65535 + 1e-4


def objects_of(found: NDArray[np.float32]) -> NDArray[np.float32]:
    return found[found[:, 0] > 0]


def random_images(seed: int, count: int = 12) -> list[NDArray[np.float32]]:
    return [random_detections(seed + number, objects=number % 8) for number in range(count)]


def test_each_object_lies_once_under_its_class() -> None:
    index = postings(
        detections((DOG, 0.9, 0, 0, 10, 10), (CAT, 0.8, 0, 0, 20, 20)),
        detections(),
        detections((DOG, 0.7, 0, 0, 30, 30)),
    )
    dogs = index.of_class(DOG)
    assert dogs.image_rows.tolist() == [0, 2]
    assert dogs.scores.tolist() == pytest.approx([0.9, 0.7], abs=SCORE_TOLERANCE)
    assert index.of_class(CAT).boxes[0] == pytest.approx([0, 0, 20, 20], abs=BOX_TOLERANCE)
    assert len(index.of_class(1)) == 0


def test_the_detections_of_an_image_come_back() -> None:
    images = random_images(7)
    index = postings(*images)
    for row, image in enumerate(images):
        found, expected = index.detections_of(row), objects_of(image)
        assert found[:, 0].tolist() == expected[:, 0].tolist()
        assert found[:, 1] == pytest.approx(expected[:, 1], abs=SCORE_TOLERANCE)
        assert found[:, 2:].ravel() == pytest.approx(expected[:, 2:].ravel(), abs=BOX_TOLERANCE)


def test_what_was_packed_once_stays_as_it_is() -> None:
    once = postings(*random_images(3))
    images = np.zeros((len(once), 20, 6), np.float32)
    for row in range(len(once)):
        found = once.detections_of(row)
        images[row, : len(found)] = found
    twice = postings(*images)
    assert twice.objects.packed_scores.tolist() == once.objects.packed_scores.tolist()
    assert twice.objects.packed_boxes.tolist() == once.objects.packed_boxes.tolist()


def test_objects_come_by_falling_score_however_they_were_given() -> None:
    index = postings(
        detections((DOG, 0.2, 0, 0, 1, 1), (CAT, 0.5, 0, 0, 2, 2), (DOG, 0.9, 0, 0, 3, 3))
    )
    assert index.of_class(DOG).boxes[:, 2].tolist() == pytest.approx([3, 1], abs=BOX_TOLERANCE)
    assert index.detections_of(0)[:, 0].tolist() == [DOG, CAT, DOG]


def test_objects_of_some_classes() -> None:
    index = postings(
        detections((DOG, 0.9, 0, 0, 10, 10), (CAT, 0.8, 0, 0, 20, 20), (1, 0.7, 0, 0, 5, 5))
    )
    assert index.objects_of(0, np.array([1, DOG]))[:, 0].tolist() == [DOG, 1]
    assert index.objects_of(0, np.array([2])).shape == (0, 6)


def test_scores_and_boxes_that_stick_out_are_taken_for_the_nearest() -> None:
    index = postings(detections((DOG, 1.5, -20, 10, 310, 300.001), (CAT, -1, 0, 0, 1, 1)))
    assert index.detections_of(0)[0].tolist() == pytest.approx(
        [DOG, 1, 0, 10, 300, 300], abs=BOX_TOLERANCE
    )
    assert index.detections_of(0)[1, 1] == 0


def test_the_row_of_an_image_without_features_is_none() -> None:
    index = postings(detections(), detections())
    assert [index.row_of(image_id) for image_id in (1, 2, 3)] == [0, 1, None]


def test_layout_weights_and_emptiness_follow_from_the_objects() -> None:
    index = postings(*random_images(40), detections((DOG, 1, 0, 0, 300, 300)))
    for row in range(len(index)):
        found = index.detections_of(row).astype(np.float64)
        areas = (found[:, 4] - found[:, 2]) * (found[:, 5] - found[:, 3]) / 300**2
        weights = areas**0.25 * found[:, 1] ** 1.5
        assert index.layout_weights[row] == pytest.approx(weights.sum(), abs=1e-5)
        sure = found[found[:, 1] >= 0.3, 1]
        # A score of 1 is one that rounds to it.
        assert index.emptiness[row] == pytest.approx(np.prod(1 - sure), abs=1e-5)
    assert 0 < index.emptiness[-1] < 1e-5


def test_an_image_with_seven_objects_takes_at_most_150_bytes() -> None:
    index = postings(*(random_detections(seed, objects=7) for seed in range(1000)))
    objects = index.objects
    of_images = (index.image_ids, index.written_at, index.layout_weights, index.emptiness)
    of_objects = (objects.image_rows, objects.packed_scores, objects.packed_boxes)
    # Sentence vectors are only looked at for the original score.
    assert sum(column.nbytes for column in of_images + of_objects) / len(index) <= 150


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=5), st.sets(st.integers(0, 30)))
@settings(max_examples=50, deadline=None)
def test_merged_postings_equal_postings_made_at_once(
    parts: list[list[int]], dead: set[int]
) -> None:
    taken: set[int] = set()
    merging = []
    for ids in parts:
        own = sorted(set(ids) - taken)
        taken |= set(own)
        counted = np.array([image_id not in dead for image_id in own], np.bool_)
        merging.append((postings_of(own), counted))
    merged = merge_postings(merging)
    assert columns_of(merged) == columns_of(postings_of(sorted(taken - dead)))


def postings_of(ids: list[int]) -> Postings:
    made = features(ids, [random_detections(i, objects=i % 8) for i in ids])
    made.written_at[:] = [1000 + image_id for image_id in ids]
    return Postings.of(made)


def columns_of(made: Postings) -> list[list[object]]:
    objects = made.objects
    return [
        *(made.image_ids.tolist(), made.written_at.tolist(), made.sentence_vectors.tolist()),
        *(made.layout_weights.tolist(), made.emptiness.tolist(), made.class_starts.tolist()),
        *(objects.image_rows.tolist(), objects.packed_scores.tolist()),
        objects.packed_boxes.tolist(),
    ]


@given(st.integers(0, 1000), st.sets(st.integers(0, 11)), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_counts_over_images_equal_plain_loops(
    seed: int, dead: set[int], score_threshold: float
) -> None:
    whole = postings(*random_images(seed))
    alive = np.array([row not in dead for row in range(len(whole))])
    index = Index((IndexPart(whole, alive),))
    images: Counter[int] = Counter()
    both: Counter[tuple[int, int]] = Counter()
    together = np.zeros((91, 91))
    threshold = round(score_threshold * 65535) / 65535 - 1e-6
    for row in np.flatnonzero(alive).tolist():
        found = whole.detections_of(row).astype(np.float64)
        classes = {int(one[0]) for one in found if one[1] >= threshold}
        images.update(classes)
        both.update(product(classes, classes))
        misses = np.ones(91)
        for class_id, score, *_ in found.tolist():
            misses[int(class_id)] *= 1 - score
        together += np.outer(1 - misses, 1 - misses)
    counts = index.images_per_class(score_threshold)
    assert {number: int(counts[number]) for number in np.flatnonzero(counts)} == images
    pairs = index.images_with_both(np.arange(91), score_threshold)
    assert {(a, b): int(pairs[a, b]) for a, b in np.argwhere(pairs).tolist()} == both
    np.testing.assert_allclose(index.cooccurrence, together, atol=1e-5)
    # The same from the sums of all images, as an index file keeps them.
    everything = Index((IndexPart.of(whole),)).cooccurrence
    known = Index((IndexPart(whole, alive, everything),))
    np.testing.assert_allclose(known.cooccurrence, together, atol=1e-5)


def test_a_score_at_the_threshold_reaches_it() -> None:
    index = Index((IndexPart.of(postings(detections((DOG, 0.35, 0, 0, 9, 9)))),))
    assert [index.images_per_class(score)[DOG] for score in (0.34, 0.35, 0.36)] == [1, 1, 0]
