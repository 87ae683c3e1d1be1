from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.evaluation.detection_quality import detection_quality, detection_quality_of_split
from gallery.evaluation.truth import Truth, load_truth

WriteCoco = Callable[..., Path]

OBJECTS = ((1, 1, [20, 10, 80, 60]), (1, 18, [100, 50, 60, 50]), (2, 18, [10, 10, 50, 40]))


def perfect_detections(truth: Truth) -> NDArray[np.float32]:
    """(n, 20, 6) the truth itself, in the 300×300 frame."""
    detections = np.zeros((len(truth.images), 20, 6), np.float32)
    for row, image in enumerate(truth.images):
        count = len(image.class_ids)
        detections[row, :count, 0] = image.class_ids
        detections[row, :count, 1] = 0.9
        detections[row, :count, 2:] = image.unit_boxes * 300
    return detections


def test_perfect_detections_reach_1(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    quality = detection_quality(truth, perfect_detections(truth))
    assert quality is not None
    assert quality.mean_average_precision == pytest.approx(1)
    assert quality.ap50 == pytest.approx(1)
    assert quality.images == 2


def test_a_detection_of_another_class_counts_for_nothing(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    detections = perfect_detections(truth)
    detections[0, 0, 0] = 90
    quality = detection_quality(truth, detections)
    assert quality is not None
    # Of the classes person and dog, only dog is found.
    assert quality.ap50 == pytest.approx(0.5)


def test_a_box_of_iou_070_counts_at_the_lower_thresholds_only(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((2, 18, [0, 0, 100, 100])))
    detections = perfect_detections(truth)
    detections[1, 0, 4] = 300 * 0.72
    quality = detection_quality(truth, detections)
    assert quality is not None
    assert quality.ap50 == pytest.approx(1)
    # Found at 0.50, 0.55, 0.60, 0.65 and 0.70, missed at the five above.
    assert quality.mean_average_precision == pytest.approx(0.5)


def test_a_crowd_neither_helps_nor_has_to_be_found(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS, (2, 1, [0, 0, 90, 90], 1)))
    quality = detection_quality(truth, perfect_detections(truth))
    assert quality is not None
    assert quality.mean_average_precision == pytest.approx(1)


def test_one_subset_is_measured_apart(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    detections = perfect_detections(truth)
    detections[1] = 0
    unseen = detection_quality_of_split(truth, detections, "val2017")
    assert unseen is not None
    assert unseen.images == 1
    assert unseen.ap50 == pytest.approx(1)
    seen = detection_quality_of_split(truth, detections, "train2017")
    assert seen is not None
    assert seen.images == 1
    assert seen.ap50 == 0


def test_a_subset_without_images_has_no_quality(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    assert detection_quality_of_split(truth, perfect_detections(truth), "test2017") is None


def test_truth_without_objects_has_no_quality(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco())
    assert detection_quality(truth, np.zeros((2, 20, 6), np.float32)) is None


def test_it_measures_a_detector_that_finds_nothing(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    quality = detection_quality(truth, np.zeros((2, 20, 6), np.float32))
    assert quality is not None
    assert (quality.mean_average_precision, quality.ap50) == (0, 0)


def test_it_prints_nothing(write_coco: WriteCoco, capfd: pytest.CaptureFixture[str]) -> None:
    truth = load_truth(write_coco(*OBJECTS))
    detection_quality(truth, perfect_detections(truth))
    assert capfd.readouterr().out == ""
