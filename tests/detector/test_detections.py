from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.detections import Detections, check_detections, check_images
from detector.errors import BadDetectorAnswer, DetectorError


@pytest.fixture
def detections() -> Detections:
    detections = np.zeros((2, 20, 6), np.float32)
    detections[0, 0] = [17, 0.9, 10, 20, 110, 220]
    detections[0, 1] = [1, 0.5, 0, 0, 300, 300]
    return detections


def test_it_returns_good_images_as_they_are() -> None:
    images = np.zeros((3, 300, 300, 3), np.uint8)
    assert check_images(images) is images


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((300, 300, 3), np.uint8),
        np.zeros((1, 300, 200, 3), np.uint8),
        np.zeros((1, 300, 300, 4), np.uint8),
        np.zeros((1, 300, 300, 3), np.float32),
    ],
)
def test_it_refuses_other_images_and_says_what_they_are(
    images: NDArray[np.uint8] | NDArray[np.float32],
) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \(n, 300, 300, 3\)") as caught:
        check_images(images)
    assert str(caught.value).endswith(f"got {images.dtype} {images.shape}")


def test_it_returns_good_detections_as_they_are(detections: Detections) -> None:
    assert check_detections(detections, 2) is detections


def test_it_takes_an_answer_about_no_images() -> None:
    check_detections(np.zeros((0, 20, 6), np.float32), 0)


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (np.zeros((2, 20, 5), np.float32), "float32 (2, 20, 5)"),
        (np.zeros((2, 200, 6), np.float32), "float32 (2, 200, 6)"),
        (np.zeros((3, 20, 6), np.float32), "float32 (3, 20, 6)"),
        (np.zeros((2, 20, 6), np.float64), "float64 (2, 20, 6)"),
        (np.zeros(6, np.float32), "float32 (6,)"),
    ],
)
def test_it_refuses_another_shape_or_dtype_and_says_which(
    answer: NDArray[np.float32] | NDArray[np.float64], got: str
) -> None:
    with pytest.raises(BadDetectorAnswer) as caught:
        check_detections(answer, 2)
    assert str(caught.value).endswith(f"expected float32 (2, 20, 6), got {got}")


@pytest.mark.parametrize(
    ("row", "column", "value", "complaint"),
    [
        (0, 1, np.nan, "finite"),
        (0, 2, np.inf, "finite"),
        (0, 0, 17.5, "class ids of COCO"),
        (0, 0, -1, "class ids of COCO"),
        (0, 1, 1.5, "scores in 0..1"),
        (1, 1, 0.95, "falling score"),
        (2, 5, 7, "zeros in rows of class 0"),
        (0, 2, -3, "inside 0..300"),
        (0, 5, 301, "inside 0..300"),
        (0, 2, 200, "xmin <= xmax"),
    ],
)
def test_it_refuses_values_that_mean_nothing(
    detections: Detections, row: int, column: int, value: float, complaint: str
) -> None:
    detections[0, row, column] = value
    with pytest.raises(BadDetectorAnswer, match=complaint):
        check_detections(detections)


def test_a_bad_answer_is_a_value_error_and_not_worth_a_retry() -> None:
    error = BadDetectorAnswer("no")
    assert isinstance(error, ValueError)
    assert isinstance(error, DetectorError)
    assert not error.retryable
