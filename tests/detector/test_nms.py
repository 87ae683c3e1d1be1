from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.nms import Floats, choose_rows, iou, suppress
from detector.nms_settings import NmsSettings

ANCHORS, CLASSES = 60, 90


@dataclass
class Candidate:
    class_id: int
    score: float
    remaining: float
    box: list[float]


def naive_suppress(
    boxes: Floats, scores: Floats, settings: NmsSettings, rows: int
) -> NDArray[np.float64]:
    """Step by step as the module's docstring says it, in plain Python floats, one image."""
    candidates = []
    for anchor, (ymin, xmin, ymax, xmax) in enumerate(boxes.tolist()):
        corners = [min(max(side, 0.0), 1.0) * 300 for side in (xmin, ymin, xmax, ymax)]
        for column, score in enumerate(scores[anchor].tolist()):
            if score > settings.score_threshold:
                candidates.append(Candidate(column + 1, score, score, corners))
    candidates.sort(key=lambda candidate: -candidate.score)
    candidates = candidates[: settings.max_candidates]
    found: list[list[float]] = []
    while len(found) < rows and candidates:
        for candidate in candidates:
            if candidate.remaining <= settings.score_threshold:
                candidate.remaining = 0.0
        classes = [row[0] for row in found]
        best = max(
            candidates, key=lambda other: other.remaining / (1 + classes.count(other.class_id))
        )
        class_id, score, box = best.class_id, best.remaining, best.box
        if score == 0:
            break
        total, corners = 0.0, [0.0] * 4
        for other in candidates:
            if other.class_id != class_id:
                continue
            overlap = 1.0 if other is best else naive_iou(box, other.box)
            if overlap >= settings.vote_iou:
                vote = other.score * overlap
                total += vote
                corners = [
                    sum_ + vote * side for sum_, side in zip(corners, other.box, strict=True)
                ]
            if overlap > settings.iou_threshold:
                other.remaining = 0.0
            else:
                other.remaining *= math.exp(-(overlap**2) / settings.sigma)
        found.append([class_id, score, *(side / total for side in corners)])
    found.sort(key=lambda row: -row[1])
    return np.array(found + [[0.0] * 6] * (rows - len(found)))


def naive_iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union else 0.0


def random_candidates(seed: int) -> tuple[Floats, Floats]:
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
def test_it_gives_what_the_plain_definition_gives(seed: int, settings: NmsSettings) -> None:
    boxes, scores = random_candidates(seed)
    found = suppress(boxes[None], scores[None], settings)[0]
    expected = naive_suppress(boxes, scores, settings, 20)
    assert (expected[:, 0] > 0).sum() >= 3
    np.testing.assert_array_equal(found[:, 0], expected[:, 0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_images_of_a_batch_do_not_disturb_each_other() -> None:
    images = [random_candidates(seed) for seed in range(4)]
    together = suppress(
        np.stack([boxes for boxes, _ in images]), np.stack([scores for _, scores in images])
    )
    for (boxes, scores), rows in zip(images, together, strict=True):
        np.testing.assert_array_equal(suppress(boxes[None], scores[None])[0], rows)


def test_the_same_box_of_two_classes_is_two_objects() -> None:
    boxes = np.tile(np.array([0.1, 0.2, 0.5, 0.6], np.float32), (2, 1))
    scores = np.zeros((2, CLASSES), np.float32)
    scores[0, 16], scores[1, 17] = 0.9, 0.8
    found = suppress(boxes[None], scores[None])[0]
    expected = np.array([[17, 0.9, 60, 30, 180, 150], [18, 0.8, 60, 30, 180, 150]], np.float32)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-5)
    assert not found[2:].any()


def test_the_same_box_of_one_class_is_one_object() -> None:
    boxes = np.tile(np.array([0.1, 0.2, 0.5, 0.6], np.float32), (2, 1))
    scores = np.zeros((2, CLASSES), np.float32)
    scores[:, 16] = 0.9, 0.8
    found = suppress(boxes[None], scores[None])[0]
    assert found[0, :2].tolist() == [17, np.float32(0.9)]
    assert not found[1:].any()


def test_boxes_over_the_border_are_clipped_to_the_frame() -> None:
    boxes = np.array([[[-0.5, -0.1, 1.2, 0.5]]], np.float32)
    scores = np.zeros((1, 1, CLASSES), np.float32)
    scores[0, 0, 0] = 0.9
    assert suppress(boxes, scores)[0, 0, 2:].tolist() == [0, 0, 150, 300]


def test_a_box_without_area_is_found_once() -> None:
    boxes = np.full((1, 1, 4), 0.5, np.float32)
    scores = np.zeros((1, 1, CLASSES), np.float32)
    scores[0, 0, 2] = 0.9
    found = suppress(boxes, scores)[0]
    assert found[0].tolist() == [3, np.float32(0.9), 150, 150, 150, 150]
    assert not found[1:].any()


def test_nothing_above_the_threshold_is_nothing_found() -> None:
    boxes, scores = random_candidates(0)
    assert not suppress(boxes[None], scores[None] * 0.03).any()


def test_no_images_give_no_detections() -> None:
    boxes = np.zeros((0, ANCHORS, 4), np.float32)
    scores = np.zeros((0, ANCHORS, CLASSES), np.float32)
    assert suppress(boxes, scores).shape == (0, 20, 6)


def test_iou_of_halves_and_strangers() -> None:
    box = np.array([0, 0, 2, 2], np.float32)
    others = np.array([[0, 0, 2, 2], [0, 0, 2, 1], [1, 1, 3, 3], [5, 5, 6, 6]], np.float32)
    found = [iou(box, other) for other in others]
    np.testing.assert_allclose(found, [1, 0.5, 1 / 7, 0], rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_choosing_from_all_rows_gives_what_suppression_gives(seed: int) -> None:
    boxes, scores = random_candidates(seed)
    everything = suppress(boxes[None], scores[None], rows=200)
    np.testing.assert_array_equal(choose_rows(everything), suppress(boxes[None], scores[None]))


def test_a_crowd_leaves_a_row_to_a_fainter_object_of_another_class() -> None:
    crowd = [[1, score, 0, 0, 9, 9] for score in np.linspace(0.9, 0.5, 20)]
    cup = [47, 0.1, 50, 50, 60, 60]
    chosen = choose_rows(np.array([[*crowd, cup]], np.float32))[0]
    assert chosen[-1].tolist() == pytest.approx(cup)
    assert (chosen[:-1, 0] == 1).all()
    assert len(chosen) == 20
