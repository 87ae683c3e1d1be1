from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detector.detections import Images, check_detections
from detector.errors import DetectorError, ModelMissing
from detector.labels import ID_BY_NAME
from detector.local import LocalDetector
from detector.model_files import IR_FILE, MODEL_ID, write_manifest


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
    local_detector: LocalDetector, photos: dict[str, Images], name: str, box: list[int]
) -> None:
    best = local_detector.detect(photos[name][np.newaxis])[0, 0]
    assert best[0] == ID_BY_NAME[name]
    assert best[1] > 0.6
    np.testing.assert_allclose(best[2:], box, atol=5)


def test_its_answers_are_detections(local_detector: LocalDetector, batch: Images) -> None:
    check_detections(local_detector.detect(batch), len(batch))


def test_it_answers_no_images_with_no_detections(
    local_detector: LocalDetector, batch: Images
) -> None:
    assert local_detector.detect(batch[:0]).shape == (0, 20, 6)


def test_a_batch_gets_the_answers_of_single_images(
    local_detector: LocalDetector, batch: Images
) -> None:
    images = np.concatenate([batch, batch[::-1], batch, batch])
    together = local_detector.detect(images)
    for image, rows in zip(images, together, strict=True):
        single = local_detector.detect(image[np.newaxis])[0]
        np.testing.assert_allclose(rows[:, 1], single[:, 1], atol=1e-4)


def test_it_takes_images_that_do_not_lie_in_order(
    local_detector: LocalDetector, batch: Images
) -> None:
    mirrored = batch[:, :, ::-1]
    np.testing.assert_array_equal(
        local_detector.detect(mirrored), local_detector.detect(mirrored.copy())
    )


def test_it_refuses_images_of_another_size(local_detector: LocalDetector) -> None:
    with pytest.raises(ValueError, match=r"got uint8 \(1, 200, 200, 3\)"):
        local_detector.detect(np.zeros((1, 200, 200, 3), np.uint8))


def test_several_threads_may_ask_at_once(
    local_detector: LocalDetector, photos: dict[str, Images]
) -> None:
    images = [photo[np.newaxis] for photo in photos.values()] * 4
    expected = [local_detector.detect(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(local_detector.detect, images))
    np.testing.assert_allclose(np.stack(found), np.stack(expected), atol=1e-3)


def test_bfloat16_finds_the_same_objects_under_another_model_id(
    models_dir: Path, photos: dict[str, Images]
) -> None:
    detector = LocalDetector(models_dir, threads=1, precision="bf16")
    best = detector.detect(np.stack(list(photos.values())))[:, 0]
    assert best[:, 0].tolist() == [ID_BY_NAME[name] for name in photos]
    assert detector.model_id == f"{MODEL_ID}-bf16"


def test_its_model_id_names_network_and_data(local_detector: LocalDetector) -> None:
    assert local_detector.model_id == MODEL_ID
    assert MODEL_ID.startswith("ssdlite-mobilenet-v2-coco-1-")


def test_it_says_what_to_run_when_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="run `make setup`") as caught:
        LocalDetector(tmp_path)
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.path == tmp_path


def test_it_says_what_to_run_when_the_model_is_damaged(tmp_path: Path) -> None:
    (tmp_path / IR_FILE).parent.mkdir(parents=True)
    (tmp_path / IR_FILE).write_text("<net")
    write_manifest(tmp_path)
    with pytest.raises(ModelMissing, match="run `make setup`"):
        LocalDetector(tmp_path)


def test_a_closed_detector_says_so(models_dir: Path, batch: Images) -> None:
    detector = LocalDetector(models_dir)
    detector.close()
    detector.close()
    with pytest.raises(DetectorError, match="closed"):
        detector.detect(batch)
