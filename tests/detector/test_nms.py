from __future__ import annotations

import math

import numpy as np
import pytest

from detector.nms import NmsSettings, choose_rows, iou, suppress

ANCHORS, CLASSES = 60, 90


def naive_suppress(boxes, scores, settings, rows):
    """Step by step as the module's docstring says it, in plain Python floats, one image."""
    candidates = []
    for anchor, (ymin, xmin, ymax, xmax) in enumerate(boxes.tolist()):
        corners = [min(max(side, 0.0), 1.0) * 300 for side in (xmin, ymin, xmax, ymax)]
        for column, score in enumerate(scores[anchor].tolist()):
            if score > settings.score_threshold:
                candidates.append([column + 1, score, score, corners])
    candidates.sort(key=lambda candidate: -candidate[1])
    candidates = candidates[: settings.max_candidates]
    found = []
    while len(found) < rows and candidates:
        for candidate in candidates:
            if candidate[2] <= settings.score_threshold:
                candidate[2] = 0.0
        classes = [row[0] for row in found]
        best = max(candidates, key=lambda other: other[2] / (1 + classes.count(other[0])))
        class_id, _, score, box = best
        if score == 0:
            break
        total, corners = 0.0, [0.0] * 4
        for other in candidates:
            if other[0] != class_id:
                continue
            overlap = 1.0 if other is best else naive_iou(box, other[3])
            if overlap >= settings.vote_iou:
                vote = other[1] * overlap
                total += vote
                corners = [sum_ + vote * side for sum_, side in zip(corners, other[3], strict=True)]
            if overlap > settings.iou_threshold:
                other[2] = 0.0
            else:
                other[2] *= math.exp(-(overlap**2) / settings.sigma)
        found.append([class_id, score, *(side / total for side in corners)])
    found.sort(key=lambda row: -row[1])
    return np.array(found + [[0.0] * 6] * (rows - len(found)))


def naive_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union else 0.0


def random_candidates(seed):
    """Crowded boxes, some over the border, and few scores above the threshold."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0, 1, (6, 2))[random.integers(0, 6, ANCHORS)]
    centres += random.normal(0, 0.03, (ANCHORS, 2))
    sizes = random.uniform(0.2, 0.5, (ANCHORS, 2))
    boxes = np.hstack([centres - sizes / 2, centres + sizes / 2])
    scores = np.zeros((ANCHORS, CLASSES))
    columns = random.integers(0, 4, ANCHORS)
    scores[np.arange(ANCHORS), columns] = random.uniform(0, 1, ANCHORS)
    return boxes.astype(np.float32), scores.astype(np.float32)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "settings",
    [
        NmsSettings(),
        NmsSettings(score_threshold=0.4, iou_threshold=0.5, sigma=1.0, vote_iou=0.5),
        NmsSettings(max_candidates=10),
    ],
)
def test_it_gives_what_the_plain_definition_gives(seed, settings):
    boxes, scores = random_candidates(seed)
    found = suppress(boxes[None], scores[None], settings)[0]
    expected = naive_suppress(boxes, scores, settings, 20)
    assert (expected[:, 0] > 0).sum() >= 3
    np.testing.assert_array_equal(found[:, 0], expected[:, 0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_images_of_a_batch_do_not_disturb_each_other():
    images = [random_candidates(seed) for seed in range(4)]
    together = suppress(*(np.stack(arrays) for arrays in zip(*images, strict=True)))
    for (boxes, scores), rows in zip(images, together, strict=True):
        np.testing.assert_array_equal(suppress(boxes[None], scores[None])[0], rows)


def test_the_same_box_of_two_classes_is_two_objects():
    boxes = np.tile(np.float32([0.1, 0.2, 0.5, 0.6]), (2, 1))
    scores = np.zeros((2, CLASSES), np.float32)
    scores[0, 16], scores[1, 17] = 0.9, 0.8
    found = suppress(boxes[None], scores[None])[0]
    expected = np.float32([[17, 0.9, 60, 30, 180, 150], [18, 0.8, 60, 30, 180, 150]])
    np.testing.assert_allclose(found[:2], expected, rtol=1e-5)
    assert not found[2:].any()


def test_the_same_box_of_one_class_is_one_object():
    boxes = np.tile(np.float32([0.1, 0.2, 0.5, 0.6]), (2, 1))
    scores = np.zeros((2, CLASSES), np.float32)
    scores[:, 16] = 0.9, 0.8
    found = suppress(boxes[None], scores[None])[0]
    assert found[0, :2].tolist() == [17, np.float32(0.9)]
    assert not found[1:].any()


def test_boxes_over_the_border_are_clipped_to_the_frame():
    boxes = np.float32([[[-0.5, -0.1, 1.2, 0.5]]])
    scores = np.zeros((1, 1, CLASSES), np.float32)
    scores[0, 0, 0] = 0.9
    assert suppress(boxes, scores)[0, 0, 2:].tolist() == [0, 0, 150, 300]


def test_a_box_without_area_is_found_once():
    boxes = np.full((1, 1, 4), 0.5, np.float32)
    scores = np.zeros((1, 1, CLASSES), np.float32)
    scores[0, 0, 2] = 0.9
    found = suppress(boxes, scores)[0]
    assert found[0].tolist() == [3, np.float32(0.9), 150, 150, 150, 150]
    assert not found[1:].any()


def test_nothing_above_the_threshold_is_nothing_found():
    boxes, scores = random_candidates(0)
    assert not suppress(boxes[None], scores[None] * 0.03).any()


def test_no_images_give_no_detections():
    boxes = np.zeros((0, ANCHORS, 4), np.float32)
    scores = np.zeros((0, ANCHORS, CLASSES), np.float32)
    assert suppress(boxes, scores).shape == (0, 20, 6)


def test_iou_of_halves_and_strangers():
    box = np.float32([0, 0, 2, 2])
    others = np.float32([[0, 0, 2, 2], [0, 0, 2, 1], [1, 1, 3, 3], [5, 5, 6, 6]])
    np.testing.assert_allclose(iou(box, others), [1, 0.5, 1 / 7, 0], rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_choosing_from_all_rows_gives_what_suppression_gives(seed):
    boxes, scores = random_candidates(seed)
    everything = suppress(boxes[None], scores[None], rows=200)
    np.testing.assert_array_equal(choose_rows(everything), suppress(boxes[None], scores[None]))


def test_a_crowd_leaves_a_row_to_a_fainter_object_of_another_class():
    crowd = [[1, score, 0, 0, 9, 9] for score in np.linspace(0.9, 0.5, 20)]
    cup = [47, 0.1, 50, 50, 60, 60]
    chosen = choose_rows(np.array([[*crowd, cup]], np.float32))[0]
    assert chosen[-1].tolist() == pytest.approx(cup)
    assert (chosen[:-1, 0] == 1).all()
    assert len(chosen) == 20
