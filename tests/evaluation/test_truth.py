from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gallery.evaluation.truth import NotCocoAnnotations, load_truth

WriteCoco = Callable[..., Path]


def test_it_reads_images_in_the_order_of_the_file(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((2, 18, [10, 20, 30, 40])))
    assert [image.file_name for image in truth.images] == ["b.jpg", "a.jpg"]
    assert [(image.width, image.height) for image in truth.images] == [(200, 100), (100, 100)]
    assert [image.coco_split for image in truth.images] == ["val2017", "train2017"]


def test_boxes_become_corners_in_pixels(write_coco: WriteCoco) -> None:
    image = load_truth(write_coco((1, 18, [10, 20, 30, 40]))).images[0]
    assert image.class_ids.tolist() == [18]
    assert image.boxes.tolist() == [[10, 20, 40, 60]]


def test_unit_boxes_squeeze_the_photo_into_a_square(write_coco: WriteCoco) -> None:
    image = load_truth(write_coco((1, 18, [10, 20, 30, 40]))).images[0]
    np.testing.assert_allclose(image.unit_boxes, [[0.05, 0.2, 0.2, 0.6]])


def test_crowds_are_left_out(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((1, 1, [0, 0, 9, 9], 1), (1, 18, [10, 20, 30, 40])))
    assert truth.images[0].class_ids.tolist() == [18]
    assert not truth.holds(1).any()


def test_an_image_without_objects_has_empty_arrays(write_coco: WriteCoco) -> None:
    image = load_truth(write_coco()).images[0]
    assert image.boxes.shape == (0, 4)
    assert image.unit_boxes.shape == (0, 4)


def test_it_knows_which_images_hold_a_class(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((2, 18, [10, 20, 30, 40])))
    assert truth.holds(18).tolist() == [False, True]


def test_it_takes_annotations_that_name_no_subset(write_coco: WriteCoco) -> None:
    path = write_coco()
    content = json.loads(path.read_text())
    del content["images"][0]["coco_split"]
    path.write_text(json.dumps(content))
    assert load_truth(path).images[0].coco_split == ""


IMAGE = '{"id": 7, "width": 9, "height": 9, "file_name": "a"}'
PERSON = '{"id": 1, "name": "person"}'
OBJECT = '{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1]}'


def coco(images: str, categories: str, annotations: str) -> str:
    return f'{{"images": [{images}], "categories": [{categories}], "annotations": [{annotations}]}}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{broken", "not JSON"),
        ("[]", "expected an object, got a list"),
        ('{"images": [], "annotations": []}', "'categories' is missing"),
        ('{"images": 3, "annotations": [], "categories": []}', "not iterable"),
        (coco(IMAGE, PERSON, '{"image_id": "x", "category_id": 1}'), "a whole number, got 'x'"),
        (coco("", PERSON, OBJECT), "image 7, which is not listed"),
        (coco(IMAGE, "", OBJECT), "category 1, which is not listed"),
        (coco(IMAGE, PERSON, OBJECT.replace("0, 0, ", "")), "expected a box"),
        (coco(IMAGE.replace('"width": 9', '"width": 0'), "", ""), "0×9 pixels"),
    ],
)
def test_it_says_why_a_file_is_no_coco_annotations(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(content)
    with pytest.raises(NotCocoAnnotations, match="is not a COCO annotation file") as caught:
        load_truth(path)
    assert reason in str(caught.value)


def test_it_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotCocoAnnotations, match=r"missing\.json.*No such file"):
        load_truth(tmp_path / "missing.json")
