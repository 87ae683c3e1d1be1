"""What holds for `LocalDetector` and for `ServingDetector` alike, and that they agree."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector import Detector
from detector.detections import Detections, Images, check_detections
from detector.errors import DetectorError
from detector.labels import ID_BY_NAME
from detector.local import LocalDetector
from detector.model_files import MODEL_ID
from detector.serving import ServingDetector
from tests.detector.conftest import squeeze
from tests.photos import PACKAGED

#: What two runtimes may differ by: scores in 0..1, and boxes in pixels of the 300 frame.
SCORE_TOLERANCE = 1e-3
BOX_TOLERANCE = 0.5
#: Fainter objects are where roundings decide which of two boxes is kept.
CLEAR_SCORE = 0.1


def assert_agreement(found: Detections, expected: Detections) -> None:
    """Scores are the same by rank, and each clear object of one is an object of the other."""
    np.testing.assert_allclose(found[..., 1], expected[..., 1], atol=SCORE_TOLERANCE)
    for ours, theirs in ((found, expected), (expected, found)):
        for rows, others in zip(ours, theirs, strict=True):
            for row in rows[rows[:, 1] > CLEAR_SCORE]:
                assert any(_is_same(row, other) for other in others), (row, others)


def _is_same(row: Detections, other: Detections) -> bool:
    return bool(
        row[0] == other[0]
        and abs(row[1] - other[1]) <= SCORE_TOLERANCE
        and np.abs(row[2:] - other[2:]).max() <= BOX_TOLERANCE
    )


def photo_files() -> list[Path]:
    """Photos of scikit-image's wheel, and of the folder that `TEST_PHOTOS` names, if it does."""
    folders = [PACKAGED, *map(Path, filter(None, [os.environ.get("TEST_PHOTOS")]))]
    paths = [path for folder in folders for path in folder.rglob("*")]
    return sorted(path for path in paths if path.suffix in {".jpg", ".png"})


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("person", [13, 10, 220, 295]),
        ("cat", [1, 3, 265, 297]),
        ("cup", [86, 14, 206, 187]),
        ("motorcycle", [37, 32, 280, 272]),
    ],
)
def test_it_finds_what_a_photo_shows_and_where(
    detector: Detector, photos: dict[str, Images], name: str, box: list[int]
) -> None:
    best = detector.detect(photos[name][np.newaxis])[0, 0]
    assert best[0] == ID_BY_NAME[name]
    assert best[1] > 0.6
    np.testing.assert_allclose(best[2:], box, atol=5)


def test_its_answers_are_detections(detector: Detector, batch: Images) -> None:
    check_detections(detector.detect(batch), len(batch))


def test_it_answers_no_images_with_no_detections(detector: Detector, batch: Images) -> None:
    assert detector.detect(batch[:0]).shape == (0, 20, 6)


def test_a_batch_gets_the_answers_of_single_images(detector: Detector, batch: Images) -> None:
    images = np.concatenate([batch, batch[::-1], batch, batch])
    together = detector.detect(images)
    alone = np.concatenate([detector.detect(image[np.newaxis]) for image in images])
    np.testing.assert_allclose(together[..., 1], alone[..., 1], atol=1e-4)


def test_many_batches_keep_the_order_of_their_images(
    detector: Detector, photos: dict[str, Images]
) -> None:
    names = [name for name in photos for _ in range(37)]
    found = detector.detect(np.stack([photos[name] for name in names]))
    assert found[:, 0, 0].tolist() == [ID_BY_NAME[name] for name in names]


def test_it_takes_images_that_do_not_lie_in_order(detector: Detector, batch: Images) -> None:
    mirrored = batch[:, :, ::-1]
    np.testing.assert_allclose(
        detector.detect(mirrored), detector.detect(mirrored.copy()), atol=1e-3
    )


def test_it_refuses_images_of_another_size(detector: Detector) -> None:
    with pytest.raises(ValueError, match=r"got uint8 \(1, 200, 200, 3\)"):
        detector.detect(np.zeros((1, 200, 200, 3), np.uint8))


def test_several_threads_may_ask_at_once(detector: Detector, photos: dict[str, Images]) -> None:
    images = [photo[np.newaxis] for photo in photos.values()] * 4
    expected = [detector.detect(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(detector.detect, images))
    np.testing.assert_allclose(np.stack(found), np.stack(expected), atol=1e-3)


def test_its_model_id_names_network_and_data(detector: Detector) -> None:
    assert detector.model_id == MODEL_ID
    assert MODEL_ID.startswith("ssdlite-mobilenet-v2-coco-1-")


def test_one_that_can_detect_says_so(detector: Detector) -> None:
    detector.check()


def test_a_closed_one_says_so_and_may_be_closed_again(
    closed_detector: Detector, batch: Images
) -> None:
    closed_detector.close()
    with pytest.raises(DetectorError, match="this detector was closed"):
        closed_detector.detect(batch)
    with pytest.raises(DetectorError, match="this detector was closed"):
        closed_detector.check()


def test_both_find_the_same_in_all_photos(
    serving_detector: ServingDetector, local_detector: LocalDetector
) -> None:
    paths = photo_files()
    assert len(paths) > 20
    for start in range(0, len(paths), 32):
        images = np.stack([squeeze(Image.open(path)) for path in paths[start : start + 32]])
        assert_agreement(serving_detector.detect(images), local_detector.detect(images))
